"""What rules of roles allow, and whether some rules cover others.

Models pkg/apis/rbac/v1/evaluation_helpers.go and pkg/registry/rbac/validation (policy_comparator.go, policy_compact.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit.kube.gotext import go_quoted

Rule = Mapping[str, Any]
EVERYTHING: Sequence[Rule] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)


@dataclass(frozen=True, slots=True)
class Question:
    """May a user do `verb`? About a resource, or with `path` about a URL."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    selector: str = ""

    def selects(self, field: str, value: str) -> bool:
        """Return whether the question is only about objects whose field has this value."""
        return f"{field}={value}" in self.selector.replace("==", "=").split(",")


def allows(rule: Rule, about: Question) -> bool:
    """Return whether one rule grants what is asked."""
    if not _has(rule.get("verbs"), about.verb):
        return False
    if about.path:
        return any(_path_matches(url, about.path) for url in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), about.group)
        and _allows_resource(rule.get("resources") or (), about)
        and (not names or about.name in names)
    )


def _allows_resource(resources: Any, about: Question) -> bool:
    whole = f"{about.resource}/{about.subresource}" if about.subresource else about.resource
    if "*" in resources or whole in resources:
        return True
    return bool(about.subresource) and f"*/{about.subresource}" in resources


def _has(words: Any, word: str) -> bool:
    return bool(words) and ("*" in words or word in words)


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in {"*", path} or (pattern.endswith("*") and path.startswith(pattern[:-1]))


# --- do some rules cover others ---


def missing(owner: Sequence[Rule], servant: Iterable[Rule]) -> list[Rule]:
    """Return what of `servant` the rules of `owner` do not grant, in the smallest pieces."""
    pieces = (piece for rule in servant for piece in _pieces(rule))
    return [piece for piece in pieces if not any(_covers(rule, piece) for rule in owner)]


def _pieces(rule: Rule) -> Iterator[Rule]:
    verbs = rule.get("verbs") or ()
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                piece = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
                names = rule.get("resourceNames") or ()
                yield from ({**piece, "resourceNames": [name]} for name in names) if names else (piece,)
    for url in rule.get("nonResourceURLs") or ():
        yield from ({"nonResourceURLs": [url], "verbs": [verb]} for verb in verbs)


def _covers(rule: Rule, piece: Rule) -> bool:
    names, wanted = rule.get("resourceNames"), piece.get("resourceNames") or ()
    return (
        _all(rule.get("verbs"), piece.get("verbs"))
        and _all(rule.get("apiGroups"), piece.get("apiGroups"))
        and all(_covers_resource(rule.get("resources") or (), one) for one in piece.get("resources") or ())
        and all(_covers_url(rule.get("nonResourceURLs") or (), one) for one in piece.get("nonResourceURLs") or ())
        and (not names or (bool(wanted) and all(name in names for name in wanted)))
    )


def _all(have: Any, wanted: Any) -> bool:
    have = have or ()
    return "*" in have or all(word in have for word in wanted or ())


def _covers_resource(have: Sequence[str], wanted: str) -> bool:
    _, slash, sub = wanted.partition("/")
    return "*" in have or wanted in have or (bool(slash) and f"*/{sub}" in have)


def _covers_url(have: Sequence[str], wanted: str) -> bool:
    return any(_path_matches(pattern, wanted) for pattern in have)


# --- how they are shown ---


def compacted(rules: Iterable[Rule]) -> list[Rule]:
    """Return rules with the verbs of those about the same thing put together."""
    out: list[Rule] = []
    simple: dict[tuple[str, ...], dict[str, Any]] = {}
    for rule in rules:
        thing = _thing(rule)
        if thing is None:
            out.append(rule)
        elif thing in simple:
            simple[thing]["verbs"] = [*simple[thing]["verbs"], *rule["verbs"]]
        else:
            simple[thing] = dict(rule)
    return [*out, *simple.values()]


def _thing(rule: Rule) -> tuple[str, ...] | None:
    groups, resources, names = (rule.get(key) or () for key in ("apiGroups", "resources", "resourceNames"))
    if len(groups) != 1 or len(resources) != 1 or len(names) > 1 or rule.get("nonResourceURLs"):
        return None
    return (*groups, *resources, *names)


_SHOWN = {
    "apiGroups": "APIGroups",
    "resources": "Resources",
    "nonResourceURLs": "NonResourceURLs",
    "resourceNames": "ResourceNames",
    "verbs": "Verbs",
}


def text(rule: Rule) -> str:
    """Return a rule as messages show it."""
    parts = (f"{label}:{words(rule[key])}" for key, label in _SHOWN.items() if rule.get(key))
    return "{" + ", ".join(parts) + "}"


def words(listed: Iterable[str]) -> str:
    """Return texts as Go prints a list of them in quotes."""
    return "[" + " ".join(go_quoted(word) for word in listed) + "]"
