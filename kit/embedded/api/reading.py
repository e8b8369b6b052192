"""get and list.

Models k8s.io/apiserver/pkg/endpoints/handlers/get.go and registry/generic/registry/store.go.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kit.embedded.api import history, selecting
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.conversion import opened
from kit.embedded.core.store import Key, Obj, Record
from kit.errors import Status
from kit.kube import status
from kit.kube.jsonsyntax import explain
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
    asked = at.query.get("resourceVersion", "")
    try:
        version(asked)
    except ValueError as error:
        raise status.plain_error(f"resourceVersion: Invalid value: {status.shown(asked)}: {error}") from None
    _check_version(context, asked)
    return found(context, at)


def found(context: Context, at: Attributes) -> Record:
    """Return one object's record, whatever version is asked for; NotFound."""
    record = context.store.record(at.key)
    if record is None:
        raise status.not_found(at.resource, at.name)
    return opened(at.resource, at.key, record)


def page(context: Context, at: Attributes) -> Page:
    """Return the objects that the query asks for."""
    query = at.query
    matches = selecting.matcher(at)  # selectors are read with the query, before its options are judged
    check_options(query, watch=False)
    limit = integer(query.get("limit", ""))
    revision = context.store.revision
    asked, begin = query.get("resourceVersion", ""), ""
    exact = _exact(query, limit)
    if query.get("continue"):
        parts = _token_parts(query["continue"])
        if asked not in {"", "0"}:
            raise status.bad_request("specifying resource version is not allowed when using continue")
        revision, begin = _resume(context, at.key.resource, *parts)
    else:
        _check_list_version(context, at.key.resource, query, exact=exact)
        revision = int(asked) if exact else revision
        limit = 0 if asked == "0" else limit  # the watch cache gives all it has
    items = history.items(context.store, at.key.resource, at.namespace or None, revision)
    if begin:
        items = [one for one in items if _place(at, one[0]) >= begin]
    if limit <= 0:
        return Page({"resourceVersion": str(revision)}, [record for _, record in items if matches(record.obj)])
    selective = bool(at.query.get("labelSelector") or at.query.get("fieldSelector"))
    root = "" if begin or exact else "/"  # as the watch cache and etcd name the place: with and without
    return _limited(at, items, limit, revision, matches, root=root, selective=selective)


def _exact(query: Mapping[str, str], limit: int) -> bool:
    """Return whether a list is to be as it was at its resourceVersion and no later."""
    match = query.get("resourceVersionMatch", "")
    return match == "Exact" or (not match and limit > 0 and query.get("resourceVersion", "0").strip("0") != "")


def _place(at: Attributes, key: Key) -> str:
    """Return where an object stands in a list: what continue tokens name."""
    return key.name if at.namespace or not key.namespace else f"{key.namespace}/{key.name}"


def _limited(
    at: Attributes, items: Sequence[tuple[Key, Record]], limit: int, revision: int, matches: Callable[[Obj], bool], *, root: str,
    selective: bool,
) -> Page:  # fmt: skip
    """Return the first `limit` matches, and where the next page begins: right after the last of them."""
    found: list[Record] = []
    last = ""
    for index, (key, record) in enumerate(items):
        if not matches(record.obj):
            continue
        if len(found) == limit:
            meta: dict[str, Any] = {"resourceVersion": str(revision), "continue": _token(revision, f"{root}{last}\0")}
            if not selective:
                meta["remainingItemCount"] = len(items) - index
            return Page(meta, found)
        found.append(record)
        last = _place(at, key)
    return Page({"resourceVersion": str(revision)}, found)


def _token(revision: int, start: str) -> str:
    return _packed({"v": _TOKEN_VERSION, "rv": revision, "start": start})


def _packed(body: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode().rstrip("=")


def _resume(context: Context, resource: str, body: dict[str, Any], revision: int, start: str) -> tuple[int, str]:
    """Return the revision and first place of a continue token. Old revisions are not kept: one that is gone is Expired."""
    if revision and revision < context.store.revision and _forgotten(context, resource, revision):
        raise Expired(_packed({**body, "rv": context.store.revision}))
    return revision or context.store.revision, start.removeprefix("/")


def _token_parts(token: str) -> tuple[dict[str, Any], int, str]:
    """Read a continue token. Models k8s.io/apiserver/pkg/storage/continue.go (DecodeContinue)."""
    bad = next((at for at, char in enumerate(token.rstrip("=")) if char not in _BASE64), None)
    if bad is not None or len(token) % 4 == 1:
        raise _bad_token(f"illegal base64 data at input byte {len(token) // 4 * 4 if bad is None else bad}")
    text = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    try:
        body = json.loads(text)
    except ValueError:
        raise _bad_token(explain(text)) from None
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


def _check_list_version(context: Context, resource: str, query: Mapping[str, str], *, exact: bool) -> None:
    text = query.get("resourceVersion", "")
    try:
        version(text)
    except ValueError as error:
        message = f'resourceVersion: Invalid value: "{text}": {error}'
        raise status.bad_request(f"invalid resource version: {message}") from None
    _check_version(context, text)
    if exact and _forgotten(context, resource, int(text or 0)):
        raise Status("Expired", "The resourceVersion for the provided list is too old.")


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
    causes = _match_causes(match, asked, watch=watch, initial=initial, further=bool(query.get("continue")))
    if initial is not None and not watch:
        causes.append(status.forbidden_value("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if causes:
        raise status.invalid("meta.k8s.io", "ListOptions", "", causes)


def _match_causes(match: str, asked: str, *, watch: bool, initial: str | None, further: bool) -> list[Cause]:
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
    found = []
    if match and not asked:
        found.append(forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if match and further:
        found.append(forbidden("resourceVersionMatch is forbidden when continue is provided"))
    if match not in MATCHES:
        found.append(status.not_supported("resourceVersionMatch", match, MATCHES))
    if match == "Exact" and asked == "0":
        found.append(forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    return found
