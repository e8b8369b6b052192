"""`echo`'s escapes and `printf`'s formats (models busybox coreutils/echo.c, printf.c)."""

from __future__ import annotations

SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, "e": 27}
MAX_WIDTH = 4096
MAX_ROUNDS = 100_000


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def escapes(text: str, *, zero: bool) -> tuple[bytes, bool]:
    """Return the bytes of a text with its backslash escapes done, and whether `\\c` ended it; `zero`: octal begins with 0."""
    out = bytearray()
    index = 0
    while index < len(text):
        slash = text.find("\\", index)
        if slash < 0 or slash + 1 >= len(text):
            break
        out += _encode(text[index:slash])
        char = text[slash + 1]
        index = slash + 2
        if char in SIMPLE:
            out.append(SIMPLE[char])
        elif char == "c":
            return bytes(out), True
        elif char == "x" and _run(text, index, "0123456789abcdefABCDEF", 2):
            digits = _run(text, index, "0123456789abcdefABCDEF", 2)
            out.append(int(digits, 16))
            index += len(digits)
        elif char in "01234567" and (char == "0" or not zero):
            start = index if zero else index - 1
            digits = _run(text, start, "01234567", 3)
            out.append(int(digits or "0", 8) & 255)
            index = start + len(digits)
        else:
            out += _encode("\\" + char)
    return bytes(out + _encode(text[index:])), False


def _run(text: str, start: int, allowed: str, most: int) -> str:
    end = start
    while end < len(text) and end - start < most and text[end] in allowed:
        end += 1
    return text[start:end]


def echo_text(words: list[str]) -> bytes:
    """Return what `echo` writes."""
    newline, interpret = True, False
    index = 0
    while index < len(words):
        word = words[index]
        if len(word) < 2 or word[0] != "-" or set(word[1:]) - set("neE"):
            break
        newline = newline and "n" not in word
        for letter in word[1:]:
            interpret = letter == "e" if letter in "eE" else interpret
        index += 1
    text = " ".join(words[index:])
    if interpret:
        data, stopped = escapes(text, zero=True)
        return data if stopped or not newline else data + b"\n"
    return _encode(text + "\n" if newline else text)


class _Arguments:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.used = 0
        self.errors: list[str] = []

    def take(self) -> str | None:
        if self.used < len(self.words):
            self.used += 1
            return self.words[self.used - 1]
        return None

    def number(self, word: str | None) -> int:
        word = word or ""
        if word[:1] in ("'", '"'):
            return ord(word[1]) if len(word) > 1 else 0
        try:
            if len(word) > 64:
                raise ValueError
            sign = -1 if word.startswith("-") else 1
            body = word.lstrip("+-") if word[:1] in ("+", "-") else word
            if body[:2] in ("0x", "0X"):
                return sign * int(body, 16)
            return sign * (int(body, 8) if len(body) > 1 and body[0] == "0" else int(body))
        except ValueError:
            self.errors.append(f"invalid number '{word}'")
            return 0

    def real(self, word: str | None) -> float:
        try:
            return float(word) if word else 0.0
        except ValueError:
            self.errors.append(f"invalid number '{word}'")
            return 0.0


def printf_text(template: str, words: list[str]) -> tuple[bytes, list[str]]:
    """Return what `printf` writes, and its complaints; the format is used again while arguments are left."""
    arguments = _Arguments(words)
    out = bytearray()
    for _ in range(MAX_ROUNDS):
        before = arguments.used
        stopped = _once(template, arguments, out)
        if stopped or arguments.used >= len(words) or arguments.used == before:
            break
    return bytes(out), arguments.errors


def _once(template: str, arguments: _Arguments, out: bytearray) -> bool:
    """Do the format once; True when `\\c` or a bad directive ended it."""
    index = 0
    while index < len(template):
        percent = template.find("%", index)
        text = template[index:] if percent < 0 else template[index:percent]
        data, stopped = escapes(text, zero=False)
        out += data
        if stopped or percent < 0:
            return stopped
        if template.startswith("%%", percent):
            out.append(37)
            index = percent + 2
            continue
        end = percent + 1
        while end < len(template) and template[end] in "-+ #0":
            end += 1
        flags = template[percent + 1 : end]
        width, end = _size(template, end, arguments)
        precision: int | None = None
        if template[end : end + 1] == ".":
            precision, end = _size(template, end + 1, arguments)
            precision = precision or 0
        while template[end : end + 1] in ("h", "l", "L", "z", "q"):
            end += 1
        kind = template[end : end + 1]
        if kind not in tuple("diouxXeEfFgGcsb"):
            arguments.errors.append(f"{template[percent : end + 1]}: invalid format")
            return True
        if _directive(kind, flags, width, precision, arguments, out):
            return True
        index = end + 1
    return False


def _size(template: str, at: int, arguments: _Arguments) -> tuple[int | None, int]:
    if template[at : at + 1] == "*":
        return max(-MAX_WIDTH, min(MAX_WIDTH, arguments.number(arguments.take()))), at + 1
    digits = _run(template, at, "0123456789", 6)
    return (min(int(digits), MAX_WIDTH) if digits else None), at + len(digits)


def _directive(
    kind: str, flags: str, width: int | None, precision: int | None, arguments: _Arguments, out: bytearray
) -> bool:
    word = arguments.take()
    stopped = False
    if kind in "sbc":
        data = _encode(word or "")
        if kind == "b":
            data, stopped = escapes(word or "", zero=True)
        data = data[:1] if kind == "c" else data if precision is None else data[:precision]
        flags = flags.replace("0", "")
    elif kind in "eEfFgG":
        sign = "".join(flag for flag in "+ #" if flag in flags)
        places = 6 if precision is None else precision
        data = f"%{sign}.{places}{kind}".encode() % arguments.real(word)
    else:
        value = arguments.number(word)
        if kind in "ouxX" and value < 0:
            value += 1 << 64
        sign = "".join(flag for flag in "+ #" if flag in flags) if kind in "di" else ("#" if "#" in flags else "")
        if kind == "o" and "#" in sign:
            data = f"0{value:o}".encode()
        else:
            code = "d" if kind in "diu" else kind
            data = f"%{sign}{'' if precision is None else f'.{precision}'}{code}".encode() % value
    out += _padded(data, flags, width or 0)
    return stopped


def _padded(data: bytes, flags: str, width: int) -> bytes:
    if "-" in flags or width < 0:
        return data.ljust(abs(width))
    if "0" in flags:
        sign = data[:1] if data[:1] in (b"-", b"+", b" ") else b""
        return sign + data[len(sign) :].rjust(width - len(sign), b"0")
    return data.rjust(width)
