"""YAML as sigs.k8s.io/yaml reads it: to plain JSON values, in the words of its parser.

Values are built from the parser's events, not by PyYAML's constructors: timestamps stay texts, numbers follow Go, keys
become texts, aliases are copied within a budget and nesting is bounded. Models goyaml.v2/{decode,resolve}.go.
"""

from __future__ import annotations

import base64
import copy
import math
import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

from kit.kube.gotext import syntax
from kit.kube.nesting import DEEPEST, MARK, MAX_DEPTH, Cut

MAX_ALIASED: Final = 100_000

_LOADER: Final[Any] = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # libyaml's words are Go's: both are the same parser
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9][0-9]*)")
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_PURE_WORDS: Final = {  # where PyYAML's own parser words it differently from libyaml, and libyaml from Go's
    "exceeded maximum nesting depth": f"exceeded max depth of {DEEPEST}",  # libyaml gives up at 1,000
    "mapping values are not allowed here": "mapping values are not allowed in this context",
    "expected ',' or ']', but got '<stream end>'": "did not find expected ',' or ']'",
    "expected ',' or '}', but got '<stream end>'": "did not find expected ',' or '}'",
}


class YamlError(ValueError):
    """The text is no YAML that becomes JSON; the message is Go's."""


def load(text: bytes) -> tuple[Any, list[str]]:
    """Return the first document's value and the complaints of strict reading; raise YamlError."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        raise YamlError(_words(error)) from None
    except yaml.reader.ReaderError as error:
        raise YamlError(f"yaml: {error.reason}") from None
    except UnicodeDecodeError:
        raise YamlError("yaml: invalid leading UTF-8 octet") from None
    value = builder.value
    return Cut(value) if builder.cut and isinstance(value, dict) else value, builder.complaints


def _words(error: yaml.MarkedYAMLError) -> str:
    """Say where and what, counting lines as Go's parser does."""
    problem, context = error.problem_mark, error.context_mark
    line = problem.line if problem else 0
    if line and isinstance(error, yaml.scanner.ScannerError):
        line += 1
    elif not line and context:
        line = context.line
    what = error.problem or "unknown problem parsing YAML content"
    return f"yaml: {f'line {line}: ' if line else ''}{_PURE_WORDS.get(what, what)}"


@dataclass(slots=True)
class _Open:
    """A collection being read."""

    value: Any
    anchor: str | None
    key: str | None = None
    line: int = 0


_NUMERIC: Final = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_MERGE: Final = "\0<<"
_NULL: Final = "\0null"
_UNREAD: Final = object()


class _Builder:
    """Builds a value from events."""

    def __init__(self) -> None:
        self.value: Any = None
        self.complaints: list[str] = []
        self._repeated: list[str] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, Any] = {}
        self._aliased = 0
        self._below = 0  # how many collections are open deeper than we look
        self.cut = False

    def take(self, event: yaml.Event) -> bool:
        """Take one event; return whether the document is complete."""
        if self._below:
            self._pass(event)
            return False
        match event:
            case yaml.ScalarEvent():
                self._put(self._scalar(event), event, event.anchor)
            case yaml.AliasEvent():
                self._put(self._alias(event.anchor or ""), event, None)
            case yaml.SequenceStartEvent():
                self._open([], event)
            case yaml.MappingStartEvent():
                self._open({}, event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._close(event)
            case yaml.DocumentEndEvent():
                if self._repeated:
                    self.complaints.append("yaml: unmarshal errors:\n" + "\n".join(self._repeated))
                return True
        return False

    def _open(self, value: Any, event: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._below, self.cut = 1, True
            return
        if event.anchor:
            self._anchors[event.anchor] = _UNREAD
        self._stack.append(_Open(value, event.anchor))

    def _pass(self, event: yaml.Event) -> None:
        """Pass over an event deeper than we look."""
        if isinstance(event, yaml.CollectionStartEvent):
            self._below += 1
            if len(self._stack) + self._below > DEEPEST:
                raise YamlError(f"yaml: exceeded max depth of {DEEPEST}")
        elif isinstance(event, yaml.CollectionEndEvent):
            self._below -= 1
            if not self._below:
                self._put(MARK, event, None)

    def _close(self, event: yaml.Event) -> None:
        done = self._stack.pop()
        self._put(done.value, event, done.anchor)

    def _put(self, value: Any, event: yaml.Event, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = value
        if not self._stack:
            self.value = value
            return
        top = self._stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None:
            top.key, top.line = self._key(value, event), (event.start_mark.line + 1 if event.start_mark else 0)
        else:
            self._member(top, top.key, value)
            top.key = None

    def _member(self, top: _Open, key: str, value: Any) -> None:
        if key == _MERGE:
            several = value if isinstance(value, list) else [value]
            if not all(isinstance(item, dict) for item in several):
                raise YamlError("yaml: map merge requires map or sequence of maps as the value")
            for mapping in reversed(several):
                top.value.update(mapping)
            return
        if key == _NULL:
            raise YamlError(f"unsupported map key of type: %!s(<nil>), key: <nil>, value: {syntax(value)}")
        if key in top.value:
            shown = key.replace("\\", "\\\\").replace('"', '\\"')
            self._repeated.append(f'  line {top.line}: key "{shown}" already set in map')
        top.value[key] = value

    def _key(self, value: Any, event: yaml.Event) -> str:
        if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
            return _MERGE
        if isinstance(value, dict | list):
            raise YamlError(f"yaml: invalid map key: {syntax(value)}")
        if isinstance(value, bool):
            return "true" if value else "false"
        return _NULL if value is None else str(value)

    def _alias(self, anchor: str) -> Any:
        if anchor not in self._anchors:
            raise YamlError(f"yaml: unknown anchor '{anchor}' referenced")
        value = self._anchors[anchor]
        if value is _UNREAD:
            raise YamlError(f"yaml: anchor '{anchor}' value contains itself")
        self._aliased += _size(value, MAX_ALIASED - self._aliased)
        if self._aliased > MAX_ALIASED:
            raise YamlError("yaml: document contains excessive aliasing")
        return copy.deepcopy(value)

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        tag = event.tag or ""
        if tag in {"", "!"} and not event.implicit[0]:
            return event.value
        if tag in {"!", "tag:yaml.org,2002:str"}:
            return event.value
        if tag == "tag:yaml.org,2002:binary":
            return _binary(event.value)
        value = resolve(event.value)
        if tag in _NUMERIC and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise YamlError(f"yaml: cannot decode !!str `{event.value}` as a !!{tag.rpartition(':')[2]}")
        return _json_number(value) if isinstance(value, float) else value


def _binary(text: str) -> str:
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=True).decode("utf-8", "replace")
    except ValueError:
        raise YamlError("yaml: !!binary value contains invalid base64 data") from None


def _json_number(value: float) -> int | float:
    """Return a float as its JSON is read again: what is whole is an integer."""
    if not math.isfinite(value):
        shown = "NaN" if math.isnan(value) else f"{'+' if value > 0 else '-'}Inf"
        raise YamlError(f"json: unsupported value: {shown}")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def resolve(text: str) -> Any:
    """Return what a bare word means: null, a bool, a number or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    digits = text.replace("_", "")
    if _INTEGER.fullmatch(digits) and len(digits) < 70:
        number = _integer(digits)
        return number if -(2**63) <= number < 2**64 else float(number)
    read = float(digits) if _FLOAT.fullmatch(digits) else math.inf
    return read if math.isfinite(read) else text  # a number too large for a float is a text


def _integer(text: str) -> int:
    if re.fullmatch("[-+]?0[0-7]+", text):
        return int(text, 8)
    return int(text, 0)


def _size(value: Any, limit: int) -> int:
    """Return how many values are inside, at most a little over `limit`."""
    count, stack = 0, [value]
    while stack and count <= limit:
        item = stack.pop()
        count += 1
        if isinstance(item, dict):
            stack += item.values()
        elif isinstance(item, list):
            stack += item
    return count
