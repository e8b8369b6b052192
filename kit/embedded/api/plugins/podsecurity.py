"""PodSecurity: holds Pods to the level their namespace's labels ask for.

Models k8s.io/pod-security-admission/admission/admission.go and api/helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kit.embedded.api.attributes import Attributes, called
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj
from kit.kube import podsecurity, status

PREFIX = "pod-security.kubernetes.io/"
MODES = ("enforce", "audit", "warn")


class Level(NamedTuple):
    """A level in a version of the standard."""

    name: str = "privileged"
    version: str = "latest"

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


def level_of(labels: Mapping[str, str], mode: str) -> Level:
    """Return the level a namespace asks for in a mode; what is not understood there counts as the strictest."""
    name, version = labels.get(PREFIX + mode, "privileged"), labels.get(f"{PREFIX}{mode}-version", "latest")
    if name not in podsecurity.LEVELS:
        name = "restricted"
    return Level(name, version if _version(version) else "latest")


def _version(text: str) -> bool:
    return text == "latest" or (text.startswith("v1.") and text[3:].isdigit() and text[3:].isascii())


# --- Pods ---

IMAGES = ("initContainers", "containers")
SEEN = ("seccomp.security.alpha.kubernetes.io/", "container.seccomp.security.alpha.kubernetes.io/", podsecurity.ARMOR)


def check_pod(context: Context, at: Attributes, pod: Obj, old: Obj | None) -> None:
    """Refuse a Pod that violates the enforced level; warn of the level that is only warned of."""
    if old is not None and not at.subresource and not _matters(pod, old):
        return
    labels, enforced = _labels(context, at), level_of(_labels(context, at), "enforce")
    wrong = _complaints(enforced, pod)
    if wrong:
        name = called(pod) if old is None else at.name
        raise status.forbidden(at.resource, name, f'violates PodSecurity "{enforced}": {", ".join(wrong)}')
    _warn(at, labels, pod)


def _labels(context: Context, at: Attributes) -> Mapping[str, str]:
    namespace = context.store.get(Key("namespaces", "", at.namespace)) or {"metadata": {}}
    return namespace["metadata"].get("labels") or {}


def _complaints(level: Level, pod: Obj) -> list[str]:
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    return podsecurity.complaints(level.name, level.version, annotations, pod["spec"])


def _warn(at: Attributes, labels: Mapping[str, str], pod: Obj) -> None:
    level = level_of(labels, "warn")
    wrong = _complaints(level, pod)
    if wrong:
        at.warnings.append(f'would violate PodSecurity "{level}": {", ".join(wrong)}')


def _matters(pod: Obj, old: Obj) -> bool:
    """Return whether an update changes what the checks look at: images, and the annotations of profiles."""
    return _looked_at(pod) != _looked_at(old)


def _looked_at(pod: Obj) -> object:
    annotations = pod["metadata"].get("annotations") or {}
    profiles = {key: value for key, value in annotations.items() if key.startswith(SEEN)}
    return profiles, [[one.get("image") for one in pod["spec"].get(field) or ()] for field in IMAGES]


# --- what makes Pods ---


def check_template(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Warn of a Pod template that violates the level warned of; nothing is refused."""
    template = obj["template"] if at.key.resource == "podtemplates" else _template(obj)
    if template.get("spec"):
        _warn(at, _labels(context, at), template)


def _template(obj: Obj) -> Obj:
    spec = obj.get("spec") or {}
    spec = (spec.get("jobTemplate") or {}).get("spec") or spec
    return spec.get("template") or {}


TEMPLATED = frozenset(
    {
        "cronjobs.batch",
        "daemonsets.apps",
        "deployments.apps",
        "jobs.batch",
        "podtemplates",
        "replicasets.apps",
        "replicationcontrollers",
        "statefulsets.apps",
    }
)

# --- namespaces ---


def check_namespace(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Refuse labels nobody understands; warn of the Pods that violate a level newly enforced."""
    labels, before = _own(obj), _own(old)
    causes = list(_faults(labels))
    if causes and (old is None or causes != list(_faults(before))):
        raise status.invalid("", "Namespace", obj["metadata"].get("name", ""), causes)
    if old is None:
        return
    level, was = level_of(labels, "enforce"), level_of(before, "enforce")
    rank = podsecurity.LEVELS.index
    relaxed = level.version == was.version and rank(level.name) <= rank(was.name)
    if level != was and level.name != "privileged" and not relaxed:
        at.warnings += _warnings(context, at.name, level)


def _own(namespace: Obj | None) -> Mapping[str, str]:
    return ((namespace or {}).get("metadata") or {}).get("labels") or {}


def _faults(labels: Mapping[str, str]) -> Iterator[status.Cause]:
    for mode in MODES:
        key = PREFIX + mode
        if labels.get(key, "privileged") not in podsecurity.LEVELS:
            yield status.invalid_value(
                f"metadata.labels[{key}]", labels[key], f"must be one of {', '.join(podsecurity.LEVELS)}"
            )
        key += "-version"
        if key in labels and not _version(labels[key]):
            yield status.invalid_value(f"metadata.labels[{key}]", labels[key], 'must be "latest" or "v1.x"')


def _warnings(context: Context, namespace: str, level: Level) -> list[str]:
    """Return which Pods violate a level, those that do so alike together."""
    alike: dict[str, list[str]] = {}
    for pod in context.store.list("pods", namespace):
        wrong = _complaints(level, pod)
        if wrong:
            alike.setdefault(podsecurity.reasons(wrong), []).append(pod["metadata"]["name"])
    if not alike:
        return []
    first = f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{level}"'
    return [first, *sorted(f"{_some(names)}: {why}" for why, names in alike.items())]


def _some(names: list[str]) -> str:
    more = len(names) - 1
    if not more:
        return names[0]
    return f"{names[0]} (and {more} other {'pod' if more == 1 else 'pods'})"
