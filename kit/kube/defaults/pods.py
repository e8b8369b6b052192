"""Rules of defaulting for Pods and their containers. Models pkg/apis/core/v1/defaults.go."""

from __future__ import annotations

import re
from typing import Any, Final

from kit.kube.quantities import Quantity

Object = dict[str, Any]

_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_END: Final = r"(?::\w[\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?"
# What github.com/distribution/reference takes for a name: host, path, tag, digest.
_NAME: Final = re.compile(rf"(?:{_HOST}/)?{_PART}(?:/{_PART})*{_END}", re.ASCII)
LONGEST: Final = 255
_GROUPS: Final = ("containers", "initContainers")


def policy_of(image: str) -> str:
    """Return Always for an image without a tag or with `latest`, else IfNotPresent, also for what is no name. Models pkg/util/parsers."""
    if len(image) > LONGEST or not _NAME.fullmatch(image):
        return "IfNotPresent"
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or not (tag or digest) else "IfNotPresent"


def pull_policy(container: Object) -> Object | None:
    """How often an image is pulled depends on its tag."""
    if container.get("imagePullPolicy"):
        return None
    return {"imagePullPolicy": policy_of(str(container.get("image") or ""))}


def reference_policy(source: Object) -> Object | None:
    """An image volume pulls as a container does."""
    return None if source.get("pullPolicy") else {"pullPolicy": policy_of(str(source.get("reference") or ""))}


def empty_dir(volume: Object) -> Object | None:
    """A volume without a source is an empty folder."""
    return {"emptyDir": {}} if len(volume) == ("name" in volume) else None


def service_account(spec: Object) -> Object | None:
    """`serviceAccount` is the old name of `serviceAccountName`: both are written."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if not name or (spec.get("serviceAccountName") == name == spec.get("serviceAccount")):
        return None
    return {"serviceAccountName": name, "serviceAccount": name}


def link_environment(pod: Object) -> Object | None:
    """Services are linked into the environment; only of Pods, not of templates."""
    spec = pod.get("spec")
    if not isinstance(spec, dict) or spec.get("enableServiceLinks") is not None:
        return None
    return {"spec": {**spec, "enableServiceLinks": True}}


def host_ports(pod: Object) -> Object | None:
    """On the host's network a container port is a host port."""
    spec = pod.get("spec") or {}
    if not spec.get("hostNetwork"):
        return None
    new = {group: [_host_ports(c) for c in spec[group]] for group in _GROUPS if spec.get(group)}
    return _in_spec(spec, new)


def _host_ports(container: Object) -> Object:
    if not container.get("ports"):
        return container
    return {**container, "ports": [{"hostPort": port.get("containerPort"), **port} for port in container["ports"]]}


def requests(pod: Object) -> Object | None:
    """What is limited and not requested is requested."""
    spec = pod.get("spec") or {}
    new: Object = {}
    for group in _GROUPS:
        if any("limits" in (container.get("resources") or ()) for container in spec.get(group) or ()):
            new[group] = [_requests(container) for container in spec[group]]
    return _in_spec(spec, new)


def whole_requests(pod: Object) -> Object:
    """Return a Pod whose own resources have requests too: filled in as it is stored, so nobody owns them."""
    spec = pod["spec"]
    if not (spec.get("resources") or {}).get("limits"):
        return pod
    return {**pod, "spec": {**spec, "resources": _pod_requests(spec)}}


def _in_spec(spec: Object, new: Object) -> Object | None:
    differs = {key: value for key, value in new.items() if value and value != spec.get(key)}
    return {"spec": {**spec, **differs}} if differs else None


def _requests(container: Object) -> Object:
    resources = container.get("resources") or {}
    limits, asked = resources.get("limits") or {}, resources.get("requests") or {}
    if limits.keys() <= asked.keys():
        return container
    return {**container, "resources": {**resources, "requests": {**limits, **asked}}}


def _pod_requests(spec: Object) -> Object:
    """Return the Pod's own resources: requests it lacks come from its limits where no container requests any, else from the sum."""
    resources = spec["resources"]
    inside: dict[str, Quantity] = {}
    for container in spec.get("containers") or []:
        for name, value in ((container.get("resources") or {}).get("requests") or {}).items():
            inside[name] = inside.get(name, Quantity()) + Quantity.parse(value)
    limits = {name: str(inside[name]) if name in inside else value for name, value in resources["limits"].items()}
    asked = {**limits, **(resources.get("requests") or {})}
    return {**resources, "requests": asked} if asked else dict(resources)
