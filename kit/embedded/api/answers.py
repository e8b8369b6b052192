"""Responses: objects, lists and refusals as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from json import loads
from typing import Any

import yaml

from kit.embedded.api.negotiation import JSON, PROTOBUF, YAML
from kit.embedded.core.turns import Response
from kit.errors import Status
from kit.kube import gojson, protowriting
from kit.kube.gojson import encode
from kit.kube.status import Denied, KubeletRefusal

NO_SNIFFING = ("X-Content-Type-Options", "nosniff")
TEXT = "text/plain; charset=utf-8"


def respond(
    body: bytes,
    code: int = 200,
    *,
    media: str = JSON,
    warnings: Sequence[str] = (),
    headers: Sequence[tuple[str, str]] = (),
    done: bool = False,
) -> Response:
    """Return a JSON body in the media type asked for (or one that is `done`), with the headers of every API answer."""
    body = body if done else written(body, media)
    listed = [("Cache-Control", "no-cache, private"), ("Content-Type", media), *headers]
    listed += [("Warning", f"299 - {warning_text(text)}") for text in warnings]
    return Response(code, tuple(listed), body)


def written(body: bytes, media: str) -> bytes:
    """Return a JSON document in a media type, as the API server's serializers do: JSON is a line."""
    if media == PROTOBUF:
        return protowriting.encode(loads(body))
    return yaml_of(body) if media == YAML else body + b"\n"


def indented(response: Response) -> Response:
    """Return an answer in JSON as people read it, any other as it is."""
    if ("Content-Type", JSON) not in response.headers or not response.body:
        return response
    return replace(response, body=gojson.indented(loads(response.body)).encode())


def text(words: str, code: int = 200) -> Response:
    """Return plain words."""
    headers = (("Cache-Control", "no-cache, private"), ("Content-Type", TEXT), NO_SNIFFING)
    return Response(code, headers, words.encode())


def refusal(error: Status, *, media: str = JSON, warnings: Sequence[str] = ()) -> Response:
    """Return the answer to a request that failed."""
    if isinstance(error, KubeletRefusal):
        return Response(error.code, (("Content-Type", TEXT),), error.message.encode())
    details = error.details or {}
    headers = []
    if "retryAfterSeconds" in details:
        headers.append(("Retry-After", str(details["retryAfterSeconds"])))
    if isinstance(error, Denied):
        headers.append(NO_SNIFFING)
    body = error.body()
    if error.details is not None:
        body = {
            **{key: value for key, value in body.items() if key != "code"},
            "details": error.details,
            "code": error.code,
        }
    return respond(encode(body).encode("utf-8", "replace"), error.code, media=media, warnings=warnings, headers=headers)


def success(code: int = 200, **details: str) -> dict[str, Any]:
    """Return a Status that says that something was done."""
    body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    known = {key: value for key, value in details.items() if value}
    if known:
        body["details"] = known
    if code != 200:
        body["code"] = code
    return body


def warning_text(words: str) -> str:
    """Return a text as a quoted string of a Warning header: one line, quotes and backslashes escaped."""
    plain = "".join(char if char.isprintable() else " " for char in words)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def listing(kind: str, api_version: str, meta: dict[str, Any], items: Iterable[bytes]) -> bytes:
    """Return a list object around items that are encoded already; one of metadata alone says null for none, as Go's nil does."""
    head = f'{{"kind":{encode(kind)},"apiVersion":{encode(api_version)},"metadata":{encode(meta)},"items":'
    inside = b",".join(items)
    return head.encode() + (b"null}" if kind == "PartialObjectMetadataList" and not inside else b"[" + inside + b"]}")


def item(encoded: bytes, prefix: bytes) -> bytes:
    """Return an object as it stands in a typed list: without the kind and apiVersion that every stored object begins with."""
    return b"{" + encoded[len(prefix) :] if encoded.startswith(prefix) else encoded


def yaml_of(body: bytes) -> bytes:
    """Return a JSON document as YAML."""
    return str(yaml.dump(yaml.safe_load(body), Dumper=_Dumper, default_flow_style=False, allow_unicode=True)).encode()


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes texts as goyaml does: in double quotes what would else be read as something different, lines as lines."""

    def text(self, value: str) -> Any:
        """Return a text in the style Go writes it in."""
        plain = self.resolve(yaml.ScalarNode, value, (True, False)) == _TEXT
        return self.represent_scalar(_TEXT, value, style="|" if "\n" in value else None if plain else '"')


_TEXT = "tag:yaml.org,2002:str"
_Dumper.add_representer(str, _Dumper.text)
