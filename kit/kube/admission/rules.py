"""Which requests the rules of webhooks and policies are about.

Models k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules/rules.go and admission/plugin/policy/matching/matching.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kit.kube.selectors import of_object

Rule = Mapping[str, Any]
GROUP: Final = "admissionregistration.k8s.io"


@dataclass(frozen=True, slots=True)
class About:
    """One request as rules see it; `versions` are all the group versions that serve its objects."""

    operation: str
    group: str
    version: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    versions: tuple[tuple[str, str], ...] = ()

    @property
    def exempt(self) -> bool:
        """Return whether nothing of this kind may rule: it is the configuration of admission itself."""
        return self.group == GROUP


def first(rules: Iterable[Rule], about: About) -> bool:
    """Return whether one of the rules is about a request as it was made."""
    return any(_matches(rule, about) for rule in rules)


def matched(rules: Sequence[Rule], about: About, policy: str) -> About | None:
    """Return the request as the rules ask for it: in another version too, unless `policy` is Exact; None when they do not."""
    if first(rules, about):
        return about
    if policy == "Exact":
        return None
    others = (replace(about, group=group, version=version) for group, version in about.versions)
    return next((other for other in others if first(rules, other)), None)


def _matches(rule: Rule, about: About) -> bool:
    return (
        _has(rule.get("operations"), about.operation)
        and _has(rule.get("apiGroups"), about.group)
        and _has(rule.get("apiVersions"), about.version)
        and _in_scope(rule.get("scope") or "*", about)
        and any(_names(text, about) for text in rule.get("resources") or ())
        and (not rule.get("resourceNames") or about.name in rule["resourceNames"])
    )


def _has(words: Any, word: str) -> bool:
    return "*" in (words or ()) or word in (words or ())


def _in_scope(scope: str, about: About) -> bool:
    inside = bool(about.namespace) and about.resource != "namespaces"
    return scope == "*" or inside == (scope == "Namespaced")


def _names(text: str, about: About) -> bool:
    resource, _, subresource = text.partition("/")
    return resource in {"*", about.resource} and subresource in {"*", about.subresource}


def selects(selector: Any, *labels: Mapping[str, str] | None) -> bool:
    """Return whether a selector takes one of these, of which None is none at all; no selector and an empty one take all."""
    found = of_object(selector or {})
    return found.empty or any(one is not None and found.matches(one) for one in labels)
