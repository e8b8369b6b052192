"""What a node may: what the ClusterRole `system:node` lists, and of secrets and the like only what its own Pods name.

Models plugin/pkg/auth/authorizer/node (node_authorizer.go, graph.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kit.embedded.api.attributes import User
from kit.embedded.core.store import Key, Obj, Store
from kit.kube.rbac import Question, allows

PREFIX = "system:node:"
GROUP = "system:nodes"
UNKNOWN = "-"
"""Said where the node rules do not speak of a thing at all: RBAC is asked."""
ROLE = Key("clusterroles.rbac.authorization.k8s.io", "", "system:node")
READS = frozenset({"get", "list", "watch"})
OWN_VERBS = frozenset({"get", "create", "update", "patch", "delete"})
OWN = "can only access {} with the same name as the requesting node"


def name_of(user: User) -> str:
    """Return the name of the node that a user is, "" when it is none."""
    return user.name[len(PREFIX) :] if user.name.startswith(PREFIX) and GROUP in user.groups else ""


def refusal(store: Store, node: str, about: Question) -> str:
    """Return why a node may not, "" when it may."""
    check = None if about.path else CHECKS.get((about.group, about.resource))
    why = check(store, node, about) if check else UNKNOWN
    if why != UNKNOWN:
        return why
    role = store.get(ROLE) or {}
    return "" if any(allows(rule, about) for rule in role.get("rules") or ()) else UNKNOWN


def _unrelated(node: str) -> str:
    return f"no relationship found between node '{node}' and this object"


def _named(store: Store, node: str, about: Question) -> str:
    """Refuse what no Pod of the node names."""
    if about.verb not in READS:
        return "can only read resources of this type"
    if about.subresource:
        return "cannot read subresource"
    return _related(store, node, about)


def _got(store: Store, node: str, about: Question) -> str:
    if about.verb != "get":
        return "can only get individual resources of this type"
    return "cannot get subresource" if about.subresource else _related(store, node, about)


def _related(store: Store, node: str, about: Question) -> str:
    if not about.name:
        return "No Object name found"
    known = REFERENCES[about.resource]
    found = any(about.name in known(store, pod) for pod in _pods(store, node, about.namespace))
    return "" if found else _unrelated(node)


def _pods(store: Store, node: str, namespace: str) -> Iterator[Obj]:
    for pod in store.list("pods", namespace or None):
        if pod["spec"].get("nodeName") == node:
            yield pod


def _own_pods(store: Store, node: str, about: Question) -> str:
    if about.verb in {"list", "watch"} and not about.name:
        return (
            "" if about.selects("spec.nodeName", node) else "can only list/watch pods with spec.nodeName field selector"
        )
    if about.verb not in READS or about.subresource:
        return UNKNOWN
    pod = store.get(Key("pods", about.namespace, about.name))
    return "" if pod is not None and pod["spec"].get("nodeName") == node else _unrelated(node)


def _own_node(store: Store, node: str, about: Question) -> str:
    if about.verb not in READS or about.subresource:
        return UNKNOWN
    if about.name == node or about.selects("metadata.name", node):
        return ""
    which = f"'{about.name}'" if about.name else "all nodes"
    return f"node '{node}' cannot read {which}, only its own Node object"


def _token(store: Store, node: str, about: Question) -> str:
    if about.subresource != "token":
        return UNKNOWN
    if about.verb != "create" or not about.name:
        return "can only create tokens for individual service accounts"
    pods = _pods(store, node, about.namespace)
    return "" if any(pod["spec"].get("serviceAccountName") == about.name for pod in pods) else _unrelated(node)


def _lease(store: Store, node: str, about: Question) -> str:
    if about.verb not in OWN_VERBS:
        return "can only get, create, update, patch, or delete a node lease"
    if about.namespace != "kube-node-lease":
        return 'can only access leases in the "kube-node-lease" system namespace'
    return OWN.format("node lease") if about.verb != "create" and about.name != node else ""


def _csi_node(store: Store, node: str, about: Question) -> str:
    if about.verb not in OWN_VERBS or about.subresource:
        return "can only get, create, update, patch, or delete a CSINode"
    return OWN.format("CSINode") if about.verb != "create" and about.name != node else ""


CHECKS: Mapping[tuple[str, str], Callable[[Store, str, Question], str]] = {
    ("", "configmaps"): _named,
    ("", "secrets"): _named,
    ("", "persistentvolumeclaims"): lambda store, node, about: (
        UNKNOWN if about.subresource else _got(store, node, about)
    ),
    ("", "persistentvolumes"): _got,
    ("", "pods"): _own_pods,
    ("", "nodes"): _own_node,
    ("", "serviceaccounts"): _token,
    ("coordination.k8s.io", "leases"): _lease,
    ("storage.k8s.io", "csinodes"): _csi_node,
}


# --- what a Pod names ---


def config_maps(store: Store, pod: Obj) -> set[str]:
    """Return the names of the ConfigMaps a Pod refers to."""
    return set(_references(pod, "configMap", "configMapRef", "configMapKeyRef")) - {""}


def secrets(store: Store, pod: Obj) -> set[str]:
    """Return the names of the Secrets a Pod refers to."""
    pulls = {one.get("name", "") for one in pod["spec"].get("imagePullSecrets") or ()}
    return (pulls | set(_references(pod, "secret", "secretRef", "secretKeyRef"))) - {""}


def claims(store: Store, pod: Obj) -> set[str]:
    """Return the names of the PersistentVolumeClaims a Pod refers to."""
    volumes = pod["spec"].get("volumes") or ()
    named = {(one.get("persistentVolumeClaim") or {}).get("claimName", "") for one in volumes}
    made = {f"{pod['metadata'].get('name', '')}-{one['name']}" for one in volumes if "ephemeral" in one}
    return (named | made) - {""}


def _volumes(store: Store, pod: Obj) -> set[str]:
    namespace = pod["metadata"]["namespace"]
    found = (store.get(Key("persistentvolumeclaims", namespace, name)) for name in claims(store, pod))
    return {claim["spec"].get("volumeName", "") for claim in found if claim}


def _references(pod: Obj, volume: str, whole: str, one: str) -> Iterator[str]:
    """Yield the names a Pod's volumes and environment refer to by fields of these names."""
    spec = pod["spec"]
    for source in spec.get("volumes") or ():
        for part in (source, *((source.get("projected") or {}).get("sources") or ())):
            found = part.get(volume) or {}
            yield found.get("secretName") or found.get("name") or ""
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for entry in container.get("envFrom") or ():
            yield (entry.get(whole) or {}).get("name", "")
        for entry in container.get("env") or ():
            yield ((entry.get("valueFrom") or {}).get(one) or {}).get("name", "")


REFERENCES: Mapping[str, Callable[[Store, Obj], set[str]]] = {
    "configmaps": config_maps,
    "secrets": secrets,
    "persistentvolumeclaims": claims,
    "persistentvolumes": _volumes,
}
