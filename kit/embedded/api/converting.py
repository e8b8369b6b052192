"""Webhooks that convert custom resources between the versions of their definition.

Models apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go. What a list or a watch shows was converted when it changed, as
in the API server's watch cache; one object that is read is converted anew each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit.embedded.api.asking import heard, key_of, question, steady
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Called
from kit.errors import Status
from kit.kube import gojson, status
from kit.kube.admission.reviewing import UnusableError, decoded

KIND, GROUP, VERSION = "ConversionReview", "apiextensions.k8s.io", "v1"
SECONDS = 30
KEPT = 10_000
FREE = frozenset({"labels", "annotations"})  # what a webhook may change of metadata
SAME = (("name", "name"), ("namespace", "namespace"), ("uid", "UID"))
# As Go writes the empty struct.
UNANSWERED: dict[str, Any] = {"uid": "", "convertedObjects": None, "result": {"metadata": {}}}


class Converter:
    """Asks the webhook of one definition."""

    def __init__(self, context: Context, webhook: Mapping[str, Any]) -> None:
        self._context = context
        self._client = webhook["clientConfig"]
        self._seen: dict[tuple[str, str, str], Obj] = {}

    def __call__(self, objects: Sequence[Obj], version: str, *, again: bool = True) -> list[Obj]:
        """Return objects in another version, asking once for all; without `again` what is known of an object counts."""
        keys = [_key(one, version) for one in objects]
        known = {} if again else {key: self._seen[key] for key in keys if key in self._seen}
        asked = [one for key, one in zip(keys, objects, strict=True) if key not in known]
        fresh = iter(self._asked(asked, version) if asked else ())
        out = [known[key] if key in known else next(fresh) for key in keys]
        if not again:
            self._seen |= zip(keys, out, strict=True)
        while len(self._seen) > KEPT:
            del self._seen[next(iter(self._seen))]
        return out

    def _asked(self, objects: Sequence[Obj], version: str) -> list[Obj]:
        lead = f"conversion webhook for {objects[0]['apiVersion']}, Kind={objects[0]['kind']}"
        context = self._context
        key, uid = key_of(self._client, version, [steady(one, "resourceVersion") for one in objects])
        try:
            put = question(context, self._client, key, _review(uid, version, objects), uid, SECONDS)
            first, reply = heard(context, put)
            made = _objects(reply, first)
        except UnusableError as error:
            raise status.plain_error(f"{lead} failed: {error}") from None
        if len(made) != len(objects):
            raise status.plain_error(f"{lead} returned {len(made)} objects, expected {len(objects)}")
        for index, (one, new) in enumerate(zip(objects, made, strict=True)):
            wrong = _wrong(index, one, new, version)
            if wrong:
                raise status.plain_error(f"{lead} returned invalid object{wrong}")
        return [_restored(one, new) for one, new in zip(objects, made, strict=True)]


def undecodable(error: Status, path: str, revision: int) -> Status:
    """Return what is said of a stored object that can't be converted. Models etcd3's errors.go: NewCorruptObjError."""
    why = f"object not decodable revision={revision}: {error.message}"
    told = f"StorageError: corrupt object, Code: 7, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
    return status.internal(told)


def _key(obj: Obj, version: str) -> tuple[str, str, str]:
    return str(obj["metadata"].get("uid")), str(obj["metadata"].get("resourceVersion")), version


def _review(uid: str, version: str, objects: Sequence[Obj]) -> bytes:
    asked = {"uid": uid, "desiredAPIVersion": version, "objects": [_unrevised(one) for one in objects]}
    review = {"kind": KIND, "apiVersion": f"{GROUP}/{VERSION}", "request": asked, "response": UNANSWERED}
    return f"{gojson.encode(review)}\n".encode()


def _unrevised(obj: Obj) -> Obj:
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}}


def _objects(reply: Called, uid: str) -> list[Obj]:
    """Return what a webhook made; UnusableError for an answer that is none."""
    found = decoded(reply.status, reply.body)
    kind, version = str(found.get("kind") or ""), str(found.get("apiVersion") or "")
    if kind != KIND or not version.startswith(f"{GROUP}/"):
        raise UnusableError(
            f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        )
    short = version.rpartition("/")[2]
    if short != VERSION:
        raise UnusableError(f"converting ({short}.{KIND}) to ({VERSION}.{KIND}): unknown conversion")
    said = found.get("response")
    if not said:
        raise UnusableError("no response provided")
    if said.get("uid", "") != uid:
        raise UnusableError(f'expected response.uid="{uid}", got "{said.get("uid", "")}"')
    result = said.get("result") or {}
    if result.get("status") != "Success":
        state = result.get("status") or ""
        raise UnusableError(result.get("message") or f"response.result.status was '{state}', not 'Success'")
    return list(said.get("convertedObjects") or ())


def _wrong(index: int, old: Obj, new: Obj, version: str) -> str:
    """Return what is wrong with a converted object."""
    given, kind = new.get("apiVersion", ""), new.get("kind", "")
    if given != version:
        return f" at index {index}: invalid groupVersion (expected {version}, received {given})"
    if kind != old["kind"]:
        return f" at index {index}: invalid kind (expected {old['kind']}, received {kind})"
    meta = new.get("metadata") or {}
    for field, word in SAME:
        before, after = str(old["metadata"].get(field) or ""), str(meta.get(field) or "")
        if before != after:
            return f": must have the same {word}: {before} != {after}"
    return ""


def _restored(old: Obj, new: Obj) -> Obj:
    """Return a converted object with the metadata it had, but for labels and annotations."""
    meta = {key: value for key, value in old["metadata"].items() if key not in FREE}
    meta |= {key: value for key, value in (new.get("metadata") or {}).items() if key in FREE and value}
    return {**new, "metadata": meta}
