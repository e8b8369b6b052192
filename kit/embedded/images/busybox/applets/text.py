"""Applets on lines: cut, tr, sort, uniq, paste, fold, comm (refused), expand-free."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.program import Open, Read, Write
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.words import natural

CLASSES = {
    "alpha": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "digit": "0123456789",
    "alnum": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "space": "\t\n\v\f\r ",
    "blank": "\t ",
    "punct": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "xdigit": "0123456789ABCDEFabcdef",
    "cntrl": "".join(map(chr, [*range(32), 127])),
    "print": "".join(map(chr, range(32, 127))),
    "graph": "".join(map(chr, range(33, 127))),
}
ESCAPES = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, "\\": 92}


def cut(command: Command) -> Steps:
    """Cut fields, characters or bytes out of lines."""
    words = command.parse("b:c:f:d:sn", {"output-delimiter": "o:", "complement": "k", "only-delimited": "s"})
    kinds = [letter for letter in "bcf" if command.has(letter)]
    if not kinds:
        raise Fail("expected a list of bytes, characters, or fields")
    if len(kinds) > 1:
        raise Fail("only one type of list may be specified")
    if command.has("k"):
        raise Fail("--complement is not simulated")
    delimiter = str(command.options.get("d", "\t"))
    if len(delimiter) != 1:
        raise Fail("the delimiter must be a single character")
    ranges = _ranges(str(command.options[kinds[0]]))
    joiner = str(command.options.get("o", delimiter))
    for path in words or ["-"]:
        data = yield from command.whole(path)
        for line in _lines(data):
            if kinds[0] != "f":
                picked = [line[at] for at in _picked(ranges, len(line))]
                command.out("".join(picked) + "\n")
                continue
            fields = line.split(delimiter)
            if len(fields) == 1:
                command.out("" if command.has("s") else line + "\n")
                continue
            command.out(joiner.join(fields[at] for at in _picked(ranges, len(fields))) + "\n")
        yield from command.flush()
    return 0


def _lines(data: bytes | None) -> list[str]:
    text = (data or b"").decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _ranges(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for piece in text.split(","):
        low, dash, high = piece.partition("-")
        start = natural(low) if low else 1
        end = (natural(high) if high else 1 << 30) if dash else start
        if not start or not end or (not low and not high) or end < start:
            raise Fail(f"invalid range {piece}")
        found.append((start - 1, end))
    return sorted(found)


def _picked(ranges: list[tuple[int, int]], count: int) -> list[int]:
    return sorted({at for start, end in ranges for at in range(start, min(end, count))})


def tr(command: Command) -> Steps:
    """Translate, squeeze or delete characters."""
    words = command.parse("cCdst", {"complement": "c", "delete": "d", "squeeze-repeats": "s"}, permute=False)
    delete, squeeze = command.has("d"), command.has("s")
    if not words or len(words) > 2 or (len(words) == 1 and not delete and not squeeze):
        raise Usage
    first = _set(words[0])
    if command.has("c") or command.has("C"):
        first = [byte for byte in range(256) if byte not in set(first)]
    second = _set(words[1]) if len(words) > 1 else []
    removed = bytes(first) if delete else b""
    mapping = list(range(256))
    if second and not delete:
        for index, byte in enumerate(first):
            mapping[byte] = second[min(index, len(second) - 1)]
    table_bytes = bytes(mapping)
    squeezed = set(second if len(words) > 1 else first) if squeeze else set()
    last = -1
    while chunk := (yield Read(0)):
        chunk = chunk.translate(table_bytes, removed)
        if squeezed:
            kept = bytearray()
            for byte in chunk:
                if byte != last or byte not in squeezed:
                    kept.append(byte)
                last = byte
            chunk = bytes(kept)
        if chunk:
            yield Write(1, chunk)
    return 0


def _set(text: str) -> list[int]:
    """Return the bytes of a tr set: ranges, classes, escapes."""
    out: list[int] = []
    data = text.encode("utf-8", "surrogateescape")
    index = 0
    while index < len(data):
        if data.startswith(b"[:", index) and b":]" in data[index:]:
            name = data[index + 2 : data.index(b":]", index)].decode("latin-1")
            if name in CLASSES:
                out += CLASSES[name].encode()
                index += len(name) + 4
                continue
        byte, index = _byte(data, index)
        if data[index : index + 1] == b"-" and index + 1 < len(data):
            high, index = _byte(data, index + 1)
            if high < byte:
                raise Fail(f"range {chr(byte)}-{chr(high)} is reversed")
            out += range(byte, high + 1)
        else:
            out.append(byte)
    return out


def _byte(data: bytes, index: int) -> tuple[int, int]:
    if data[index] != 92 or index + 1 >= len(data):
        return data[index], index + 1
    char = chr(data[index + 1])
    if char in "01234567":
        end = index + 1
        while end < len(data) and end < index + 4 and chr(data[end]) in "01234567":
            end += 1
        return int(data[index + 1 : end], 8) & 255, end
    return ESCAPES.get(char, data[index + 1]), index + 2


# --- sort and uniq ---


def sort(command: Command) -> Steps:
    """Sort lines."""
    words = command.parse("nrughMcbdfiozt:k::o:sS:T:mV")
    for letter in "Mcdim":
        if command.has(letter):
            raise Fail(f"-{letter} is not simulated")
    lines: list[str] = []
    for path in words or ["-"]:
        data = yield from command.whole(path)
        if data is None:
            return 2
        lines += _lines(data)
    keys = [_key(command, str(text)) for text in command.options.get("k", [])] or [_key(command, "1")]
    lines.sort(key=lambda line: line.encode("utf-8", "surrogateescape"))
    if command.has("r") and not command.has("k"):
        lines.reverse()
    for key, flags in reversed(keys):
        lines.sort(key=_comparable(key, flags), reverse="r" in flags)
    if command.has("u"):
        seen: set[Any] = set()
        kept: list[str] = []
        for line in lines:
            mark = tuple(_comparable(key, flags)(line) for key, flags in keys)
            if mark not in seen:
                seen.add(mark)
                kept.append(line)
        lines = kept
    text = "".join(line + "\n" for line in lines)
    if command.has("o"):
        fd = yield Open(str(command.options["o"]), "w")
        yield Write(fd, text.encode("utf-8", "surrogateescape"))
    else:
        command.out(text)
    return 0


def _key(command: Command, text: str) -> tuple[Any, str]:
    """Return (function line -> key text, flags) of a -k option."""
    start_text, _, end_text = text.partition(",")
    flags = "".join(char for char in text if char.isalpha()) or "".join(
        letter for letter in "nrfbghV" if command.has(letter)
    )
    start = _position(start_text)
    end = _position(end_text) if end_text else None
    separator = str(command.options["t"])[:1] if command.has("t") else None
    whole = start == (1, 1) and end is None

    def extract(line: str) -> str:
        if whole:
            return line
        fields = line.split(separator) if separator else _blank_fields(line)
        chosen = fields[start[0] - 1 : end[0] if end else None]
        joined = (separator or "").join(chosen)
        return joined[start[1] - 1 :]

    return extract, flags


def _blank_fields(line: str) -> list[str]:
    """Split where a blank follows a non-blank; the blanks stay at the beginning of their field."""
    fields: list[str] = []
    start = 0
    for index in range(1, len(line)):
        if line[index] in " \t" and line[index - 1] not in " \t":
            fields.append(line[start:index])
            start = index
    return [*fields, line[start:]]


def _position(text: str) -> tuple[int, int]:
    digits = "".join(char for char in text if not char.isalpha())
    field, _, char = digits.partition(".")
    first, second = natural(field), natural(char) if char else 1
    if not first or second is None:
        raise Fail("bad field specification")
    return first, second or 1


def _number(text: str) -> float:
    stripped = text.strip()
    end = 0
    while end < len(stripped) and (
        stripped[end].isdigit() or stripped[end] == "." or (end == 0 and stripped[end] in "+-")
    ):
        end += 1
    try:
        return float(stripped[:end])
    except ValueError:
        return 0.0


def _comparable(extract: Any, flags: str) -> Any:
    units = {"K": 1, "M": 2, "G": 3, "T": 4}

    def version(text: str) -> list[tuple[int, Any]]:
        parts: list[tuple[int, Any]] = []
        index = 0
        while index < len(text):
            end = index
            digit = text[index].isdigit()
            while end < len(text) and text[end].isdigit() == digit:
                end += 1
            piece = text[index:end]
            parts.append((0, int(piece[:300])) if digit and piece.isascii() else (1, piece))
            index = end
        return parts

    def key(line: str) -> Any:
        text: str = extract(line)
        if "h" in flags:
            return (units.get(text.strip()[-1:].upper(), 0), _number(text))
        if "n" in flags or "g" in flags:
            return _number(text)
        if "V" in flags:
            return tuple(version(text))
        if "b" in flags:
            text = text.lstrip(" \t")
        return (text.upper() if "f" in flags else text).encode("utf-8", "surrogateescape")

    return key


def uniq(command: Command) -> Steps:
    """Join equal neighbours."""
    words = command.parse("cdiuf:s:w:z")
    data = yield from command.whole(words[0] if words else "-")
    if data is None:
        return 1
    fields, chars = natural(str(command.options.get("f", 0))) or 0, natural(str(command.options.get("s", 0))) or 0
    groups: list[list[Any]] = []
    for line in _lines(data):
        key = " ".join(line.split()[fields:]) if fields else line[chars:]
        key = key.lower() if command.has("i") else key
        if groups and groups[-1][0] == key:
            groups[-1][2] += 1
        else:
            groups.append([key, line, 1])
    for _, line, count in groups:
        if (command.has("d") and count == 1) or (command.has("u") and count > 1):
            continue
        command.out((f"{count:7d} " if command.has("c") else "") + line + "\n")
    return 0


def paste(command: Command) -> Steps:
    """Join lines of files side by side."""
    words = command.parse("d:s")
    delimiter = str(command.options.get("d", "\t"))[:1]
    columns: list[list[str]] = []
    for path in words or ["-"]:
        data = yield from command.whole(path)
        columns.append(_lines(data))
    if command.has("s"):
        command.out("".join(delimiter.join(column) + "\n" for column in columns))
        return 0
    for index in range(max((len(column) for column in columns), default=0)):
        command.out(delimiter.join(column[index] if index < len(column) else "" for column in columns) + "\n")
    return 0


def fold(command: Command) -> Steps:
    """Break long lines."""
    words = command.parse("bsw:")
    width = natural(str(command.options.get("w", 80)))
    if not width:
        raise Fail(f"invalid number '{command.options['w']}'")
    for path in words or ["-"]:
        for line in _lines((yield from command.whole(path))):
            command.out("\n".join(line[at : at + width] for at in range(0, max(1, len(line)), width)) + "\n")
    return 0


def comm(command: Command) -> Steps:
    """Compare two sorted files line by line."""
    words = command.parse("123")
    if len(words) != 2:
        raise Usage
    left = _lines((yield from command.whole(words[0])))
    right = _lines((yield from command.whole(words[1])))
    first, second = 0, 0
    while first < len(left) or second < len(right):
        if second >= len(right) or (first < len(left) and left[first] < right[second]):
            column, line = 1, left[first]
            first += 1
        elif first >= len(left) or right[second] < left[first]:
            column, line = 2, right[second]
            second += 1
        else:
            column, line = 3, left[first]
            first, second = first + 1, second + 1
        if not command.has(str(column)):
            command.out("\t" * sum(not command.has(str(each)) for each in range(1, column)) + line + "\n")
    return 0


APPLETS: dict[str, Any] = table((
    ("cut", cut, "cut {-b|c LIST | -f LIST [-d SEP] [-s]} [FILE]..."),
    ("tr", tr, "tr [-cds] STRING1 [STRING2]"),
    ("sort", sort, "sort [-nrughMcszbdfiokt] [-o FILE] [-k START[.OFS][OPTS][,END[.OFS][OPTS]] [-t CHAR] [FILE]..."),
    ("uniq", uniq, "uniq [-cduiz] [-f,s,w N] [FILE [OUTFILE]]"),
    ("paste", paste, "paste [-d DELIM] [-s] [FILE]..."),
    ("fold", fold, "fold [-bs] [-w WIDTH] [FILE]..."),
    ("comm", comm, "comm [-123] FILE1 FILE2"),
))  # fmt: skip
