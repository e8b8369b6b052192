"""Fields of a Pod's spec that need a feature which is off: the registry drops them from Pods and from templates of Pods.

Models DropDisabledPodFields and DropDisabledTemplateFields of pkg/api/pod/util.go, with the feature gates of a cluster as it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Tree = Mapping[str, Any]  # a field -> what is dropped inside, {} for the field itself; "*": each item of a list

_USER: Final[Tree] = {"user": {}}  # AtomicWriteVolumeUserFields
_ITEMS: Final[Tree] = {"items": {"*": _USER}}
_FILES: Final[Tree] = {"defaultUser": {}, **_ITEMS}
_PROJECTED: Final[Tree] = {
    **dict.fromkeys(("secret", "configMap", "downwardAPI"), _ITEMS),
    **dict.fromkeys(("serviceAccountToken", "clusterTrustBundle", "podCertificate"), _USER),
}
_VOLUME: Final[Tree] = {
    "emptyDir": {"mode": {}},  # EmptyDirVolumeMode
    **dict.fromkeys(("secret", "configMap", "downwardAPI"), _FILES),
    "projected": {"defaultUser": {}, "sources": {"*": _PROJECTED}},
}
_PROBE: Final[Tree] = {"httpGet": {"protocol": {}}, "grpc": {"mode": {}}}  # H2CContainerProbe, GRPCContainerProbeTLS
_CONTAINER: Final[Tree] = {
    **dict.fromkeys(("livenessProbe", "readinessProbe", "startupProbe"), _PROBE),
    "lifecycle": {"stopSignal": {}, "postStart": _PROBE, "preStop": _PROBE},  # ContainerStopSignals
    "volumeMounts": {"*": {"bindMountOptions": {}}},  # VolumeBindMountOptions
}
_CONTAINERS: Final[Tree] = {"*": _CONTAINER}
_SPEC: Final[Tree] = {
    "evictionResponders": {},  # EvictionRequestAPI
    "schedulingGroup": {},  # GenericWorkload
    "volumes": {"*": _VOLUME},
    **dict.fromkeys(("containers", "initContainers", "ephemeralContainers"), _CONTAINERS),
}
_NEVER_EMPTY: Final = frozenset({"lifecycle"})  # goes with the last that is in it
_TEMPLATE: Final[Tree] = {"spec": _SPEC}
_OF_SPEC: Final[Tree] = {"spec": {"template": _TEMPLATE}}
_TEMPLATED: Final = (
    "ReplicationController",
    *(f"{kind}.apps" for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")),
)
_KINDS: Final[dict[str, Tree]] = {
    "Pod": {"spec": _SPEC},
    "PodTemplate": {"template": _TEMPLATE},
    "CronJob.batch": {"spec": {"jobTemplate": _OF_SPEC}},
    **dict.fromkeys((*_TEMPLATED, "Job.batch"), _OF_SPEC),
}


def dropped(obj: dict[str, Any], group_kind: str) -> dict[str, Any]:
    """Return an object without the fields of features that are off; the same object where it has none."""
    tree = _KINDS.get(group_kind)
    return _without(obj, tree) if tree else obj


def _without(value: dict[str, Any], tree: Tree) -> dict[str, Any]:
    out = value
    for key, inner in tree.items():
        if key not in value:
            continue
        was = value[key]
        now = _inside(was, inner)
        if now is not was:
            left = {} if now is None or (not now and key in _NEVER_EMPTY) else {key: now}
            out = {name: one for name, one in out.items() if name != key} | left
    return out


def _inside(value: Any, tree: Tree) -> Any:
    """Return what is left of a field, None for nothing."""
    if not tree:
        return None
    if isinstance(value, list):
        items = [_without(one, tree["*"]) if isinstance(one, dict) else one for one in value]
        return items if any(now is not was for now, was in zip(items, value, strict=True)) else value
    return _without(value, tree) if isinstance(value, dict) else value
