"""What is posted to Pods: the scheduler's binding, and eviction.

Models pkg/registry/core/pod/storage/{storage,eviction}.go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kit.embedded.api import admission, bodies, budgets, deleting, negotiation, writing
from kit.embedded.api.answers import respond, success
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Request, Response
from kit.errors import Status
from kit.kube import status
from kit.kube.gojson import encode
from kit.kube.kinds import Resource

_PODS = Resource("", "v1", "Pod", "pods", "pod", namespaced=True)


def bind(context: Context, at: Attributes, binding: Obj) -> dict[str, Any]:
    """Put a Pod on a node."""
    target = binding.get("target") or {}
    if target.get("kind", "") not in {"Node", ""}:
        raise status.plain_error(str(status.not_supported("target.kind", target["kind"], ("Node", "<empty>"))))
    if not target.get("name"):
        raise status.plain_error(str(status.required("target.name")))
    said = (binding.get("metadata") or {}).get("name") or at.name
    if said != at.name:
        raise status.bad_request("name in URL does not match name in Binding object")
    writing.update(context, at, lambda pod: _bound(context, at, pod, binding), whole=True)
    return success(201)


def bindings(context: Context, at: Attributes, request: Request) -> Response:
    """Answer what is posted to a namespace's bindings: the Pod that the Binding is called after is put on a node."""
    form = negotiation.accepted(request.headers.get("accept", ""))
    bodies.check_options(at, "CreateOptions")
    binding = bodies.check_place(at, bodies.decoded(at, request))
    name = binding["metadata"].get("name") or ""
    if not name:
        raise status.bad_request("Name parameter required.")
    admission.admit_call(context, at, binding)
    body = bind(context, replace(at, resource=_PODS, name=name, subresource="binding"), binding)
    return respond(encode(body).encode(), 201, media=form.media, warnings=at.warnings)


def _bound(context: Context, at: Attributes, pod: Obj, binding: Obj) -> Obj:
    spec, name = pod["spec"], at.name
    if "deletionTimestamp" in pod["metadata"]:
        raise _conflict(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if spec.get("nodeName"):
        raise _conflict(name, f"pod {name} is already assigned to node {spec['nodeName']!r}".replace("'", '"'))
    if spec.get("schedulingGates"):
        raise _conflict(name, f"pod {name} has non-empty .spec.schedulingGates")
    given = binding.get("metadata") or {}
    meta = dict(pod["metadata"])
    for field in ("annotations", "labels"):
        if given.get(field):
            meta[field] = {**(meta.get(field) or {}), **given[field]}
    meta["generation"] = meta.get("generation", 1) + 1
    if given.get("uid") and given["uid"] != meta["uid"]:
        raise _conflict(name, "the UID in the precondition does not match the UID in record")
    found = pod.get("status") or {}
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": context.clock.text(),
    }
    if "observedGeneration" in found:
        scheduled["observedGeneration"] = meta["generation"]
    conditions = [one for one in found.get("conditions") or () if one["type"] != "PodScheduled"]
    now = {**found, "conditions": [*conditions, scheduled]}
    now.pop("nominatedNodeName", None)
    return {**pod, "metadata": meta, "spec": {**spec, "nodeName": binding["target"]["name"]}, "status": now}


def _conflict(name: str, why: str) -> Status:
    refused = status.conflict("pods", name, why)
    refused.message = refused.message.replace(" pods ", " pods/binding ", 1)
    refused.details = {"name": name, "kind": "pods/binding"}
    return refused


def evict(context: Context, at: Attributes, eviction: Obj) -> dict[str, Any]:
    """Delete a Pod as its disruption budget allows."""
    said = (eviction.get("metadata") or {}).get("name") or ""
    if said and said != at.name:
        raise status.bad_request("name in URL does not match name in Eviction object")
    options = deleting.Options.of(eviction.get("deleteOptions") or {})
    one = replace(at, verb="delete", subresource="", dry_run=at.dry_run or options.dry_run)
    pod = context.store.get(one.key)
    if pod is not None:
        budgets.spend(context, one, pod, dry_run=one.dry_run)
        writing.update(context, one, lambda old: _marked(context, old), whole=True)
    deleting.delete(context, one, options)
    return success(201)


def _marked(context: Context, pod: Obj) -> Obj:
    """Return a Pod whose status says that it is being evicted."""
    state = pod.get("status") or {}
    told = {
        "type": "DisruptionTarget",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": context.clock.text(),
    }
    told |= {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
    before = [one for one in state.get("conditions") or () if one["type"] == "DisruptionTarget"]
    if before and before[0]["status"] == "True":
        told["lastTransitionTime"] = before[0]["lastTransitionTime"]
    others = [one for one in state.get("conditions") or () if one["type"] != "DisruptionTarget"]
    return {**pod, "status": {**state, "conditions": [*others, told]}}
