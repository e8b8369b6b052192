"""Shell patterns (`*`, `?`, `[...]`), matched in linear time by RE2."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

MAGIC = frozenset("*?[")
SPECIAL = frozenset("*?[]\\")
CLASSES = ("alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "xdigit")
MAX_PATTERN = 4096


def escape(text: str) -> str:
    """Return `text` as a pattern that matches only itself."""
    if not SPECIAL & set(text):
        return text
    return "".join("\\" + char if char in SPECIAL else char for char in text)


def unescape(pattern: str) -> str:
    """Return the text of a pattern without its backslashes."""
    if "\\" not in pattern:
        return pattern
    out: list[str] = []
    index = 0
    while index < len(pattern):
        if pattern[index] == "\\" and index + 1 < len(pattern):
            index += 1
        out.append(pattern[index])
        index += 1
    return "".join(out)


def has_magic(pattern: str) -> bool:
    """Say whether a pattern has an unescaped special character."""
    index = 0
    while index < len(pattern):
        if pattern[index] == "\\":
            index += 2
            continue
        if pattern[index] in MAGIC:
            return True
        index += 1
    return False


def to_regex(pattern: str, *, lazy: bool = False) -> str:
    """Translate a pattern to RE2's syntax."""
    out: list[str] = []
    index, size = 0, len(pattern)
    while index < size:
        char = pattern[index]
        index += 1
        if char == "\\" and index < size:
            out.append(literal(pattern[index]))
            index += 1
        elif char == "*":
            if not out or not out[-1].startswith(".*"):
                out.append(".*?" if lazy else ".*")
        elif char == "?":
            out.append(".")
        elif char == "[":
            bracket, after = _bracket(pattern, index)
            out.append(bracket or "\\[")
            index = after
        else:
            out.append(literal(char))
    return "".join(out)


def literal(char: str) -> str:
    """Return one character escaped for RE2."""
    return char if char.isalnum() or char == "_" or ord(char) > 127 else f"\\x{ord(char):02x}"


def _bracket(pattern: str, start: int) -> tuple[str, int]:
    """Translate a bracket expression whose `[` stands before `start`; ("", start) when it isn't closed."""
    index = start
    negated = pattern[index : index + 1] in ("!", "^")
    index += negated
    out: list[str] = []
    first = True
    while index < len(pattern):
        char = pattern[index]
        if char == "]" and not first:
            return f"[{'^' if negated else ''}{''.join(out)}]", index + 1
        first = False
        if pattern.startswith("[:", index):
            name = pattern[index + 2 : pattern.find(":]", index)]
            if name in CLASSES:
                out.append(f"[:{name}:]")
                index += len(name) + 4
                continue
        if char == "\\" and index + 1 < len(pattern):
            index += 1
            char = pattern[index]
        index += 1
        if pattern[index : index + 1] == "-" and pattern[index + 1 : index + 2] not in ("]", ""):
            high = pattern[index + 1]
            index += 2
            if char <= high:
                out.append(f"{literal(char)}-{literal(high)}")
            continue
        out.append(literal(char))
    return "", start


def options(*, longest: bool = True) -> Any:
    """Return RE2 options: quiet, bounded memory, dot matches newline by prefix."""
    made = re2.Options()
    made.log_errors = False
    made.longest_match = longest
    made.max_mem = 1 << 22
    return made


@lru_cache(maxsize=512)
def compiled(pattern: str, lazy: bool = False) -> Any:
    """Return the compiled pattern, None when RE2 can't take it (it then matches nothing)."""
    if len(pattern) > MAX_PATTERN:
        return None
    try:
        return re2.compile("(?s)" + clean(to_regex(pattern, lazy=lazy)), options(longest=not lazy))
    except re2.error:
        return None


def clean(text: str) -> str:
    """Return `text` with bytes that are no UTF-8 replaced one by one, so that RE2 takes it and lengths stay."""
    if text.isascii():
        return text
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole of `text` matches."""
    if not has_magic(pattern):
        return unescape(pattern) == text
    if pattern == "*":
        return True
    program = compiled(pattern)
    return program is not None and program.fullmatch(clean(text)) is not None


def strip(pattern: str, text: str, op: str) -> str:
    """Return `text` without the prefix (#, ##) or suffix (%, %%) that matches."""
    if not has_magic(pattern):
        plain = unescape(pattern)
        if op[0] == "#":
            return text.removeprefix(plain)
        return text.removesuffix(plain)
    regex = clean(to_regex(pattern, lazy=len(op) == 1))
    program = _anchored(regex, op)
    found = program.match(clean(text)) if program is not None and len(pattern) <= MAX_PATTERN else None
    if found is None:
        return text
    return text[found.end() :] if op[0] == "#" else text[: found.start(1)]


@lru_cache(maxsize=256)
def _anchored(regex: str, op: str) -> Any:
    # The longest suffix has the shortest head before it, so the head's greed is the opposite of the suffix's.
    heads = {"%": f"(?s).*({regex})$", "%%": f"(?s).*?({regex})$", "#": f"(?s){regex}", "##": f"(?s){regex}"}
    try:
        return re2.compile(heads[op].replace("$", "\\z") if op[0] == "%" else heads[op], options(longest=op == "##"))
    except re2.error:
        return None


def replace(pattern: str, by: str, text: str, *, every: bool) -> str:
    """Return `text` with the first (or every) longest match replaced; a leading # or % anchors."""
    anchor = pattern[:1] if pattern[:1] in ("#", "%") and not every else ""
    program = compiled(pattern[len(anchor) :])
    if program is None or not pattern:
        return text
    if anchor:
        if anchor == "#":
            found = program.match(clean(text))
            return by + text[found.end() :] if found else text
        rest = strip(pattern[1:], text, "%%")
        return rest + by if rest != text else text
    out: list[str] = []
    last = 0
    for found in program.finditer(clean(text)):
        if found.end() == found.start():
            continue
        out += [text[last : found.start()], by]
        last = found.end()
        if not every:
            break
    return "".join([*out, text[last:]])
