"""Validation of CustomResourceDefinitions.

Models apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go. The internal form keeps what all versions share in one
place: its paths begin with `spec.validation`, `spec.subresources` and their like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kit.kube import names, status
from kit.kube.custom import selectable
from kit.kube.status import Cause
from kit.kube.validation import checks, schemas
from kit.kube.validation.checks import Causes, Obj

APPROVED: Final = "api-approved.kubernetes.io"
PROTECTED: Final = ("k8s.io", "kubernetes.io")
COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS: Final = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
SIMPLE: Final = "must be a simple json path starting with ."
PRESERVED: Final = (
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
)
WARNING_MAX: Final = 256
SELECTABLE_MAX: Final = 8
# Parts of a version, as the internal form names them, and where they stand when all versions share them.
SHARED: Final = {
    "schema": "validation",
    "subresources": "subresources",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}
_INTERNAL: Final = ("Schema", "Subresources", "AdditionalPrinterColumns", "SelectableFields")


def created(obj: Obj, out: Causes) -> None:
    """Check a new definition, and one that was changed."""
    spec = obj["spec"]
    wanted = f"{spec['names'].get('plural') or ''}.{spec.get('group') or ''}"
    if obj["metadata"].get("name") != wanted:
        why = 'must be spec.names.plural+"."+spec.group'
        out.append(status.invalid_value("metadata.name", obj["metadata"].get("name") or "", why))
    _spec(spec, out)
    _stored(obj, out)
    _approved(obj, out)


def kept(new: Obj, old: Obj, out: Causes) -> None:
    """Want what is established to stay: models ValidateCustomResourceDefinitionUpdate."""
    conditions = (old.get("status") or {}).get("conditions") or ()
    established = any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
    spec, before = new["spec"], old["spec"]
    for path in ("group", "scope", "names.kind", "names.plural"):
        if (established or path == "group") and _at(spec, path) != _at(before, path):
            out.append(status.immutable(f"spec.{path}", _at(spec, path)))


def changed(obj: Obj, out: Causes) -> None:
    """Check a changed definition: its name can't be wrong in any other way than new ones can, so only the spec is looked at."""
    _spec(obj["spec"], out)
    _stored(obj, out)
    _approved(obj, out)


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        value = (value or {}).get(part)
    return value


def _spec(spec: Obj, out: Causes) -> None:
    _group(spec.get("group") or "", out)
    scope = spec.get("scope") or ""
    if not scope:
        out.append(status.required("spec.scope"))
    elif scope not in {"Cluster", "Namespaced"}:
        out.append(status.not_supported("spec.scope", scope, ("Cluster", "Namespaced")))
    versions = spec.get("versions") or []
    shared = {part: _same(versions, part) for part in SHARED}
    for index, version in enumerate(versions):
        _version(version, f"spec.versions[{index}]", shared, out)
    if spec.get("preserveUnknownFields"):
        out.append(status.invalid_value("spec.preserveUnknownFields", True, PRESERVED))
    _together(spec, versions, shared, out)
    _names(spec["names"], out)
    if versions:
        _shared_parts(versions[0], shared, out)
    _conversion(spec.get("conversion") or {}, out)


def _same(versions: list[Obj], part: str) -> bool:
    return all(one.get(part) == versions[0].get(part) for one in versions)


def _group(group: str, out: Causes) -> None:
    if not group:
        out.append(status.required("spec.group"))
        return
    before = len(out)
    checks.name(names.subdomain, group, "spec.group", out)
    if len(out) == before and "." not in group:
        out.append(status.invalid_value("spec.group", group, "should be a domain with at least one dot"))


def _version(version: Obj, at: str, shared: Mapping[str, bool], out: Causes) -> None:
    checks.name(names.label_1035, version.get("name") or "", f"{at}.name", out)
    out += _warning(version, f"{at}.deprecationWarning")
    if not (version.get("schema") or {}).get("openAPIV3Schema"):
        out.append(status.required(f"{at}.schema.openAPIV3Schema"))
    elif not shared["schema"]:
        schemas.check(version, f"{at}.schema.openAPIV3Schema", out)
    for part, check in _PARTS.items():
        if not shared[part]:
            check(version, f"{at}.{part}", out)


def _warning(version: Obj, at: str) -> Iterator[Cause]:
    text = version.get("deprecationWarning")
    if text is None:
        return
    if not version.get("deprecated"):
        yield status.invalid_value(at, text, "can only be set for deprecated versions")
    if not text:
        yield status.invalid_value(at, text, "must not be an empty string")
    if len(text) > WARNING_MAX:
        yield status.invalid_value(at, text, f"must be <= {WARNING_MAX} characters long")
    bad = next((place for place, char in enumerate(text) if not char.isprintable()), None)
    if bad is not None:
        why = f"must only contain printable UTF-8 characters; non-printable character found at index {bad}"
        yield status.invalid_value(at, text, why)


def _together(spec: Obj, versions: list[Obj], shared: Mapping[str, bool], out: Causes) -> None:
    shown = [_internal(one, shared) for one in versions] if spec.get("versions") is not None else None
    called = [one.get("name") for one in versions]
    if len(set(called)) != len(called):
        out.append(status.invalid_value("spec.versions", shown, "must contain unique version names"))
    if sum(bool(one.get("storage")) for one in versions) != 1:
        out.append(
            status.invalid_value("spec.versions", shown, "must have exactly one version marked as storage version")
        )
    if versions and versions[0].get("name"):
        checks.name(names.label_1035, versions[0]["name"], "spec.version", out)


def _internal(version: Obj, shared: Mapping[str, bool]) -> Obj:
    """Return a version as Go prints the internal one; what all share stands elsewhere."""
    head = {
        "Name": version.get("name") or "",
        "Served": bool(version.get("served")),
        "Storage": bool(version.get("storage")),
        "Deprecated": bool(version.get("deprecated")),
        "DeprecationWarning": version.get("deprecationWarning"),
    }
    parts = zip(_INTERNAL, SHARED, strict=True)
    return head | {name: None if shared[part] else version.get(part) for name, part in parts}


def _names(given: Obj, out: Causes) -> None:
    for field, mixed in (("plural", False), ("singular", False), ("kind", True), ("listKind", True)):
        value, at = given.get(field) or "", f"spec.names.{field}"
        if not value:
            out.append(status.required(at))
            continue
        for text in names.label_1035(value.lower() if mixed else value):
            why = f"may have mixed case, but should otherwise match: {text}" if mixed else text
            out.append(status.invalid_value(at, value, why))
    for field in ("shortNames", "categories"):
        for index, one in enumerate(given.get(field) or ()):
            checks.name(names.label_1035, one, f"spec.names.{field}[{index}]", out)
    if given.get("kind") and given.get("kind") == given.get("listKind"):
        why = "kind and listKind may not be the same"
        out.append(status.invalid_value("spec.names.listKind", given["listKind"], why))


def _shared_parts(version: Obj, shared: Mapping[str, bool], out: Causes) -> None:
    if shared["schema"] and (version.get("schema") or {}).get("openAPIV3Schema"):
        schemas.check(version, "spec.validation.openAPIV3Schema", out)
    for part, check in _PARTS.items():
        if shared[part]:
            check(version, f"spec.{SHARED[part]}", out)


def _subresources(version: Obj, at: str, out: Causes) -> None:
    scale = (version.get("subresources") or {}).get("scale")
    if scale is None:
        return
    for field, roots, needed in (
        ("specReplicasPath", (".spec",), True),
        ("statusReplicasPath", (".status",), True),
        ("labelSelectorPath", (".spec", ".status"), False),
    ):
        path, where = scale.get(field) or "", f"{at}.scale.{field}"
        if not path:
            out += [status.required(where)] if needed else []
        elif not path.startswith("."):
            out.append(status.invalid_value(where, path, SIMPLE))
        elif not path.startswith(tuple(f"{root}." for root in roots)):
            under = roots[0] if len(roots) == 1 else "either .spec or .status"
            out.append(status.invalid_value(where, path, f"should be a json path under {under}"))


def _columns(version: Obj, at: str, out: Causes) -> None:
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        _column(column, f"{at}[{index}]", out)


def _word(allowed: tuple[str, ...], *, needed: bool) -> checks.Check:
    def run(value: Any, at: str, out: Causes) -> None:
        if not value:
            out += [status.required(at, f"must be one of {','.join(allowed)}")] if needed else []
        elif value not in allowed:
            out.append(status.invalid_value(at, value, f"must be one of {','.join(allowed)}"))

    return run


def _column(column: Obj, at: str, out: Causes) -> None:
    checks.required(column.get("name"), f"{at}.name", out)
    _word(COLUMN_TYPES, needed=True)(column.get("type"), f"{at}.type", out)
    _word(COLUMN_FORMATS, needed=False)(column.get("format"), f"{at}.format", out)
    path = column.get("jsonPath") or ""
    if not path:
        out.append(status.required(f"{at}.JSONPath"))
    elif not path.startswith("."):
        out.append(status.invalid_value(f"{at}.JSONPath", path, SIMPLE))


def _selectable(version: Obj, at: str, out: Causes) -> None:
    listed = version.get("selectableFields") or []
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    seen: set[str] = set()
    for index, one in enumerate(listed):
        path, where = one.get("jsonPath") or "", f"{at}[{index}].jsonPath"
        if not path:
            out.append(status.required(where))
            continue
        why = selectable.complaint(path, schema)
        if why:
            out.append(status.invalid_value(where, path, why))
        if path in seen:
            out.append(status.duplicate(where, path))
        seen.add(path)
    if len(listed) > SELECTABLE_MAX:
        out.append(status.too_many(at, len(listed), SELECTABLE_MAX))


_PARTS: Final[Mapping[str, Callable[[Obj, str, Causes], None]]] = {
    "subresources": _subresources,
    "additionalPrinterColumns": _columns,
    "selectableFields": _selectable,
}


def _conversion(conversion: Obj, out: Causes) -> None:
    strategy, hook = conversion.get("strategy") or "", conversion.get("webhook")
    at = "spec.conversion"
    if strategy not in {"", "None", "Webhook"}:
        out.append(status.not_supported(f"{at}.strategy", strategy, ("None", "Webhook")))
    elif strategy == "Webhook":
        if not (hook or {}).get("clientConfig"):
            out.append(status.required(f"{at}.webhookClientConfig", "required when strategy is set to Webhook"))
        if not (hook or {}).get("conversionReviewVersions"):
            out.append(status.required(f"{at}.conversionReviewVersions"))
    elif hook:
        for field, given in (("webhookClientConfig", "clientConfig"), ("conversionReviewVersions",) * 2):
            if hook.get(given):
                why = "should not be set when strategy is not set to Webhook"
                out.append(status.forbidden_value(f"{at}.{field}", why))


def _stored(obj: Obj, out: Causes) -> None:
    """Models ValidateCustomResourceDefinitionStoredVersions."""
    stored = (obj.get("status") or {}).get("storedVersions")
    at = "status.storedVersions"
    if not stored:
        out.append(status.invalid_value(at, stored, "must have at least one stored version"))
        return
    versions = obj["spec"].get("versions") or []
    storage = [one["name"] for one in versions if one.get("storage")]
    for index, name in enumerate(stored):
        if name not in [one.get("name") for one in versions]:
            out.append(status.invalid_value(f"{at}[{index}]", name, "must appear in spec.versions"))
    if storage and (len(storage) > 1 or storage[-1] not in stored):
        out.append(status.invalid_value(at, stored, f"must have the storage version {storage[-1]}"))


def _approved(obj: Obj, out: Causes) -> None:
    group = obj["spec"].get("group") or ""
    if not any(group == one or group.endswith(f".{one}") for one in PROTECTED):
        return
    at, text = f"metadata.annotations[{APPROVED}]", (obj["metadata"].get("annotations") or {}).get(APPROVED) or ""
    if not text:
        link = "https://github.com/kubernetes/enhancements/pull/1111"
        why = f'protected groups must have approval annotation "{APPROVED}", see {link}'
        out.append(status.required(at, why))
    elif not text.startswith(("unapproved", "https://", "http://")):
        why = f'protected groups must have approval annotation "{APPROVED}" with either a URL or a reason starting with "unapproved"'
        out.append(status.invalid_value(at, text, why))


def status_changed(new: Obj, old: Obj, out: Causes) -> None:
    """Check a changed status."""
    _stored(new, out)
