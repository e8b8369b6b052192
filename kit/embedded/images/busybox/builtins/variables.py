"""Builtins about variables: export, readonly, local, unset, set, shift, read, getopts, let."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from kit.embedded.core.program import Errno, Now, Poll, Read
from kit.embedded.images.busybox.state import LONG_OPTIONS, OPTION_LETTERS, Failure
from kit.embedded.images.busybox.trampoline import Interrupted
from kit.embedded.images.busybox.words import is_name, natural, quoted

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

Steps = Generator[Any, Any, int]
MAX_LINE = 1 << 20


def export(shell: Shell, argv: list[str]) -> Steps:
    """`export` and `readonly`."""
    state = shell.state
    marked = state.exported if argv[0] == "export" else state.readonly
    words = argv[1:]
    remove = False
    while words and words[0] in ("-p", "-n", "--"):
        remove = remove or words[0] == "-n"
        words.pop(0)
    if not words:
        lines = [
            f"{argv[0]} {name}={quoted(state.variables[name])}\n" for name in sorted(marked) if name in state.variables
        ]
        yield from shell.write(1, "".join(lines))
        return 0
    for word in words:
        name, equals, value = word.partition("=")
        if not is_name(name):
            raise Failure(f"{name}: bad variable name")
        if equals:
            state.set(name, value)
        if remove:
            marked.discard(name)
        else:
            marked.add(name)
    return 0


def local(shell: Shell, argv: list[str]) -> Steps:
    """Make variables local to the function."""
    if not shell.state.frames:
        raise Failure("not in a function")
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if not is_name(name):
            raise Failure(f"{name}: bad variable name")
        shell.state.localise(name)
        if equals:
            shell.state.set(name, value)
    return 0
    yield


def unset(shell: Shell, argv: list[str]) -> Steps:
    """Forget variables (`-v`) or functions (`-f`)."""
    functions = argv[1:2] == ["-f"]
    for name in argv[2:] if argv[1:2] in (["-f"], ["-v"]) else argv[1:]:
        if not functions and not is_name(name):
            raise Failure(f"{name}: bad variable name")
        if functions:
            shell.state.functions.pop(name, None)
        else:
            shell.state.unset(name)
    return 0
    yield


def set_options(shell: Shell, argv: list[str]) -> Steps:
    """`set`: show the variables, change options, give new positional parameters."""
    state = shell.state
    words = argv[1:]
    if not words:
        lines = [f"{name}={quoted(value)}\n" for name, value in sorted(state.variables.items()) if is_name(name)]
        yield from shell.write(1, "".join(lines))
        return 0
    while words and words[0][:1] in ("-", "+") and len(words[0]) > 1:
        word = words.pop(0)
        if word == "--":
            state.params = words
            return 0
        change = state.options.add if word[0] == "-" else state.options.discard
        for letter in word[1:]:
            if letter == "o":
                if not words:
                    lines = [f"{name:<16}{'on' if name in state.options else 'off'}\n" for name in LONG_OPTIONS]
                    yield from shell.write(1, "".join(lines))
                    return 0
                name = words.pop(0)
                if name not in LONG_OPTIONS:
                    raise Failure(f"illegal option {word[0]}o {name}")
                change(name)
            elif letter in OPTION_LETTERS:
                change(OPTION_LETTERS[letter])
            else:
                raise Failure(f"illegal option {word[0]}{letter}")
    if words:
        state.params = words[1:] if words[0] == "-" else words
    return 0


def shift(shell: Shell, argv: list[str]) -> Steps:
    """Drop positional parameters."""
    count = natural(argv[1]) if len(argv) > 1 else 1
    if count is None:
        raise Failure(f"Illegal number: {argv[1]}")
    if count > len(shell.state.params):
        return 1
    shell.state.params = shell.state.params[count:]
    return 0
    yield


def let(shell: Shell, argv: list[str]) -> Steps:
    """Compute expressions; 0 when the last is not zero."""
    if len(argv) < 2:
        raise Failure("expression expected")
    value = 0
    for word in argv[1:]:
        value = shell.expander.number(word)
    return int(value == 0)
    yield


# --- read ---


class ReadOptions:
    """The options of `read`."""

    def __init__(self, argv: list[str]) -> None:
        self.raw = self.silent = False
        self.prompt = ""
        self.fd, self.count = 0, 0
        self.timeout_ms: int | None = None
        self.delimiter = b"\n"
        words = argv[1:]
        while words and words[0].startswith("-") and len(words[0]) > 1:
            word = words.pop(0)
            if word == "--":
                break
            for index, letter in enumerate(word[1:], 1):
                if letter in "rs":
                    self.raw = self.raw or letter == "r"
                    continue
                value = word[index + 1 :] or (words.pop(0) if words else "")
                self._take(letter, value)
                break
        self.names = words or ["REPLY"]

    def _take(self, letter: str, value: str) -> None:
        if letter == "p":
            self.prompt = value
        elif letter == "d":
            self.delimiter = value[:1].encode("utf-8", "surrogateescape") or b"\0"
        elif letter in "nu":
            number = natural(value)
            if number is None:
                raise Failure(f"invalid {'count' if letter == 'n' else 'file descriptor'}")
            if letter == "n":
                self.count = number
            else:
                self.fd = number
        elif letter == "t":
            try:
                self.timeout_ms = int(float(value) * 1000)
            except (ValueError, OverflowError):
                raise Failure("invalid timeout") from None
        else:
            raise Failure(f"Illegal option -{letter}")


def read(shell: Shell, argv: list[str]) -> Steps:
    """Read a line into variables."""
    options = ReadOptions(argv)
    if options.prompt:
        yield from shell.write(2, options.prompt)
    real = shell.io.get(options.fd)
    if real is None:
        raise Failure("read error: Bad file descriptor", 1)
    for name in options.names:
        if not is_name(name):
            raise Failure(f"{name}: bad variable name")
    shell.signals.breakable = True
    try:
        characters, status = yield from _characters(real, options)
    except Interrupted:
        return 128 + (shell.signals.pending[0] if shell.signals.pending else 1)
    except Errno as error:
        raise Failure(f"read error: {error}", 1) from None
    finally:
        shell.signals.breakable = False
    values = _divide(characters, shell.state.ifs, len(options.names))
    for name, value in zip(options.names, values, strict=True):
        shell.state.set(name, value)
    return status


def _characters(real: int, options: ReadOptions) -> Generator[Any, Any, tuple[list[tuple[str, bool]], int]]:
    """Read up to the delimiter -> ([(character, escaped)], status); byte by byte, as others read on from here."""
    deadline = None
    if options.timeout_ms is not None:
        deadline = (yield Now()) + options.timeout_ms
    out: list[tuple[bytes, bool]] = []
    escaped = False
    status = 1
    while len(out) < MAX_LINE:
        if deadline is not None and not (yield Poll((real,), max(0, deadline - (yield Now())))):
            break
        byte: bytes = yield Read(real, 1)
        if not byte:
            break
        if escaped:
            escaped = False
            if byte != b"\n":
                out.append((byte, True))
            continue
        if byte == options.delimiter:
            status = 0
            break
        if byte == b"\\" and not options.raw:
            escaped = True
            continue
        if byte != b"\0":
            out.append((byte, False))
        if options.count and len(out) >= options.count:
            status = 0
            break
    return _decoded(out), status


def _decoded(out: list[tuple[bytes, bool]]) -> list[tuple[str, bool]]:
    text = b"".join(byte for byte, _ in out).decode("utf-8", "surrogateescape")
    if len(text) == len(out):
        return [(char, flag) for char, (_, flag) in zip(text, out, strict=True)]
    found: list[tuple[str, bool]] = []
    index = 0
    for char in text:
        found.append((char, out[index][1]))
        index += len(char.encode("utf-8", "surrogateescape"))
    return found


def _divide(characters: list[tuple[str, bool]], ifs: str, count: int) -> list[str]:
    """Split a line into `count` values at IFS; the last gets the rest."""
    blanks = frozenset(char for char in ifs if char in " \t\n")
    begin, end = 0, len(characters)
    while begin < end and characters[begin][0] in blanks and not characters[begin][1]:
        begin += 1
    while end > begin and characters[end - 1][0] in blanks and not characters[end - 1][1]:
        end -= 1
    values: list[str] = []
    index = begin
    while len(values) < count - 1 and index < end:
        value: list[str] = []
        while index < end and (characters[index][1] or characters[index][0] not in ifs):
            value.append(characters[index][0])
            index += 1
        values.append("".join(value))
        hard = False
        while index < end and not characters[index][1] and characters[index][0] in ifs:
            if characters[index][0] not in blanks:
                if hard:
                    break
                hard = True
            index += 1
    rest = characters[index:end]
    if rest and not rest[-1][1] and rest[-1][0] in ifs and sum(char in ifs for char, _ in rest) == 1:
        rest = rest[:-1]
    values.append("".join(char for char, _ in rest))
    return values + [""] * (count - len(values))


def getopts(shell: Shell, argv: list[str]) -> Steps:
    """Take the next option out of the parameters."""
    if len(argv) < 3:
        raise Failure("usage: getopts optstring var [arg]")
    state = shell.state
    spec, name = argv[1], argv[2]
    words = argv[3:] or state.params
    index = natural(state.variables.get("OPTIND", "1")) or 1
    if index == 1 and state.optind_at == 0:
        state.optind_at = 1
    place = max(1, state.optind_at)
    if index > len(words) or (place == 1 and (words[index - 1][:1] != "-" or len(words[index - 1]) < 2)):
        state.set(name, "?")
        state.optind_at = 0
        return 1
    word = words[index - 1]
    if word == "--":
        state.set("OPTIND", str(index + 1))
        state.set(name, "?")
        return 1
    letter = word[place] if place < len(word) else "?"
    at = spec.find(letter) if letter != ":" else -1
    argument: str | None = None
    more = place + 1 < len(word)
    if at >= 0 and spec[at + 1 : at + 2] == ":":
        if more:
            argument = word[place + 1 :]
        elif index < len(words):
            index += 1
            argument = words[index - 1]
        more = False
        if argument is None:
            at = -2
    state.optind_at = place + 1 if more else 1
    state.set("OPTIND", str(index if more else index + 1))
    return (yield from _option(shell, name, letter, argument, at, quiet=spec.startswith(":")))


def _option(shell: Shell, name: str, letter: str, argument: str | None, at: int, *, quiet: bool) -> Steps:
    state = shell.state
    if at >= 0:
        state.set(name, letter)
        if argument is None:
            state.unset("OPTARG")
        else:
            state.set("OPTARG", argument)
        return 0
    state.set(name, ":" if quiet and at == -2 else "?")
    if quiet:
        state.set("OPTARG", letter)
    else:
        state.unset("OPTARG")
        problem = f"No arg for -{letter} option" if at == -2 else f"Illegal option -{letter}"
        yield from shell.write(2, problem + "\n")
    return 0


BUILTINS: dict[str, Any] = {
    "export": export,
    "readonly": export,
    "local": local,
    "unset": unset,
    "set": set_options,
    "shift": shift,
    "let": let,
    "read": read,
    "getopts": getopts,
}
