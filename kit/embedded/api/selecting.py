"""Label and field selectors of a request, as one test of objects.

Models the GetAttrs functions of pkg/registry/*/strategy.go: which fields a kind can be selected by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kit.embedded.api.attributes import Attributes
from kit.embedded.core.store import Obj
from kit.kube import selectors, status
from kit.kube.kinds import Resource

Test = Callable[[Obj], bool]

# Path of each field beyond metadata.name and metadata.namespace, and its text when the object has none.
_INVOLVED = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
FIELDS: Mapping[str, Mapping[str, str]] = {
    "pods": {
        "spec.nodeName": "",
        "spec.restartPolicy": "",
        "spec.schedulerName": "",
        "spec.serviceAccountName": "",
        "spec.hostNetwork": "false",
        "status.phase": "",
        "status.podIP": "",
        "status.podIPs": "",
        "status.nominatedNodeName": "",
    },
    "events": {
        **{f"involvedObject.{field}": "" for field in _INVOLVED},
        "reason": "",
        "reportingComponent": "",
        "source": "",
        "type": "",
    },
    "events.events.k8s.io": {
        **{f"regarding.{field}": "" for field in _INVOLVED},
        "reason": "",
        "reportingController": "",
        "type": "",
    },
    "secrets": {"type": ""},
    "services": {"spec.clusterIP": "", "spec.type": ""},
    "namespaces": {"status.phase": ""},
    "nodes": {"spec.unschedulable": "false"},
    "jobs.batch": {"status.successful": "0"},
    "replicationcontrollers": {"status.replicas": "0"},
    "certificatesigningrequests.certificates.k8s.io": {"spec.signerName": ""},
    "clustertrustbundles.certificates.k8s.io": {"spec.signerName": ""},
    "podcertificaterequests.certificates.k8s.io": {"spec.nodeName": "", "spec.signerName": ""},
    "resourceslices.resource.k8s.io": {"spec.nodeName": "", "spec.driver": "", "spec.pool.name": ""},
}
_ALIASES = {
    "status.successful": "status.succeeded",
    "source": "source.component",
}
# How kinds that name their own fields refuse another (AddFieldLabelConversionFunc of pkg/apis/*/v1/conversion.go).
_NOT_SUPPORTED = "field label not supported: {0}"
REFUSALS: Mapping[str, str] = {
    "jobs.batch": 'field label "{0}" not supported for Job',
    "resourceslices.resource.k8s.io": "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {0}",
}


def known(resource: Resource) -> tuple[str, ...]:
    """Return the fields a resource can be selected by."""
    own = resource.custom.selectable if resource.custom else FIELDS.get(resource.group_resource, {})
    both = resource.namespaced or not (resource.custom or own)  # what names no field of its own takes both
    return ("metadata.name", *(("metadata.namespace",) if both else ()), *own)


def matcher(at: Attributes) -> Test:
    """Return the test that a request's selectors are; BadRequest when they can't be read."""
    labels = selectors.parse(at.query.get("labelSelector", ""))
    fields = selectors.parse_fields(at.query.get("fieldSelector", ""))
    named = at.resource.group_resource
    if at.resource.custom or named in FIELDS:
        unknown = next((term.field for term in fields.terms if term.field not in known(at.resource)), "")
        if unknown:
            raise status.bad_request(REFUSALS.get(named, _NOT_SUPPORTED).format(unknown))
    fields.check(known(at.resource))
    if at.verb == "watch" and at.name:
        if any(term.field == "metadata.name" and term.value != at.name for term in fields.terms):
            raise status.bad_request("fieldSelector metadata.name doesn't match requested name")
        fields = selectors.parse_fields(f"metadata.name={at.name},{fields}")
    if labels.empty and not fields.terms:
        return _everything
    resource, wanted = at.resource, tuple(term.field for term in fields.terms)

    def test(obj: Obj) -> bool:
        return labels.matches(obj["metadata"].get("labels")) and fields.matches(values(resource, obj, wanted))

    return test


def values(resource: Resource, obj: Obj, fields: tuple[str, ...]) -> dict[str, str]:
    """Return the texts of some selectable fields of an object."""
    zero = FIELDS.get(resource.group_resource, {})
    return {field: _value(obj, _ALIASES.get(field, field), zero.get(field, "")) for field in fields}


def _value(obj: Obj, path: str, otherwise: str) -> str:
    found: Any = obj
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if found is None or found == "":
        return otherwise
    return str(found).lower() if isinstance(found, bool) else str(found)


def _everything(obj: Obj) -> bool:
    return True
