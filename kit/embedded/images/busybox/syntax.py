"""The shell's syntax tree: what the parser builds and the executor walks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class SyntaxFailure(Exception):
    """A line the shell can't parse. `incomplete` says that more input could still finish it."""

    def __init__(self, message: str, *, incomplete: bool = False, line: int = 0) -> None:
        super().__init__(message)
        self.incomplete = incomplete
        self.line = line


@dataclass(slots=True)
class Text:
    """Literal characters; `quoted` ones are neither split nor patterns."""

    text: str
    quoted: bool = False


@dataclass(slots=True)
class Parameter:
    """`$name` and every `${name...}` form; `op` is "" or the operator, "len" for `${#name}`."""

    name: str
    op: str = ""
    word: Word | None = None
    other: Word | None = None
    quoted: bool = False


@dataclass(slots=True)
class Substitution:
    """`$(commands)`."""

    body: Node | None
    quoted: bool = False


@dataclass(slots=True)
class Arithmetic:
    """`$((expression))`."""

    word: Word
    quoted: bool = False


@dataclass(slots=True)
class Tilde:
    """`~` or `~user` at the start of a word."""

    user: str
    quoted: bool = False


@dataclass(slots=True)
class ProcessPipe:
    """`<(commands)` or `>(commands)`."""

    body: Node | None
    reads: bool = True
    quoted: bool = False


Part = Text | Parameter | Substitution | Arithmetic | Tilde | ProcessPipe


@dataclass(slots=True)
class Word:
    """One word; `literal` is its value when nothing in it has to be expanded, `raw` its source text."""

    parts: tuple[Part, ...]
    literal: str | None = None
    raw: str = ""


@dataclass(slots=True)
class Redirect:
    """One redirection; `op` is < > >> >| <> <& >& << or <<-."""

    fd: int
    op: str
    target: Word


@dataclass(slots=True)
class Assignment:
    """`name=value` before a command."""

    name: str
    value: Word
    append: bool = False


@dataclass(slots=True)
class Simple:
    """A simple command; `words` empty means assignments or redirections alone."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]
    line: int = 0
    literals: tuple[str, ...] | None = None


@dataclass(slots=True)
class Pipeline:
    """Commands joined by `|`, perhaps after `!`."""

    commands: tuple[Node, ...]
    negated: bool = False


@dataclass(slots=True)
class AndOr:
    """`first && second || third`: `rest` holds (operator, command)."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(slots=True)
class Background:
    """`command &`."""

    command: Node


@dataclass(slots=True)
class Sequence:
    """Commands one after the other."""

    commands: tuple[Node, ...]


@dataclass(slots=True)
class Subshell:
    """`( commands )`."""

    body: Node


@dataclass(slots=True)
class If:
    """`if`; `branches` holds (condition, body)."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


@dataclass(slots=True)
class Loop:
    """`while` and, with `until`, `until`."""

    condition: Node
    body: Node
    until: bool


@dataclass(slots=True)
class For:
    """`for name in words`; `words` None means the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Node


@dataclass(slots=True)
class Case:
    """`case`; each item is (patterns, body)."""

    word: Word
    items: tuple[tuple[tuple[Word, ...], Node | None], ...]


@dataclass(slots=True)
class Function:
    """A function's definition."""

    name: str
    body: Node


@dataclass(slots=True)
class Redirected:
    """A compound command with redirections."""

    body: Node
    redirects: tuple[Redirect, ...]


@dataclass(slots=True)
class HereDocument:
    """A here-document the parser has seen and whose body the lexer still has to read."""

    delimiter: str
    strip: bool
    quoted: bool
    word: Word = field(default_factory=lambda: Word((), ""))


Node = (
    Simple | Pipeline | AndOr | Background | Sequence | Subshell | If | Loop | For | Case | Function | Redirected | Any
)


def word_of(parts: list[Part], raw: str = "") -> Word:
    """Make a word, merging neighbours and working its literal value out."""
    merged: list[Part] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, Text) and isinstance(last, Text) and part.quoted == last.quoted:
            merged[-1] = Text(last.text + part.text, part.quoted)
        else:
            merged.append(part)
    literal: str | None = None
    if all(isinstance(p, Text) and (p.quoted or not is_magic(p.text)) for p in merged):
        literal = "".join(p.text for p in merged if isinstance(p, Text))
    return Word(tuple(merged), literal, raw)


def is_magic(text: str) -> bool:
    """Say whether unquoted text may be a pattern; a lone `[` (the command) is none."""
    return "*" in text or "?" in text or ("[" in text and text != "[")
