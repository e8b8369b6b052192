"""Which Pod of a StatefulSet is which: name, number, claims. Models pkg/controller/statefulset/stateful_set_utils.go."""

from __future__ import annotations

import re

from kit.embedded.core.store import Obj
from kit.embedded.parts import podcontrol
from kit.embedded.parts.history import HASH
from kit.kube import copies

NAME = "statefulset.kubernetes.io/pod-name"
INDEX = "apps.kubernetes.io/pod-index"
_NAMED = re.compile(r"(.*)-([0-9]+)$")


def ordinal(pod: Obj) -> int:
    """Return the number at the end of a Pod's name, -1 when there is none."""
    found = _NAMED.match(pod["metadata"]["name"])
    return int(found[2]) if found else -1


def is_member(pod: Obj, parent: Obj) -> bool:
    """Say whether a Pod is named as one of the StatefulSet's."""
    found = _NAMED.match(pod["metadata"]["name"])
    return found is not None and found[1] == parent["metadata"]["name"]


def span(parent: Obj) -> range:
    """Return the numbers that a StatefulSet wants Pods for."""
    start = (parent["spec"].get("ordinals") or {}).get("start", 0)
    return range(start, start + parent["spec"].get("replicas", 1))


def labels(parent: Obj, number: int) -> dict[str, str]:
    """Return the labels that tell a Pod from its siblings."""
    return {NAME: f"{parent['metadata']['name']}-{number}", INDEX: str(number)}


def pod_of(parent: Obj, template: Obj, revision: str, number: int) -> Obj:
    """Return the Pod with that number, of the template of a revision."""
    pod = podcontrol.pod_of(parent, template)
    metadata, spec = pod["metadata"], pod["spec"]
    metadata["name"] = f"{parent['metadata']['name']}-{number}"
    metadata["labels"] = {**(metadata.get("labels") or {}), **labels(parent, number), HASH: revision}
    spec["hostname"] = metadata["name"]
    if parent["spec"].get("serviceName"):
        spec["subdomain"] = parent["spec"]["serviceName"]
    names = claim_names(parent, number)
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in names.items()]
    volumes += [one for one in spec.get("volumes") or () if one["name"] not in names]
    return {**pod, "spec": {**spec, **({"volumes": volumes} if volumes else {})}}


def revision_of(pod: Obj) -> str:
    """Return the name of the revision a Pod was made of."""
    return str((pod["metadata"].get("labels") or {}).get(HASH, ""))


def claim_names(parent: Obj, number: int) -> dict[str, str]:
    """Return, for each claim template, the name of the claim of the Pod with that number."""
    names = [template["metadata"]["name"] for template in parent["spec"].get("volumeClaimTemplates") or ()]
    return {name: f"{name}-{parent['metadata']['name']}-{number}" for name in names}


def claims(parent: Obj, number: int) -> list[Obj]:
    """Return the claims that the Pod with that number needs."""
    shared = parent["spec"]["selector"].get("matchLabels") or {}
    names, out = claim_names(parent, number), []
    for template in parent["spec"].get("volumeClaimTemplates") or ():
        claim = copies.deep(template)
        metadata = claim["metadata"]
        name, namespace = names[metadata["name"]], parent["metadata"]["namespace"]
        claim["metadata"] = {**metadata, "name": name, "namespace": namespace}
        claim["metadata"]["labels"] = {**(metadata.get("labels") or {}), **shared}
        claim.pop("status", None)
        out.append({**claim, "apiVersion": "v1", "kind": "PersistentVolumeClaim"})
    return out
