"""Validation of FlowSchemas and PriorityLevelConfigurations. Models pkg/apis/flowcontrol/validation/validation.go."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2
from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

HIGHEST: Final = 10_000
QUEUES: Final = 10_000_000
HASH_BITS: Final = 60
ANY: Final = "*"
EXEMPT: Final = "exempt"
VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
SUBJECTS: Final = {"ServiceAccount": "serviceAccount", "User": "user", "Group": "group"}
EACH_NAMESPACE: Final = "each member of this list must be '*' or a DNS-1123 label; "


def flow_schema(obj: Obj, out: Causes) -> None:
    """Check a FlowSchema."""
    spec = obj.get("spec") or {}
    _precedence(spec.get("matchingPrecedence") or 0, (obj.get("metadata") or {}).get("name") or "", out)
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in ("ByNamespace", "ByUser"):
        shown = {"Type": method.get("type") or ""}
        out.append(status.not_supported("spec.distinguisherMethod.type", shown, ("ByNamespace", "ByUser")))
    level = (spec.get("priorityLevelConfiguration") or {}).get("name")
    if level:
        checks.name(names.subdomain, level, "spec.priorityLevelConfiguration.name", out)
    else:
        out.append(status.required("spec.priorityLevelConfiguration.name", "must reference a priority level"))
    for index, rule in enumerate(spec.get("rules") or ()):
        _rule(rule, f"spec.rules[{index}]", out)


def _precedence(value: int, name: str, out: Causes) -> None:
    at = "spec.matchingPrecedence"
    if value <= 0:
        out.append(status.invalid_value(at, value, "must be a positive value"))
    if value > HIGHEST:
        out.append(status.invalid_value(at, value, f"must not be greater than {HIGHEST}"))
    if value == 1 and name != EXEMPT:
        out.append(status.invalid_value(at, value, "only the schema named 'exempt' may have matchingPrecedence 1"))


def _rule(rule: Obj, at: str, out: Causes) -> None:
    if not rule.get("subjects"):
        out.append(status.required(f"{at}.subjects", "subjects must contain at least one value"))
    for index, subject in enumerate(rule.get("subjects") or ()):
        _subject(subject, f"{at}.subjects[{index}]", out)
    if not (rule.get("resourceRules") or rule.get("nonResourceRules")):
        out.append(status.required(at, "at least one of resourceRules and nonResourceRules has to be non-empty"))
    for index, one in enumerate(rule.get("resourceRules") or ()):
        _resources(one, f"{at}.resourceRules[{index}]", out)
    for index, one in enumerate(rule.get("nonResourceRules") or ()):
        _paths(one, f"{at}.nonResourceRules[{index}]", out)


def _subject(subject: Obj, at: str, out: Causes) -> None:
    kind = subject.get("kind") or ""
    if kind not in SUBJECTS:
        out.append(status.not_supported(f"{at}.kind", kind, sorted(SUBJECTS)))
        return
    field = SUBJECTS[kind]
    _who(subject.get(field), kind, f"{at}.{field}", out)
    for other, key in SUBJECTS.items():
        if other != kind and subject.get(key) is not None:
            out.append(status.forbidden_value(f"{at}.{key}", f"{key} is forbidden when subject kind is not '{other}'"))


def _who(value: Obj | None, kind: str, at: str, out: Causes) -> None:
    if value is None:
        out.append(status.required(at, f"{SUBJECTS[kind]} is required when subject kind is '{kind}'"))
        return
    name = value.get("name")
    if not name:
        out.append(status.required(f"{at}.name"))
    elif kind == "ServiceAccount" and name != ANY:
        checks.name(names.subdomain, name, f"{at}.name", out)
    if kind != "ServiceAccount":
        return
    if value.get("namespace"):
        checks.name(names.label, value["namespace"], f"{at}.namespace", out)
    else:
        out.append(status.required(f"{at}.namespace", "must specify namespace for service account"))


def _verbs(verbs: Sequence[str], at: str, out: Causes) -> None:
    if not verbs:
        out.append(status.required(at, "verbs must contain at least one value"))
    elif ANY in verbs:
        _alone(verbs, at, "verbs", out)
    elif not set(verbs) <= set(VERBS):
        out.append(status.not_supported(at, verbs, VERBS))


def _alone(values: Sequence[str], at: str, what: str, out: Causes) -> None:
    if ANY in values and len(values) > 1:
        out.append(status.invalid_value(at, values, f"if '*' is present, must not specify other {what}"))


def _resources(rule: Obj, at: str, out: Causes) -> None:
    _verbs(rule.get("verbs") or [], f"{at}.verbs", out)
    for key, one, many in (("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")):
        if not rule.get(key):
            out.append(status.required(f"{at}.{key}", f"resource rules must supply at least one {one}"))
        _alone(rule.get(key) or [], f"{at}.{key}", many, out)
    spaces = rule.get("namespaces") or []
    if not spaces and not rule.get("clusterScope"):
        why = "resource rules that are not cluster scoped must supply at least one namespace"
        out.append(status.required(f"{at}.namespaces", why))
    elif ANY in spaces:
        _alone(spaces, f"{at}.namespaces", "namespaces", out)
    else:
        for index, space in enumerate(spaces):
            for text in names.label(space):
                out.append(status.invalid_value(f"{at}.namespaces[{index}]", space, EACH_NAMESPACE + text))


def _paths(rule: Obj, at: str, out: Causes) -> None:
    _verbs(rule.get("verbs") or [], f"{at}.verbs", out)
    paths, at = rule.get("nonResourceURLs") or [], f"{at}.nonResourceURLs"
    if not paths:
        out.append(status.required(at, "nonResourceURLs must contain at least one value"))
    elif ANY in paths:
        _alone(paths, at, "non-resource URLs", out)
    else:
        for index, path in enumerate(paths):
            if why := _bad_path(path):
                out.append(status.invalid_value(f"{at}[{index}]", path, why))


def _bad_path(path: str) -> str:
    if not path:
        return "must not be empty"
    if path == "/":
        return ""
    if not path.startswith("/"):
        return "must start with slash"
    if " " in path:
        return "must not contain white-space"
    if "//" in path:
        return "must not contain double slash"
    stars = path.count(ANY)
    return "wildcard can only do suffix matching" if stars > 1 or (stars and not path.endswith("/*")) else ""


def priority_level(obj: Obj, out: Causes) -> None:
    """Check a PriorityLevelConfiguration."""
    spec, name = obj.get("spec") or {}, (obj.get("metadata") or {}).get("name") or ""
    kind, limited, exempt = spec.get("type") or "", spec.get("limited"), spec.get("exempt")
    if (name == EXEMPT) is not (kind == "Exempt"):
        out.append(status.invalid_value("spec.type", kind, "must be 'Exempt' if and only if `name` is 'exempt'"))
    if kind == "Exempt":
        if limited is not None:
            out.append(status.forbidden_value("spec.limited", "must be nil if the type is not Limited"))
        _shares(exempt or {}, "spec.exempt", out)
    elif kind == "Limited":
        if exempt is not None:
            out.append(status.forbidden_value("spec.exempt", "must be nil if the type is Limited"))
        if limited is None:
            out.append(status.required("spec.limited"))
        else:
            _limited(limited, "spec.limited", out)
    else:
        found = [
            status.forbidden_value(f"spec.{key}", "")
            for key, given in (("limited", limited), ("exempt", exempt))
            if given is not None
        ]
        wrong = checks.unsupported("spec.type", kind, ("Exempt", "Limited"))
        out.extend([wrong, *found] if kind else [*found, wrong])  # declared rules come last


def _shares(given: Obj, at: str, out: Causes) -> None:
    if (given.get("nominalConcurrencyShares") or 0) < 0:
        why = "must be a non-negative integer"
        out.append(status.invalid_value(f"{at}.nominalConcurrencyShares", given["nominalConcurrencyShares"], why))


def _limited(given: Obj, at: str, out: Causes) -> None:
    _shares(given, at, out)
    _response(given.get("limitResponse") or {}, f"{at}.limitResponse", out)
    checks.between(0, 100)(given.get("lendablePercent"), f"{at}.lendablePercent", out)
    if (given.get("borrowingLimitPercent") or 0) < 0:
        why = "if specified, must be a non-negative integer"
        out.append(status.invalid_value(f"{at}.borrowingLimitPercent", given["borrowingLimitPercent"], why))


def _response(given: Obj, at: str, out: Causes) -> None:
    kind, queuing = given.get("type") or "", given.get("queuing")
    if kind == "Reject":
        if queuing is not None:
            why = "must be nil if limited.limitResponse.type is not Limited"
            out.append(status.forbidden_value(f"{at}.queuing", why))
    elif kind == "Queue":
        if queuing is None:
            out.append(status.required(f"{at}.queuing"))
        else:
            _queuing(queuing, f"{at}.queuing", out)
    else:
        out.append(checks.unsupported(f"{at}.type", kind, ("Queue", "Reject")))


def _queuing(given: Obj, at: str, out: Causes) -> None:
    length, queues, hand = (given.get(key) or 0 for key in ("queueLengthLimit", "queues", "handSize"))
    for key, value in (("queueLengthLimit", length), ("queues", queues), ("handSize", hand)):
        if value <= 0:
            out.append(status.invalid_value(f"{at}.{key}", value, "must be positive"))
        elif why := _too_many(key, value, queues):
            out.append(status.invalid_value(f"{at}.{key}", value, why))


def _too_many(key: str, value: int, queues: int) -> str:
    if key == "queues" and value > QUEUES:
        return f"must not be greater than {QUEUES}"
    if key != "handSize":
        return ""
    if value > queues:
        return f"should not be greater than queues ({queues})"
    bits = _entropy(queues, value)
    if bits > HASH_BITS:
        return f"required entropy bits of deckSize {queues} and handSize {value} should not be greater than {HASH_BITS}"
    return ""


def _entropy(deck: int, hand: int) -> Any:
    """Return how many bits of a hash a hand of that deck takes. Models shufflesharding.RequiredEntropyBits."""
    return max(ceil(log2(deck) * hand), 1)
