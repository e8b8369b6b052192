"""Validation of roles and their bindings. Models pkg/apis/rbac/validation/validation.go."""

from __future__ import annotations

from kit.kube import selectors, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj
from kit.kube.validation.internal import internal

GROUP = "rbac.authorization.k8s.io"
ROLE_REF = "io.k8s.api.rbac.v1.RoleRef"


def role(obj: Obj, out: Causes) -> None:
    """Check a Role."""
    _rules(obj, namespaced=True, out=out)


def cluster_role(obj: Obj, out: Causes) -> None:
    """Check a ClusterRole."""
    _rules(obj, namespaced=False, out=out)
    rule = obj.get("aggregationRule")
    if rule is None:
        return
    if not rule.get("clusterRoleSelectors"):
        why = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        out.append(status.required("aggregationRule.clusterRoleSelectors", why))
    for index, selector in enumerate(rule.get("clusterRoleSelectors") or ()):
        at = f"aggregationRule.clusterRoleSelectors[{index}]"
        found = selectors.complaints(selector, at)
        out.extend(found)
        if found:
            out.append(status.invalid_value(at, None, "invalid label selector."))


def _rules(obj: Obj, *, namespaced: bool, out: Causes) -> None:
    for index, rule in enumerate(obj.get("rules") or ()):
        at = f"rules[{index}]"
        if not rule.get("verbs"):
            out.append(status.required(f"{at}.verbs"))
        if rule.get("nonResourceURLs"):
            _paths(rule, at, namespaced, out)
            continue
        if not rule.get("apiGroups"):
            out.append(status.required(f"{at}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.get("resources"):
            out.append(status.required(f"{at}.resources", "resource rules must supply at least one resource"))


def _paths(rule: Obj, at: str, namespaced: bool, out: Causes) -> None:
    urls = rule["nonResourceURLs"]
    if namespaced:
        why = "namespaced rules cannot apply to non-resource URLs"
        out.append(status.invalid_value(f"{at}.nonResourceURLs", urls, why))
    if any(rule.get(key) for key in ("apiGroups", "resources", "resourceNames")):
        why = "rules cannot apply to both regular resources and non-resource URLs"
        out.append(status.invalid_value(f"{at}.nonResourceURLs", urls, why))


def role_binding(obj: Obj, out: Causes) -> None:
    """Check a RoleBinding."""
    _binding(obj, ("Role", "ClusterRole"), out)


def cluster_role_binding(obj: Obj, out: Causes) -> None:
    """Check a ClusterRoleBinding."""
    _binding(obj, ("ClusterRole",), out)


def _binding(obj: Obj, kinds: tuple[str, ...], out: Causes) -> None:
    ref = obj.get("roleRef") or {}
    if (ref.get("apiGroup") or "") != GROUP:
        out.append(status.not_supported("roleRef.apiGroup", ref.get("apiGroup") or "", (GROUP,)))
    checks.always_one_of(*kinds)(ref.get("kind"), "roleRef.kind", out)
    if not ref.get("name"):
        out.append(status.required("roleRef.name"))
    for index, subject in enumerate(obj.get("subjects") or ()):
        _subject(subject, f"subjects[{index}]", namespaced=len(kinds) > 1, out=out)


def _subject(subject: Obj, at: str, *, namespaced: bool, out: Causes) -> None:
    kind, group = subject.get("kind") or "", subject.get("apiGroup") or ""
    if not subject.get("name"):
        out.append(status.required(f"{at}.name"))
    if kind == "ServiceAccount":
        checks.subdomain(subject.get("name"), f"{at}.name", out)
        if group:
            out.append(status.not_supported(f"{at}.apiGroup", group, ("",)))
        if not namespaced and not subject.get("namespace"):
            out.append(status.required(f"{at}.namespace"))
    elif kind in {"User", "Group"}:
        if group != GROUP:
            out.append(status.not_supported(f"{at}.apiGroup", group, (GROUP,)))
    else:
        out.append(status.not_supported(f"{at}.kind", kind, ("ServiceAccount", "User", "Group")))


def keep_role(new: Obj, old: Obj, out: Causes) -> None:
    """Want a binding that stays to its role."""
    if new.get("roleRef") != old.get("roleRef"):
        out.append(status.immutable("roleRef", _shown(new.get("roleRef") or {})))


def _shown(ref: Obj) -> object:
    return internal(ref, ROLE_REF)
