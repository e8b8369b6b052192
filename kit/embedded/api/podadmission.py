"""What admission does to Pods: service account, priority, tolerations.

Models plugin/pkg/admission/{serviceaccount,priority,defaulttolerationseconds}.
"""

from __future__ import annotations

from typing import Any

from kit.embedded.api import nodeauth
from kit.embedded.api.attributes import Attributes, called
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj
from kit.errors import Status
from kit.kube import pods, status
from kit.kube.resources import amounts
from kit.kube.validation.scaling import SYSTEM

TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # a path inside containers
TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
TOLERATION_SECONDS = 300


def service_account(context: Context, at: Attributes, pod: Obj, old: Obj | None) -> Obj:
    """Run a Pod as a service account that is there, with its token mounted."""
    if pods.MIRROR in (pod["metadata"].get("annotations") or {}):
        return _mirror(context, pod)
    spec = dict(pod["spec"])
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = context.store.get(Key("serviceaccounts", at.namespace, name))
    if account is None:
        why = f'error looking up service account {at.namespace}/{name}: serviceaccount "{name}" not found'
        raise _refused(pod, why)
    if _mounts_token(spec, account):
        _mount(context, spec)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]
    return {**pod, "spec": spec}


def _mirror(context: Context, pod: Obj) -> Obj:
    """Return a mirror Pod, which has no account; refuse one that needs what an account gives."""
    spec = pod["spec"]
    if spec.get("serviceAccountName"):
        raise _refused(pod, "a mirror pod may not reference service accounts")
    if nodeauth.secrets(context.store, pod):
        raise _refused(pod, "a mirror pod may not reference secrets")
    projected = (one.get("projected") or {} for one in spec.get("volumes") or ())
    if any("serviceAccountToken" in source for one in projected for source in one.get("sources") or ()):
        raise _refused(pod, "a mirror pod may not use ServiceAccountToken volume projections")
    return pod


def _refused(pod: Obj, why: str) -> Status:
    return status.forbidden("pods", called(pod), why)


def _mounts_token(spec: Obj, account: Obj) -> bool:
    if "automountServiceAccountToken" in spec:
        return bool(spec["automountServiceAccountToken"])
    return account.get("automountServiceAccountToken") is not False


def _mount(context: Context, spec: Obj) -> None:
    """Add the token's volume, and its mount to each container that has none at that path."""
    volumes = spec.get("volumes") or []
    present = [volume["name"] for volume in volumes if volume.get("name", "").startswith("kube-api-access-")]
    name = present[0] if present else f"kube-api-access-{context.ids.suffix()}"
    mounted = False
    for field in ("initContainers", "containers"):
        if spec.get(field):
            spec[field] = [_with_mount(container, name) for container in spec[field]]
            mounted = mounted or any(_has(container, name) for container in spec[field])
    if mounted and not present:
        spec["volumes"] = [*volumes, {"name": name, "projected": _token_volume()}]


def _with_mount(container: Obj, volume: str) -> Obj:
    mounts = container.get("volumeMounts") or []
    if any(mount.get("mountPath") == TOKEN_PATH for mount in mounts):
        return container
    return {**container, "volumeMounts": [*mounts, {"name": volume, "readOnly": True, "mountPath": TOKEN_PATH}]}


def _has(container: Obj, volume: str) -> bool:
    return any(mount.get("name") == volume for mount in container.get("volumeMounts") or ())


def _token_volume() -> dict[str, Any]:
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                    ]
                }
            },
        ],
        "defaultMode": 420,
    }


def priority(context: Context, at: Attributes, pod: Obj, old: Obj | None) -> Obj:
    """Give a Pod the number and the preemption policy of its priority class; on an update, those it had."""
    spec = pod["spec"]
    if old is not None:
        if "priority" in spec or "priority" not in old["spec"]:
            return pod
        kept = {key: old["spec"][key] for key in ("priority", "preemptionPolicy") if key in old["spec"]}
        return {**pod, "spec": {**spec, **kept}}
    name, value, policy = _class_of(context, pod)
    if spec.get("priority") not in {None, value}:
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name"
        )
        raise _refused(pod, why)
    if spec.get("preemptionPolicy") not in {None, policy}:
        why = (
            f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name"
        )
        raise _refused(pod, why)
    named = {"priorityClassName": name} if name else {}
    return {**pod, "spec": {**spec, **named, "priority": value, "preemptionPolicy": policy}}


def _class_of(context: Context, pod: Obj) -> tuple[str, int, str]:
    name = pod["spec"].get("priorityClassName") or ""
    if not name:
        defaults = [one for one in context.store.list("priorityclasses.scheduling.k8s.io") if one.get("globalDefault")]
        lowest = min(defaults, key=lambda one: int(one.get("value", 0)), default=None)
        if lowest is None:
            return "", 0, "PreemptLowerPriority"
        name = lowest["metadata"]["name"]
    found = context.store.get(Key("priorityclasses.scheduling.k8s.io", "", name))
    if found is not None:
        return name, int(found.get("value", 0)), found.get("preemptionPolicy") or "PreemptLowerPriority"
    if name in SYSTEM:
        return name, SYSTEM[name], "PreemptLowerPriority"
    raise _refused(pod, f"no PriorityClass with name {name} was found")


def runtime_class(context: Context, at: Attributes, pod: Obj, old: Obj | None) -> Obj:
    """Refuse a Pod whose runtime class is not there; add the overhead and the node selection of one that is."""
    spec = pod["spec"]
    name, given = spec.get("runtimeClassName"), spec.get("overhead")
    found = context.store.get(Key("runtimeclasses.node.k8s.io", "", name)) if name else None
    if name and found is None:
        raise _refused(pod, f'pod rejected: RuntimeClass "{name}" not found')
    overhead = ((found or {}).get("overhead") or {}).get("podFixed")
    if given and not overhead:
        raise _refused(pod, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
    if given and amounts(given) != amounts(overhead):
        raise _refused(pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    added = {"overhead": overhead} if overhead else {}
    return {**pod, "spec": {**spec, **added, **_placed(pod, (found or {}).get("scheduling") or {})}}


def _placed(pod: Obj, scheduling: Obj) -> dict[str, Any]:
    """Return the node selector and the tolerations of a Pod with those of its runtime class."""
    spec, out = pod["spec"], dict[str, Any]()
    have = spec.get("nodeSelector") or {}
    for key, value in sorted((scheduling.get("nodeSelector") or {}).items()):
        if have.get(key, value) != value:
            why = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {have[key]}"
            raise _refused(pod, f"conflict: {why}")
        out["nodeSelector"] = {**out.get("nodeSelector", have), key: value}
    tolerations = spec.get("tolerations") or []
    more = [one for one in scheduling.get("tolerations") or () if one not in tolerations]
    return out | ({"tolerations": [*tolerations, *more]} if more else {})


def default_tolerations(context: Context, at: Attributes, pod: Obj, old: Obj | None) -> Obj:
    """Let a Pod stay 300 s on a node that fails, when it says nothing of that itself."""
    have = pod["spec"].get("tolerations") or []
    missing = [key for key in TOLERATED if not any(_tolerates(toleration, key) for toleration in have)]
    if not missing:
        return pod
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS}
        for key in missing
    ]
    return {**pod, "spec": {**pod["spec"], "tolerations": [*have, *added]}}


def _tolerates(toleration: Obj, key: str) -> bool:
    return toleration.get("key", "") in {key, ""} and toleration.get("effect", "") in {"NoExecute", ""}
