"""get and list.

Models k8s.io/apiserver/pkg/endpoints/handlers/get.go and registry/generic/registry/store.go.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kit.embedded.api import selecting
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj, Record
from kit.errors import Status
from kit.kube import status
from kit.kube.status import Cause

MATCHES = ("Exact", "NotOlderThan", "")
_INTEGER = re.compile("[+-]?[0-9]+")
_INT64 = 2**63
_TOKEN_VERSION = "meta.k8s.io/v1"
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class Page(NamedTuple):
    """One page of a list."""

    meta: dict[str, Any]
    records: Sequence[Record]


def get(context: Context, at: Attributes) -> Record:
    """Return one object's record; NotFound, or Timeout for a resourceVersion of the future."""
    _check_version(context, at.query.get("resourceVersion", ""))
    record = context.store.record(at.key)
    if record is None:
        raise status.not_found(at.resource, at.name)
    return record


def page(context: Context, at: Attributes) -> Page:
    """Return the objects that the query asks for."""
    query = at.query
    check_options(query, watch=False)
    matches = selecting.matcher(at)
    limit = integer(query.get("limit", ""))
    revision = context.store.revision
    begin: tuple[str, str] | None = None
    if query.get("continue"):
        revision, begin = _resume(context, at.key.resource, query["continue"])
    else:
        _check_list_version(context, at.key.resource, query)
    items = context.store.items(at.key.resource, at.namespace or None)
    if begin is not None:
        items = [one for one in items if (one[0].namespace, one[0].name) >= begin]
    if limit <= 0:
        return Page({"resourceVersion": str(revision)}, [record for _, record in items if matches(record.obj)])
    return _limited(
        items, limit, revision, matches, selective=bool(at.query.get("labelSelector") or at.query.get("fieldSelector"))
    )


def _limited(
    items: Sequence[tuple[Key, Record]], limit: int, revision: int, matches: Callable[[Obj], bool], *, selective: bool
) -> Page:
    """Return the first `limit` matches, and where the next page begins."""
    found: list[Record] = []
    for index, (key, record) in enumerate(items):
        if not matches(record.obj):
            continue
        if len(found) == limit:
            meta: dict[str, Any] = {"resourceVersion": str(revision), "continue": _token(revision, key)}
            if not selective:
                meta["remainingItemCount"] = len(items) - index
            return Page(meta, found)
        found.append(record)
    return Page({"resourceVersion": str(revision)}, found)


def _token(revision: int, key: Key) -> str:
    body = {"v": _TOKEN_VERSION, "rv": revision, "start": f"{key.namespace}/{key.name}"}
    return urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")


def _resume(context: Context, resource: str, token: str) -> tuple[int, tuple[str, str]]:
    """Return the revision and first name of a continue token. Old revisions are not kept: one that is gone is Expired."""
    body, revision, start = _token_parts(token)
    namespace, _, name = start.rpartition("/")
    if revision and revision < context.store.revision and _forgotten(context, resource, revision):
        again = urlsafe_b64encode(json.dumps({**body, "rv": context.store.revision}).encode()).decode().rstrip("=")
        raise Expired(again)
    return revision or context.store.revision, (namespace, name.rstrip("\0"))


def _token_parts(token: str) -> tuple[dict[str, Any], int, str]:
    """Read a continue token. Models k8s.io/apiserver/pkg/storage/continue.go (DecodeContinue)."""
    bad = next((at for at, char in enumerate(token.rstrip("=")) if char not in _BASE64), None)
    try:
        body = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4))) if bad is None else None
    except ValueError:
        body = None
    if body is None:
        at = len(token) // 4 * 4 if bad is None else bad
        raise _bad_token(f"illegal base64 data at input byte {at}")
    said = body.get("v") if isinstance(body, dict) else None
    if said != _TOKEN_VERSION:
        raise _bad_token(f"server does not recognize this encoded version {said or ''}")
    revision, start = body.get("rv"), body.get("start")
    if not isinstance(revision, int) or not isinstance(start, str) or not 0 <= revision < _INT64:
        raise _bad_token("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    return body, revision, start


def _bad_token(why: str) -> Status:
    return status.bad_request(f"invalid continue token: continue key is not valid: {why}")


def _forgotten(context: Context, resource: str, revision: int) -> bool:
    """Return whether the window no longer reaches back to a revision (a restart, or too many changes since)."""
    try:
        context.store.since(resource, revision)
    except Status:
        return True
    return False


class Expired(Status):
    """The 410 of a continue token, carrying the token that goes on inconsistently."""

    def __init__(self, token: str) -> None:
        super().__init__("Expired", status.STORED_GONE)
        self.token = token

    def body(self) -> dict[str, Any]:
        """Return the Status with the token in its metadata."""
        return {**super().body(), "metadata": {"continue": self.token}}


def _check_list_version(context: Context, resource: str, query: Mapping[str, str]) -> None:
    text = query.get("resourceVersion", "")
    try:
        version(text)
    except ValueError as error:
        message = f'resourceVersion: Invalid value: "{text}": {error}'
        raise status.bad_request(f"invalid resource version: {message}") from None
    _check_version(context, text)
    if query.get("resourceVersionMatch") == "Exact" and _changed_since(context, resource, int(text or 0)):
        raise Status("Expired", "The resourceVersion for the provided list is too old.")


def _changed_since(context: Context, resource: str, revision: int) -> bool:
    """Return whether a resource is no longer as it was at a revision: old states are not kept."""
    return _forgotten(context, resource, revision) or any(context.store.since(resource, revision))


def _check_version(context: Context, text: str) -> None:
    if text.isascii() and text.isdigit() and context.store.revision < (wanted := int(text[-30:])):
        raise status.too_large_version(wanted, context.store.revision)


def version(text: str) -> int:
    """Return a resourceVersion as a number, 0 for none; ValueError in the words of strconv.ParseUint."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f'strconv.ParseUint: parsing "{text}": invalid syntax')
    if len(text.lstrip("0")) > len(str(_INT64)) or int(text) >= 2 * _INT64:
        raise ValueError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def integer(text: str) -> int:
    """Return a number of the query, 0 for none; BadRequest as strconv.ParseInt words it."""
    if not text:
        return 0
    if not _INTEGER.fullmatch(text):
        raise status.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if len(text.lstrip("+-0")) > len(str(_INT64)) or not -_INT64 <= int(text) < _INT64:
        raise status.bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return int(text)


def check_options(query: Mapping[str, str], *, watch: bool) -> None:
    """Raise BadRequest for numbers that are none, Invalid for list options that contradict each other (ListOptions)."""
    for name in ("limit", "timeoutSeconds"):
        integer(query.get(name, ""))
    match, asked = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    initial = query.get("sendInitialEvents")
    causes = _match_causes(match, asked, watch=watch, initial=initial)
    if initial is not None and not watch:
        causes.append(status.forbidden_value("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if causes:
        raise status.invalid("meta.k8s.io", "ListOptions", "", causes)


def _match_causes(match: str, asked: str, *, watch: bool, initial: str | None) -> list[Cause]:
    def forbidden(words: str) -> Cause:
        return status.forbidden_value("resourceVersionMatch", words)

    if watch and initial is None:
        return (
            [forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")]
            if match
            else []
        )
    if watch:
        if match == "NotOlderThan":
            return []
        unknown = [status.not_supported("resourceVersionMatch", match, MATCHES[1:2])] if match else []
        return [forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"), *unknown]
    if match not in MATCHES:
        return [status.not_supported("resourceVersionMatch", match, MATCHES)]
    if match and not asked:
        return [forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided")]
    if match == "Exact" and asked == "0":
        return [forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')]
    return []
