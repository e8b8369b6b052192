"""The API server's refusals, word by word.

Models k8s.io/apimachinery/pkg/api/errors/errors.go and pkg/util/validation/field/errors.go. Functions return the
`Status`; the caller raises it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kit.errors import Status
from kit.kube.gotext import compact, go_quoted
from kit.kube.kinds import Resource

MODIFIED: Final = "the object has been modified; please apply your changes to the latest version and try again"
BODY_LIMIT: Final = 3 * 1024 * 1024
MEDIA_TYPES: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
STORED_GONE: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


class Denied(Status):
    """What somebody's roles don't grant, as against what admission refuses."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One complaint about one field of an object."""

    reason: str
    message: str
    field: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def body(self) -> dict[str, Any]:
        """Return the cause as details hold it."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


def required(field: str, detail: str = "") -> Cause:
    """Say that a field must be there."""
    return _cause("FieldValueRequired", "Required value", field, detail)


def invalid_value(field: str, value: Any, detail: str = "") -> Cause:
    """Say that a field's value is wrong."""
    return _cause("FieldValueInvalid", f"Invalid value: {shown(value)}", field, detail)


def type_invalid(field: str, value: Any, detail: str = "") -> Cause:
    """Say that a field's value is of the wrong type (custom resources)."""
    return _cause("FieldValueTypeInvalid", f"Invalid value: {shown(value)}", field, detail)


def not_supported(field: str, value: Any, allowed: Iterable[str]) -> Cause:
    """Say which values a field may have, in the order given."""
    words = ", ".join(f'"{word}"' for word in allowed)
    detail = f"supported values: {words}" if words else ""
    return _cause("FieldValueNotSupported", f"Unsupported value: {shown(value)}", field, detail)


def duplicate(field: str, value: Any) -> Cause:
    """Say that a value must be unique."""
    return _cause("FieldValueDuplicate", f"Duplicate value: {shown(value)}", field)


def value_not_found(field: str, value: Any) -> Cause:
    """Say that a field names something that isn't there."""
    return _cause("FieldValueNotFound", f"Not found: {shown(value)}", field)


def forbidden_value(field: str, detail: str) -> Cause:
    """Say that a field may not be set or changed."""
    return _cause("FieldValueForbidden", "Forbidden", field, detail)


def too_long(field: str, limit: int) -> Cause:
    """Say that a text is longer than `limit` bytes."""
    return _cause("FieldValueTooLong", "Too long", field, f"may not be more than {limit} bytes" if limit >= 0 else "")


def too_many(field: str, actual: int, limit: int) -> Cause:
    """Say that a list has more than `limit` items."""
    noun = "item" if limit == 1 else "items"
    return _cause("FieldValueTooMany", f"Too many: {actual}", field, f"must have at most {limit} {noun}")


def immutable(field: str, value: Any) -> Cause:
    """Say that a field may not change."""
    return invalid_value(field, value, "field is immutable")


def internal_cause(field: str, detail: str) -> Cause:
    """Say that a field could not be checked."""
    return _cause("InternalError", "Internal error", field, detail)


def _cause(reason: str, what: str, field: str, detail: str = "") -> Cause:
    return Cause(reason, f"{what}: {detail}" if detail else what, field)


def shown(value: Any) -> str:
    """Return a value as field errors print it: numbers bare, texts in quotes, the rest as JSON."""
    if isinstance(value, dict | list):
        return compact(value)
    return go_quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


Named = Resource | str
"""A resource, or its group resource as messages write it: `pods`, `deployments.apps`."""


def details(of: Named, name: str = "", **more: Any) -> dict[str, Any]:
    """Return what a Status says about the object it is about."""
    kind, _, group = _label(of).partition(".")
    said = {"name": name, "group": group, "kind": kind}
    return {key: value for key, value in said.items() if value} | more


def _label(of: Named) -> str:
    return of if isinstance(of, str) else of.group_resource


def not_found(of: Named, name: str) -> Status:
    """Refuse what isn't there."""
    return Status("NotFound", f"{_label(of)} {go_quoted(name)} not found", details=details(of, name))


def already_exists(of: Named, name: str) -> Status:
    """Refuse to create what is there."""
    return Status("AlreadyExists", f'{_label(of)} "{name}" already exists', details=details(of, name))


def conflict(of: Named, name: str, why: str = MODIFIED) -> Status:
    """Refuse a write to an object that is not as the writer thinks."""
    return Status(
        "Conflict", f'Operation cannot be fulfilled on {_label(of)} "{name}": {why}', details=details(of, name)
    )


def invalid(group: str, kind: str, name: str, causes: Sequence[Cause]) -> Status:
    """Refuse an object for what its fields hold; equal complaints are said once in the message."""
    label = f"{kind}.{group}" if group else kind
    texts = list(dict.fromkeys(str(cause) for cause in causes))
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    said = {"name": name, "group": group, "kind": kind}
    about: dict[str, Any] = {key: value for key, value in said.items() if value}
    about["causes"] = [cause.body() for cause in causes]
    return Status("Invalid", f"{label} {go_quoted(name)} is invalid: {text}", details=about)


def forbidden(of: Named, name: str, why: str) -> Status:
    """Refuse what is not allowed, by admission for instance; without a name the whole resource is meant."""
    quoted = f' "{name}"' if name else ""
    return Status("Forbidden", f"{_label(of)}{quoted} is forbidden: {why}", details=details(of, name))


def denied(
    user: str, verb: str, resource: Named, *, subresource: str = "", name: str = "", namespace: str = ""
) -> Status:
    """Refuse what a user's roles don't grant."""
    plural, _, group = _label(resource).partition(".")
    what = f"{plural}/{subresource}" if subresource else plural
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    why = f'User "{user}" cannot {verb} resource "{what}" in API group "{group}" {where}'
    refused = forbidden(resource, name, why)
    return Denied(refused.reason, refused.message, details=refused.details)


def denied_path(user: str, verb: str, path: str) -> Status:
    """Refuse a URL that is no resource to a user whose roles don't grant it."""
    return Denied("Forbidden", f'forbidden: User "{user}" cannot {verb} path "{path}"', details={})


def unauthorized() -> Status:
    """Refuse who can't say who they are."""
    return Status("Unauthorized", "Unauthorized")


def bad_request(message: str) -> Status:
    """Refuse what can't be understood."""
    return Status("BadRequest", message)


def unknown_path() -> Status:
    """Answer at a URL where nothing is."""
    return Status("NotFound", "the server could not find the requested resource", details={})


def method_not_allowed() -> Status:
    """Refuse a method at a URL that knows others."""
    return Status("MethodNotAllowed", "the server does not allow this method on the requested resource", details={})


def unwatchable(resource: Resource) -> Status:
    """Refuse to watch what can only be listed."""
    about = {"group": resource.group} if resource.group else {}
    message = f'watch is not supported on resources of kind "{resource.group_resource}"'
    return Status("MethodNotAllowed", message, details={**about, "kind": resource.plural})


def unsupported_media_type(accepted: Sequence[str] = MEDIA_TYPES) -> Status:
    """Refuse a body in a format nobody reads."""
    text = "the body of the request was in an unknown format - accepted media types include: "
    return Status("UnsupportedMediaType", text + ", ".join(accepted))


def not_acceptable(offered: Sequence[str] = MEDIA_TYPES) -> Status:
    """Refuse to answer in a format nobody writes."""
    text = "406: Not Acceptable\n\nAvailable representations: "
    return Status("NotAcceptable", text + ", ".join(offered), details={})


def expired(version: int, oldest: int) -> Status:
    """Refuse to watch or list from a revision that is forgotten."""
    return Status("Expired", f"too old resource version: {version} ({oldest})")


def too_large_version(version: int, current: int) -> Status:
    """Refuse to answer from a revision that has not been yet."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    text = f"Timeout: Too large resource version: {version}, current: {current}"
    return Status("Timeout", text, details={"causes": [cause], "retryAfterSeconds": 1})


def timeout(why: str, retry_seconds: int = 0) -> Status:
    """Give up waiting."""
    return Status("Timeout", f"Timeout: {why}", details={"retryAfterSeconds": retry_seconds} if retry_seconds else {})


def too_many_requests(message: str, retry_seconds: int = 0, causes: Sequence[dict[str, str]] = ()) -> Status:
    """Refuse for now: too much at once, or a disruption budget is spent."""
    about: dict[str, Any] = {"causes": list(causes)} if causes else {}
    if retry_seconds:
        about["retryAfterSeconds"] = retry_seconds
    return Status("TooManyRequests", message, details=about)


def entity_too_large(limit: int = BODY_LIMIT) -> Status:
    """Refuse a body of more than `limit` bytes."""
    return Status("RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def internal(message: str) -> Status:
    """Admit a fault of the server's own; `message` says which."""
    return Status("InternalError", f"Internal error occurred: {message}", details={"causes": [{"message": message}]})


def plain_error(message: str) -> Status:
    """Return an error the API server did not foresee either: code 500, no reason."""
    return Status("", message, code=500)


class KubeletRefusal(Status):
    """What a kubelet says when it can't upgrade a connection: the API server hands it on as plain text, with 500."""

    def __init__(self, message: str) -> None:
        super().__init__("", message, code=500)


def unavailable(message: str) -> Status:
    """Refuse for now: a part is not there."""
    return Status("ServiceUnavailable", message)


def not_implemented(sentence: str) -> Status:
    """Refuse what the simulated cluster can't do; the sentence says what and what to use instead."""
    return Status("NotImplemented", sentence)
