"""What the expressions of a ValidatingAdmissionPolicy would get wrong about the kinds it is for. Imports the CEL engine.

Models k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from kit.kube.admission.expressions import Variables, environment
from kit.kube.cel.engine import CompileError, compiled
from kit.kube.cel.nodes import of_node
from kit.kube.cel.types import DYN, Type
from kit.kube.kinds import Registry, Resource

MOST: Final = 10  # kinds that are looked at


def warnings(spec: Mapping[str, Any], registry: Registry) -> list[dict[str, str]]:
    """Return the status's expressionWarnings."""
    kinds = _kinds(spec, registry)
    variables = tuple((one["name"], one["expression"]) for one in spec.get("variables") or ())
    given = spec.get("paramKind")
    param = registry.by_kind(given["apiVersion"], given["kind"]) if given else None
    params = (_type(param) if param else DYN) if given else None
    environments = [(kind, _environment(kind, params, variables)) for kind in kinds]
    out = []
    for index, one in enumerate(spec.get("validations") or ()):
        for field in ("expression", "messageExpression"):
            found = list(_faults(one.get(field) or "", environments))
            if found:
                out.append({"fieldRef": f"spec.validations[{index}].{field}", "warning": "\n".join(found)})
    return out


def _faults(text: str, environments: Iterable[tuple[Resource, Mapping[str, Type]]]) -> Iterator[str]:
    for kind, known in environments:
        try:
            if text:
                compiled(text.strip(), known)
        except CompileError as error:
            yield f"{kind.group}/{kind.version}, Kind={kind.kind}: {error}\n"


def _environment(kind: Resource, params: Type | None, variables: Variables) -> Mapping[str, Type]:
    """Return what expressions may name when they are about one kind."""
    kinds = {"object": _type(kind), "oldObject": _type(kind), **({} if params is None else {"params": params})}
    return environment(params=params is not None, variables=variables, inside=True, kinds=kinds)


def _type(kind: Resource) -> Type:
    return (of_node(kind.node) if kind.node else None) or DYN


def _kinds(spec: Mapping[str, Any], registry: Registry) -> Sequence[Resource]:
    """Return the kinds that the rules name one by one."""
    found: dict[tuple[str, str, str], Resource] = {}
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        groups, versions = (sorted(rule.get(name) or ()) for name in ("apiGroups", "apiVersions"))
        if "*" in groups or "*" in versions:
            continue
        for plural in sorted(one for one in rule.get("resources") or () if "*" not in one and "/" not in one):
            for group, version in ((group, version) for group in groups for version in versions):
                kind = registry.by_path(group, version, plural)
                if kind is not None and len(found) < MOST:
                    found[(group, version, kind.kind)] = kind
    return [found[key] for key in sorted(found)]
