"""Warnings about Pods and templates of Pods. Models pkg/api/pod/warnings.go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kit.kube import names
from kit.kube.quantities import Quantity

Obj = Mapping[str, Any]

LABELS: Final[Mapping[str, str]] = {
    key: f'deprecated since {since}; use "{instead}" instead'
    for key, since, instead in (
        ("beta.kubernetes.io/arch", "v1.14", "kubernetes.io/arch"),
        ("beta.kubernetes.io/os", "v1.14", "kubernetes.io/os"),
        ("failure-domain.beta.kubernetes.io/region", "v1.17", "topology.kubernetes.io/region"),
        ("failure-domain.beta.kubernetes.io/zone", "v1.17", "topology.kubernetes.io/zone"),
        ("beta.kubernetes.io/instance-type", "v1.17", "node.kubernetes.io/instance-type"),
    )
}
ANNOTATIONS: Final[Mapping[str, str]] = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "seccomp.security.alpha.kubernetes.io/pod": 'non-functional in v1.27+; use the "seccompProfile" field instead',
}
PREFIXES: Final[Mapping[str, str]] = {
    "container.seccomp.security.alpha.kubernetes.io/": 'non-functional in v1.27+; use the "seccompProfile" field instead',
    "container.apparmor.security.beta.kubernetes.io/": 'deprecated since v1.30; use the "appArmorProfile" field instead',
}
VOLUMES: Final[Mapping[str, tuple[str, str]]] = {
    "gitRepo": ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "flocker": ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    "photonPersistentDisk": ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
}
HOSTNAME: Final = "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: "
NO_SELECTOR: Final = "a null labelSelector results in matching no pod"
NEGATIVE: Final = "must be >= 0; negative values are invalid and will be treated as 1"
REQUIRED, PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)


def pod(obj: Obj) -> Iterator[str]:
    """Yield what is said of a Pod."""
    complaints = names.label(obj["metadata"].get("name") or "x")
    if complaints and not obj["spec"].get("hostname"):
        yield f"{HOSTNAME}[{' '.join(complaints)}]"
    yield from described(obj, "")


def template(obj: Obj, at: str) -> Iterator[str]:
    """Yield what is said of a template at a path."""
    if obj:
        yield from described(obj, f"{at}.")


def described(obj: Obj, at: str) -> Iterator[str]:
    """Yield what is said of the metadata and the spec of a Pod."""
    spec, where = obj.get("spec") or {}, f"{at}spec"
    for key in spec.get("nodeSelector") or {}:
        if key in LABELS:
            yield f"{where}.nodeSelector[{key}]: {LABELS[key]}"
    yield from _affinity(spec.get("affinity") or {}, f"{where}.affinity")
    for index, spread in enumerate(spec.get("topologySpreadConstraints") or ()):
        place = f"{where}.topologySpreadConstraints[{index}]"
        yield from _label(spread.get("topologyKey"), f"{place}.topologyKey")
        if spread.get("labelSelector") is None:
            yield f"{place}.labelSelector: {NO_SELECTOR}"
    yield from _annotations((obj.get("metadata") or {}).get("annotations") or {}, f"{at}metadata.annotations")
    yield from _names(spec, where)
    yield from _volumes(spec, where)
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield from _container(container, f"{where}.{kind}[{index}]")
    yield from fractions(spec.get("overhead"), f"{where}.overhead")
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        yield f"{where}.terminationGracePeriodSeconds: {NEGATIVE}"
    yield from _ports(spec, where)


def _label(key: Any, at: str) -> Iterator[str]:
    if key in LABELS:
        yield f"{at}: {key} is {LABELS[key]}"


def _affinity(affinity: Obj, at: str) -> Iterator[str]:
    nodes = affinity.get("nodeAffinity") or {}
    yield from terms(nodes.get(REQUIRED), f"{at}.nodeAffinity.{REQUIRED}")
    for index, one in enumerate(nodes.get(PREFERRED) or ()):
        yield from _term(one.get("preference") or {}, f"{at}.nodeAffinity.{PREFERRED}[{index}].preference")
    for kind in ("podAffinity", "podAntiAffinity"):
        given = affinity.get(kind) or {}
        listed = [(term, f"{at}.{kind}.{REQUIRED}[{i}]") for i, term in enumerate(given.get(REQUIRED) or ())]
        listed += [
            (one.get("podAffinityTerm") or {}, f"{at}.{kind}.{PREFERRED}[{i}].podAffinityTerm")
            for i, one in enumerate(given.get(PREFERRED) or ())
        ]
        for term, place in listed:
            if term.get("labelSelector") is None:
                yield f"{place}.labelSelector: {NO_SELECTOR}"


def terms(selector: Obj | None, at: str) -> Iterator[str]:
    """Yield what is said of the terms of a node selector."""
    for index, term in enumerate((selector or {}).get("nodeSelectorTerms") or ()):
        yield from _term(term, f"{at}.nodeSelectorTerms[{index}]")


def _term(term: Obj, at: str) -> Iterator[str]:
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        yield from _label(expression.get("key"), f"{at}.matchExpressions[{index}].key")


def _annotations(given: Obj, at: str) -> Iterator[str]:
    for key in given:
        said = ANNOTATIONS.get(key) or next((text for head, text in PREFIXES.items() if key.startswith(head)), "")
        if said:
            yield f"{at}[{key}]: {said}"


def _names(spec: Obj, at: str) -> Iterator[str]:
    """Yield what is said of names that stand twice or are empty: of hosts, of pull secrets."""
    yield from _twice(spec.get("hostAliases") or (), "ip", f"{at}.hostAliases")
    secrets = spec.get("imagePullSecrets") or ()
    yield from _twice([one for one in secrets if one.get("name")], "name", f"{at}.imagePullSecrets", of=secrets)
    for index, one in enumerate(secrets):
        if not one.get("name"):
            yield f'{at}.imagePullSecrets[{index}].name: invalid empty name ""'


def _twice(items: Any, key: str, at: str, of: Any = None) -> Iterator[str]:
    seen: set[str] = set()
    for index, one in enumerate(items if of is None else of):
        if one not in items:
            continue
        if one.get(key) in seen:
            yield f'{at}[{index}].{key}: duplicate {key} "{one.get(key)}"'
        seen.add(one.get(key))


def _volumes(spec: Obj, at: str) -> Iterator[str]:
    for index, volume in enumerate(spec.get("volumes") or ()):
        for key, (shown, said) in VOLUMES.items():
            if key in volume:
                yield f"{at}.volumes[{index}].{shown}: {said}"
        for source in (volume.get("projected") or {}).get("sources") or ():
            if not any(value is not None for value in source.values()):
                yield f'volume "{volume.get("name")}" (Projected) has no sources provided'
        claim = ((volume.get("ephemeral") or {}).get("volumeClaimTemplate") or {}).get("spec") or {}
        yield from claim_fractions(claim, f"{at}.volumes[{index}].ephemeral.volumeClaimTemplate.spec")


def claim_fractions(spec: Obj, at: str) -> Iterator[str]:
    """Yield what is said of the sizes a claim asks for."""
    for kind in ("requests", "limits"):
        yield from fractions((spec.get("resources") or {}).get(kind), f"{at}.resources.{kind}")


def fractions(given: Obj | None, at: str) -> Iterator[str]:
    """Yield what is said of amounts of bytes that are no whole numbers."""
    for name in ("memory", "ephemeral-storage", "storage"):
        value = (given or {}).get(name)
        if value is not None and Quantity.parse(value).nano % 10**9:
            yield f'{at}[{name}]: fractional byte value "{value}" is invalid, must be an integer'


def _container(container: Obj, at: str) -> Iterator[str]:
    seen: dict[str, str] = {}
    for index, one in enumerate(container.get("env") or ()):
        name, value = one.get("name", ""), one.get("value") or ""
        if name in seen and f"$({name})" not in value:
            yield f'{at}.env[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen[name] = value
    resources = container.get("resources") or {}
    for name in ("memory", "ephemeral-storage"):
        for kind in ("limits", "requests"):
            value = (resources.get(kind) or {}).get(name)
            yield from fractions({name: value} if value is not None else None, f"{at}.resources.{kind}")


def _ports(spec: Obj, at: str) -> Iterator[str]:
    """Yield what is said of ports that are listed twice in a Pod, or almost."""
    known: dict[tuple[Any, Any], list[tuple[str, Any, Any]]] = {}
    for number, container in enumerate(spec.get("containers") or ()):
        for index, port in enumerate(container.get("ports") or ()):
            place = f"{at}.containers[{number}].ports[{index}]"
            ip, host, protocol = port.get("hostIP") or "", port.get("hostPort") or 0, port.get("protocol") or "TCP"
            if ip and not host:
                shown = f"Name:{port.get('name') or ''} HostPort:0 ContainerPort:{port.get('containerPort')}"
                yield f"{place}: hostIP set without hostPort: {{{shown} Protocol:{protocol} HostIP:{ip}}}"
            others = known.setdefault((port.get("containerPort"), protocol), [])
            for where, other_ip, other_host in others:
                how = _clash(ip, host, other_ip, other_host)
                if how:
                    yield f"{place}: {how} port definition with {where}"
            others.append((place, ip, host))


def _clash(ip: str, host: int, other_ip: str, other_host: int) -> str:
    if (ip, host) == (other_ip, other_host):
        return "duplicate"
    if not host or not other_host:
        return "overlapping"
    return "dangerously ambiguous" if host == other_host and bool(ip) != bool(other_ip) else ""
