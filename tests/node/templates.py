"""`-o jsonpath=TEMPLATE` as kubectl prints it: text, paths, `{range PATH}...{end}`. Models client-go/util/jsonpath.Execute."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from kit.kube import jsonpath

TOKEN = re.compile(r"\{((?:\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[^{}\"'])*)\}|([^{]+)")
RANGE = "range "


def printed(template: str, obj: Any) -> str:
    """Return what a template shows of an object."""
    tokens = [(action.strip(), text) for action, text in TOKEN.findall(template)]
    shown, rest = _run(tokens, obj)
    assert not rest, template
    return shown


def _run(tokens: list[tuple[str, str]], obj: Any) -> tuple[str, list[tuple[str, str]]]:
    """Show tokens until the `end` of their range; return what follows it too."""
    out = ""
    while tokens:
        (action, text), tokens = tokens[0], tokens[1:]
        if action == "end":
            return out, tokens
        if action.startswith(RANGE):
            body, tokens = _body(tokens)
            out += "".join(_run(body, one)[0] for one in jsonpath.find(action.removeprefix(RANGE), obj))
        elif action.startswith(('"', "'")):
            out += json.loads(f'"{action[1:-1]}"')
        else:
            out += text or " ".join(_texts(jsonpath.find(action, obj)))
    return out, []


def _body(tokens: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Split tokens at the `end` that closes the range they are in."""
    depth = 1
    for place, (action, _) in enumerate(tokens):
        depth += action.startswith(RANGE) - (action == "end")
        if depth == 0:
            return tokens[:place], tokens[place + 1 :]
    raise AssertionError("a range without an end")


def _texts(values: list[Any]) -> Iterator[str]:
    for value in values:
        yield value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), sort_keys=True)
