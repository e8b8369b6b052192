"""NodeRestriction: a node writes only about itself and its own Pods, whatever its role allows.

Models plugin/pkg/admission/noderestriction/admission.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kit.embedded.api import nodeauth
from kit.embedded.api.attributes import Attributes, called
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.errors import Status
from kit.kube import pods, status

RESTRICTED = "node-restriction.kubernetes.io"
KUBELET_LABELS = frozenset(
    {
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
    }
)
KUBELET_PREFIXES = ("kubelet.kubernetes.io", "node.kubernetes.io")
OTHERS = ("kubernetes.io", "k8s.io")
STATUS = 'node "{}" can only update pod status for pods with spec.nodeName set to itself'


def check(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Refuse what a node may not write; `obj` is posted to a subresource, or the object itself."""
    node = nodeauth.name_of(at.user)
    rule = RULES.get((at.key.resource, at.subresource)) if node else None
    why = rule(context, at, node, obj, old) if rule else ""
    if why:
        raise _refused(at, obj, why)
    return obj


def check_delete(context: Context, at: Attributes, old: Obj) -> None:
    """Refuse to delete what is not the node's own."""
    node = nodeauth.name_of(at.user)
    why = ""
    if node and at.key.resource == "pods" and old["spec"].get("nodeName") != node:
        why = f'node "{node}" can only delete pods with spec.nodeName set to itself'
    elif node and at.key.resource == "nodes" and at.name != node:
        why = f'node "{node}" is not allowed to modify node "{at.name}"'
    if why:
        raise _refused(at, old, why)


def _refused(at: Attributes, obj: Obj, why: str) -> Status:
    return status.forbidden(at.resource, at.name or called(obj), why)


# --- Pods ---


def _pod(context: Context, at: Attributes, node: str, pod: Obj, old: Obj | None) -> str:
    if old is not None:
        return ""
    if pods.MIRROR not in (pod["metadata"].get("annotations") or {}):
        return f'pod does not have "{pods.MIRROR}" annotation, node "{node}" can only create mirror pods'
    if pod["spec"].get("nodeName") != node:
        return f'node "{node}" can only create pods with spec.nodeName set to itself'
    return _owner(node, pod) or _mirrored(context, node, pod)


def _owner(node: str, pod: Obj) -> str:
    owners = pod["metadata"].get("ownerReferences") or []
    if len(owners) > 1:
        return f'node "{node}" can only create pods with a single owner reference set to itself'
    mine = {"apiVersion": "v1", "kind": "Node", "name": node}
    if not owners or any(owners[0].get(key) != value for key, value in mine.items()):
        return f'node "{node}" can only create pods with an owner reference set to itself'
    if not owners[0].get("controller"):
        return f'node "{node}" can only create pods with a controller owner reference set to itself'
    if owners[0].get("blockOwnerDeletion"):
        return f'node "{node}" must not set blockOwnerDeletion on an owner reference'
    return ""


def _mirrored(context: Context, node: str, pod: Obj) -> str:
    """Refuse a mirror Pod that refers to objects of the API."""
    for what, names in (
        ("configmaps", nodeauth.config_maps(context.store, pod)),
        ("persistentvolumeclaims", nodeauth.claims(context.store, pod)),
    ):
        if names:
            return f'node "{node}" can not create pods that reference {what}'
    return ""


def _pod_status(context: Context, at: Attributes, node: str, pod: Obj, old: Obj | None) -> str:
    if old is None or old["spec"].get("nodeName") != node:
        return STATUS.format(node)
    if (pod["metadata"].get("labels") or {}) != (old["metadata"].get("labels") or {}):
        return f'node "{node}" cannot update labels through pod status'
    return ""


def _eviction(context: Context, at: Attributes, node: str, eviction: Obj, old: Obj | None) -> str:
    pod = context.store.get(at.key)
    if pod is not None and pod["spec"].get("nodeName") == node:
        return ""
    return f"node {node} can only evict pods with spec.nodeName set to itself"


# --- Nodes and what is one a node ---


def _node(context: Context, at: Attributes, node: str, obj: Obj, old: Obj | None) -> str:
    name = obj["metadata"].get("name", "")
    if name != node:
        return f'node "{node}" is not allowed to modify node "{name}"'
    labels, before = obj["metadata"].get("labels") or {}, (old or {"metadata": {}})["metadata"].get("labels") or {}
    changed = {key for key in {*labels, *before} if labels.get(key) != before.get(key)}
    listed = ", ".join(sorted(_forbidden(changed)))
    if old is None:
        return f'node "{node}" is not allowed to set the following labels: {listed}' if listed else ""
    if (obj["metadata"].get("ownerReferences") or []) != (old["metadata"].get("ownerReferences") or []):
        return f'node "{node}" is not allowed to modify ownerReferences'
    if _taints(obj) != _taints(old):
        return f'node "{node}" is not allowed to modify taints'
    return f"is not allowed to modify labels: {listed}" if listed else ""


def _taints(node: Obj) -> list[Obj]:
    found: list[Obj] = (node.get("spec") or {}).get("taints") or []
    return found


def _forbidden(labels: Iterable[str]) -> set[str]:
    """Return the labels that are not a node's to set: those of others in Kubernetes' own namespaces."""
    return {key for key in labels if _reserved(key)}


def _reserved(key: str) -> bool:
    space = key.partition("/")[0] if "/" in key else ""
    if _in(space, RESTRICTED):
        return True
    if not any(_in(space, one) for one in OTHERS):
        return False
    return key not in KUBELET_LABELS and not any(_in(space, one) for one in KUBELET_PREFIXES)


def _in(space: str, domain: str) -> bool:
    return space == domain or space.endswith(f".{domain}")


def _named_alike(what: str) -> Callable[..., str]:
    def rule(context: Context, at: Attributes, node: str, obj: Obj, old: Obj | None) -> str:
        return "" if obj["metadata"].get("name") == node else nodeauth.OWN.format(what)

    return rule


def _token(context: Context, at: Attributes, node: str, request: Obj, old: Obj | None) -> str:
    bound = (request.get("spec") or {}).get("boundObjectRef") or {}
    if bound.get("kind") != "Pod" or not bound.get("name"):
        return "node requested token not bound to a pod"
    if not bound.get("uid"):
        return "node requested token with a pod binding without a uid"
    pods = (pod for pod in context.store.list("pods", at.namespace) if pod["metadata"]["name"] == bound["name"])
    if any(pod["spec"].get("nodeName") != node for pod in pods):
        return "node requested token bound to a pod scheduled on a different node"
    return ""


Rule = Callable[[Context, Attributes, str, Obj, "Obj | None"], str]
RULES: Mapping[tuple[str, str], Rule] = {
    ("pods", ""): _pod,
    ("pods", "status"): _pod_status,
    ("pods", "eviction"): _eviction,
    ("nodes", ""): _node,
    ("nodes", "status"): _node,
    ("serviceaccounts", "token"): _token,
    ("leases.coordination.k8s.io", ""): _named_alike("node lease"),
    ("csinodes.storage.k8s.io", ""): _named_alike("CSINode"),
}
