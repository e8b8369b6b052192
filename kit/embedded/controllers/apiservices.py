"""APIServices: one for each version of an established definition, and whether those of other servers can be reached.

Models kube-aggregator/pkg/controllers/{autoregister,status/remote}. They run in the API server there, so they write as it does.
No server behind a Service can be asked here: one that has addresses fails its discovery check, in words that say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kit.embedded.api.apiservices import LABEL, RESOURCE, local
from kit.embedded.api.definitions import DEFINITIONS
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import Create, Delete, Update
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube.custom.definition import established

SLICES = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
MINIMUM, PRIORITY = 1000, 100


class ApiServices:
    """The autoregister and availability controllers in one."""

    name = "apiservices"
    user = "system:apiserver"
    manager = "kube-apiserver"
    component = "apiservices"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: Mapping[str, Mapper] = {
            RESOURCE: itself,
            DEFINITIONS: _versions,
            "services": _behind,
            SLICES: _behind,
        }

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make or delete the one of a definition's version; tell of a remote one whether it can be reached."""
        found = view.at(key)
        version, _, group = key.name.partition(".")
        wanted = _defined(view, group, version)
        if found is None:
            if wanted:
                yield Create(local(group, version, MINIMUM, PRIORITY, "true"))
            return
        if not wanted and (found["metadata"].get("labels") or {}).get(LABEL) == "true":
            yield Delete(key)
            return
        if found["spec"].get("service"):
            yield from self._told(found, *_reason(found, view))

    def _told(self, obj: Obj, reason: str, message: str) -> Effects:
        """Write the condition, where it is another than it was."""
        listed = list((obj.get("status") or {}).get("conditions") or ())
        before = next((one for one in listed if one["type"] == "Available"), None)
        if before and (before["status"], before.get("reason"), before.get("message")) == ("False", reason, message):
            return
        since = before["lastTransitionTime"] if before and before["status"] == "False" else self._clock.text()
        told = {
            "type": "Available",
            "status": "False",
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        }
        listed = [one for one in listed if one["type"] != "Available"] + [told]
        answer = yield Update({**obj, "status": {**(obj.get("status") or {}), "conditions": listed}}, "status")
        if isinstance(answer, Status):
            raise answer


def _reason(obj: Obj, view: View) -> tuple[str, str]:
    """Return why the server of an APIService is not available."""
    at = obj["spec"]["service"]
    space, name, port = at.get("namespace", ""), at.get("name", ""), at.get("port", 443)
    what = f'service/{name} in "{space}"'
    service = view.get("services", space, name)
    if service is None:
        return "ServiceNotFound", f"{what} is not present"
    if service["spec"].get("type") != "ExternalName":
        found = next((one for one in service["spec"].get("ports") or () if one["port"] == port), None)
        if found is None:
            return "ServicePortError", f"{what} is not listening on port {port}"
        slices = [one for one in view.list(SLICES, space) if _service_of(one) == name]
        if not slices:
            return "EndpointsNotFound", f'cannot find endpointslices for service/{name} in "{space}"'
        if not any(_ready(one, found.get("name", "")) for one in slices):
            named = found.get("name", "")
            return "MissingEndpoints", f'endpointslices for {what} have no addresses with port name "{named}"'
    url = f"https://{name}.{space}.svc:{port}/apis/{obj['spec'].get('group', '')}/{obj['spec']['version']}"
    why = "this embedded cluster does not ask other API servers; a kind cluster does (--provider kind)"
    return "FailedDiscoveryCheck", f"failing or missing response from {url}: {why}"


def _ready(piece: Obj, name: str) -> bool:
    if not any((port.get("name") or "") == name for port in piece.get("ports") or ()):
        return False
    ends = piece.get("endpoints") or ()
    return any(one.get("addresses") and (one.get("conditions") or {}).get("ready", True) for one in ends)


def _service_of(piece: Obj) -> str:
    return str((piece["metadata"].get("labels") or {}).get(SERVICE_NAME, ""))


def _defined(view: View, group: str, version: str) -> bool:
    """Return whether an established definition serves a group version."""
    return any(
        crd["spec"]["group"] == group and version in _served(crd) and established(crd) for crd in view.list(DEFINITIONS)
    )


def _served(crd: Obj) -> list[str]:
    return [one["name"] for one in crd["spec"]["versions"] if one["served"]]


def _versions(event: Event, view: View) -> Iterable[Key]:
    """Map a definition, as it is and as it was, to the APIServices of its versions."""
    names: dict[str, None] = {}
    for record in (event.old, event.record):
        for version in _served(record.obj) if record else ():
            names[f"{version}.{record.obj['spec']['group']}"] = None  # type: ignore[union-attr]
    return (Key(RESOURCE, "", name) for name in names)


def _behind(event: Event, view: View) -> Iterable[Key]:
    """Map a Service or its endpoints to the APIServices that it is behind."""
    name = event.key.name if event.key.resource == "services" else _service_of(event.obj)
    for obj in view.list(RESOURCE):
        at = obj["spec"].get("service") or {}
        if (at.get("namespace"), at.get("name")) == (event.key.namespace, name):
            yield Key(RESOURCE, "", obj["metadata"]["name"])
