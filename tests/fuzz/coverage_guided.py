"""`python coverage_guided.py TARGET SEEDS [libFuzzer's flags]`: atheris looks for bytes that a decoder neither reads nor refuses."""

from __future__ import annotations

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["kit.kube", "kit.runtime.spdy", "kit.runtime.websocket", "yaml"]):
    from kit.errors import Status
    from kit.kube import decoding, patches, protobuf, quantities, schema, selectors
    from kit.kube import times as times_
    from kit.runtime import spdy, websocket

DEPLOYMENT = schema.of("apps/v1", "Deployment")
BASE = {"kind": "Deployment", "metadata": {"name": "web", "labels": {"a": "b"}}, "spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "nginx"}]}}}}  # fmt: skip
KINDS = (patches.JSON, patches.MERGE, patches.STRATEGIC)


def _text(read):
    return lambda data: read(data.decode("utf-8", "surrogateescape"))


def _patch(data):
    media = KINDS[data[0] % len(KINDS)] if data else patches.JSON
    patches.patched(media, BASE, patches.decode_patch(media, data[1:]).value, DEPLOYMENT)


def _stable_quantity(text):
    said = quantities.canonical(text)
    assert quantities.canonical(said) == said


# name -> (what reads, its own errors)
TARGETS = {
    "protobuf": (protobuf.read, protobuf.ProtobufError),
    "json": (decoding.decode_json, decoding.DecodeError),
    "yaml": (decoding.decode_yaml, decoding.DecodeError),
    "patch": (_patch, Status),
    "labels": (_text(lambda one: selectors.parse(one).matches({"a": "b"})), Status),
    "fields": (_text(lambda one: selectors.parse_fields(one).matches({"a": "b"})), Status),
    "quantity": (_text(_stable_quantity), quantities.QuantityError),
    "time": (_text(times_.parse), (times_.TimeError, ValueError)),
    "websocket": (lambda data: websocket.Reader().feed(data), websocket.Broken),
    "spdy": (lambda data: spdy.Framer().feed(data), spdy.Broken),
}


def main(target, *flags):
    """Run one target until libFuzzer has had enough; it ends the process itself."""
    read, errors = TARGETS[target]

    def once(data):
        with contextlib.suppress(errors):
            read(data)

    atheris.Setup([sys.argv[0], *flags], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
