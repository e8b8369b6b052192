"""Validation of what says where a Pod may run: affinity, tolerations, spreading, gates.

Models pkg/apis/core/validation/validation.go (validateAffinity, ValidateTolerations, validateTopologySpreadConstraints).
"""

from __future__ import annotations

from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
WEIGHT: Final = "must be in the range 1-100"
EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
UNSATISFIABLE: Final = ("DoNotSchedule", "ScheduleAnyway")


def affinity(value: Obj, at: str, out: Causes) -> None:
    """Check a Pod's affinity."""
    node = value.get("nodeAffinity")
    if node:
        if node.get(REQUIRED) is not None:
            node_selector(node[REQUIRED], f"{at}.nodeAffinity.{REQUIRED}", out)
        for index, one in enumerate(node.get(PREFERRED) or ()):
            where = f"{at}.nodeAffinity.{PREFERRED}[{index}]"
            _weight(one, where, out)
            _node_term(one.get("preference") or {}, f"{where}.preference", out)
    for key in ("podAffinity", "podAntiAffinity"):
        terms = value.get(key)
        if not terms:
            continue
        for index, one in enumerate(terms.get(REQUIRED) or ()):
            _pod_term(one, f"{at}.{key}.{REQUIRED}[{index}]", out)
        for index, one in enumerate(terms.get(PREFERRED) or ()):
            where = f"{at}.{key}.{PREFERRED}[{index}]"
            _weight(one, where, out)
            _pod_term(one.get("podAffinityTerm") or {}, f"{where}.podAffinityTerm", out)


def _weight(one: Obj, at: str, out: Causes) -> None:
    weight = one.get("weight") or 0
    if not 1 <= weight <= 100:
        out.append(status.invalid_value(f"{at}.weight", weight, WEIGHT))


def node_selector(value: Obj, at: str, out: Causes) -> None:
    """Check the terms by which nodes are chosen."""
    terms = value.get("nodeSelectorTerms") or ()
    if not terms:
        out.append(status.required(f"{at}.nodeSelectorTerms", "must have at least one node selector term"))
    for index, term in enumerate(terms):
        _node_term(term, f"{at}.nodeSelectorTerms[{index}]", out)


def _node_term(term: Obj, at: str, out: Causes) -> None:
    for index, rule in enumerate(term.get("matchExpressions") or ()):
        _node_rule(rule, f"{at}.matchExpressions[{index}]", out)
    for index, rule in enumerate(term.get("matchFields") or ()):
        _node_field(rule, f"{at}.matchFields[{index}]", out)


def _node_rule(rule: Obj, at: str, out: Causes) -> None:
    operator, values = rule.get("operator") or "", rule.get("values") or ()
    if operator in {"In", "NotIn"}:
        if not values:
            out.append(status.required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            out.append(status.forbidden_value(f"{at}.values", why))
    elif operator in {"Gt", "Lt"}:
        if len(values) != 1:
            why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            out.append(status.required(f"{at}.values", why))
    else:
        out.append(status.invalid_value(f"{at}.operator", operator, "not a valid selector operator"))
    checks.name(names.qualified, rule.get("key") or "", f"{at}.key", out)
    for index, value in enumerate(values):
        checks.name(names.label_value, value, f"{at}.values[{index}]", out)


def _node_field(rule: Obj, at: str, out: Causes) -> None:
    operator, values, key = rule.get("operator") or "", rule.get("values") or (), rule.get("key") or ""
    if operator not in {"In", "NotIn"}:
        out.append(status.invalid_value(f"{at}.operator", operator, "not a valid selector operator"))
    elif len(values) != 1:
        why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        out.append(status.required(f"{at}.values", why))
    if key != "metadata.name":
        out.append(status.invalid_value(f"{at}.key", key, "not a valid field selector key"))
        return
    for index, value in enumerate(values):
        checks.name(names.subdomain, value, f"{at}.values[{index}]", out)


def _pod_term(term: Obj, at: str, out: Causes) -> None:
    checks.selector(term.get("labelSelector"), f"{at}.labelSelector", out)
    checks.selector(term.get("namespaceSelector"), f"{at}.namespaceSelector", out)
    for namespace in term.get("namespaces") or ():
        checks.name(names.label, namespace, f"{at}.namespace", out)
    for key in ("matchLabelKeys", "mismatchLabelKeys"):
        _label_keys(term, key, at, out)
    topology(term.get("topologyKey"), f"{at}.topologyKey", out)


def topology(key: Any, at: str, out: Causes) -> None:
    """Want the label key that says what counts as one place."""
    if not key:
        out.append(status.required(at, "can not be empty"))
    checks.name(names.qualified, key or "", at, out)


def _label_keys(owner: Obj, key: str, at: str, out: Causes) -> None:
    given = owner.get(key) or ()
    if given and owner.get("labelSelector") is None:
        out.append(status.forbidden_value(f"{at}.{key}", "must not be specified when labelSelector is not set"))
    for index, one in enumerate(given):
        checks.name(names.qualified, one, f"{at}.{key}[{index}]", out)


def gates(values: list[Obj], at: str, out: Causes) -> None:
    """Check the gates that hold a Pod back from scheduling."""
    seen: set[str] = set()
    for index, gate in enumerate(values):
        name = gate.get("name") or ""
        if not name:
            out.append(status.required(f"{at}[{index}]", "must not be empty"))
        else:
            checks.name(names.qualified, name, f"{at}[{index}]", out)
        if name in seen:
            out.append(status.duplicate(f"{at}[{index}]", name))
        seen.add(name)


def tolerations(values: list[Obj], at: str, out: Causes) -> None:
    """Check which taints a Pod tolerates."""
    for index, one in enumerate(values):
        where = f"{at}[{index}]"
        key, operator, effect = one.get("key"), one.get("operator") or "Equal", one.get("effect") or ""
        if key:
            checks.name(names.qualified, key, f"{where}.key", out)
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            out.append(status.invalid_value(f"{where}.operator", one.get("operator") or "", why))
        if one.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            out.append(status.invalid_value(f"{where}.effect", effect, why))
        _operator(one, operator, where, out)
        if effect and effect not in EFFECTS:
            out.append(status.not_supported(f"{where}.effect", effect, EFFECTS))


def _operator(one: Obj, operator: str, at: str, out: Causes) -> None:
    value = one.get("value") or ""
    if operator == "Equal":
        checks.name(names.label_value, value, f"{at}.operator", out)
    elif operator == "Exists":
        if value:
            why = "value must be empty when `operator` is 'Exists'"
            out.append(status.invalid_value(f"{at}.operator", value, why))
    else:
        out.append(status.not_supported(f"{at}.operator", operator, ("Equal", "Exists")))


def spread(values: list[Obj], at: str, out: Causes) -> None:
    """Check how a Pod and its like are spread."""
    pairs = [(one.get("topologyKey"), one.get("whenUnsatisfiable")) for one in values]
    for index, one in enumerate(values):
        where = f"{at}[{index}]"
        if (one.get("maxSkew") or 0) <= 0:
            out.append(status.invalid_value(f"{where}.maxSkew", one.get("maxSkew") or 0, "must be greater than zero"))
        key = one.get("topologyKey")
        if not key:
            out.append(status.required(f"{where}.topologyKey", "can not be empty"))
        action = one.get("whenUnsatisfiable") or ""
        if action not in UNSATISFIABLE:
            out.append(status.not_supported(f"{where}.whenUnsatisfiable", action, UNSATISFIABLE))
        if pairs[index] in pairs[index + 1 :]:
            shown = f"{{{key}, {action}}}"
            out.append(status.duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", shown))
        _domains(one, where, out)
        _label_keys(one, "matchLabelKeys", where, out)
        checks.selector(one.get("labelSelector"), f"{where}.labelSelector", out)


def _domains(one: Obj, at: str, out: Causes) -> None:
    least = one.get("minDomains")
    if least is not None and least <= 0:
        out.append(status.invalid_value(f"{at}.minDomains", least, "must be greater than zero"))
    if least is not None and one.get("whenUnsatisfiable") != "DoNotSchedule":
        why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {one.get('whenUnsatisfiable')}"
        out.append(status.invalid_value(f"{at}.minDomains", least, why))
    for key in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        checks.one_of("Honor", "Ignore")(one.get(key), f"{at}.{key}", out)
