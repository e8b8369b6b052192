"""From words to fields: parameters, substitutions, arithmetic, tilde, splitting, patterns (POSIX 2.6)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.arithmetic import ArithmeticFailure, Evaluate, compile_expression
from kit.embedded.images.busybox.fields import Fields, glob
from kit.embedded.images.busybox.pattern import replace, strip
from kit.embedded.images.busybox.state import MAX_EXPRESSION, Failure
from kit.embedded.images.busybox.syntax import (
    Arithmetic,
    Parameter,
    Part,
    Substitution,
    Text,
    Tilde,
    Word,
)

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

Steps = Generator[Any, Any, Any]


class Expander:
    """Expands words for one shell; its methods are generators because a substitution runs commands."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.compiled: dict[str, Evaluate] = {}

    def words(self, words: Sequence[Word]) -> Generator[Any, Any, list[str]]:
        """Return the fields of `words`, globbed."""
        state = self.shell.state
        out: list[str] = []
        for word in words:
            if word.literal is not None:
                out.append(word.literal)
                continue
            fields = Fields(state.ifs)
            yield from self._parts(fields, word.parts)
            fields.end()
            for value, pattern in fields.done:
                if pattern is None or "noglob" in state.options:
                    out.append(value)
                else:
                    out.extend(glob(self.shell.ctx.fs, state.cwd, pattern) or [value])
        return out

    def text(self, word: Word) -> Generator[Any, Any, str]:
        """Return a word as one string: not split, not globbed."""
        if word.literal is not None:
            return word.literal
        fields = Fields(split=False)
        yield from self._parts(fields, word.parts)
        return "".join(fields.value)

    def pattern(self, word: Word) -> Generator[Any, Any, str]:
        """Return a word as a pattern whose quoted characters are escaped."""
        fields = Fields(split=False)
        yield from self._parts(fields, word.parts)
        return "".join(fields.pattern)

    def number(self, text: str) -> int:
        """Compute an arithmetic expression."""
        evaluate = self.compiled.get(text)
        try:
            if evaluate is None:
                if len(text) > MAX_EXPRESSION:
                    raise ArithmeticFailure("arithmetic syntax error")
                evaluate = compile_expression(text)
                if len(self.compiled) < 256:
                    self.compiled[text] = evaluate
            return evaluate(self.shell.state, 0)
        except ArithmeticFailure as error:
            raise Failure(str(error)) from None

    # --- parts ---

    def _parts(self, fields: Fields, parts: Sequence[Part]) -> Steps:
        for part in parts:
            if isinstance(part, Text):
                (fields.quoted if part.quoted else fields.literal)(part.text)
            elif isinstance(part, Parameter):
                yield from self._parameter(fields, part)
            elif isinstance(part, Substitution):
                _add(fields, (yield from self.shell.substitute(part.body)), part.quoted)
            elif isinstance(part, Arithmetic):
                text = yield from self.text(part.word)
                _add(fields, str(self.number(text)), part.quoted)
            elif isinstance(part, Tilde):
                fields.quoted(self._home(part.user))
            else:
                fields.quoted((yield from self.shell.process_pipe(part)))

    def _home(self, user: str) -> str:
        state = self.shell.state
        if not user:
            home = state.get("HOME")
            return "~" if home is None else home
        try:
            accounts = self.shell.ctx.fs.read("/etc/passwd").decode("utf-8", "replace")
        except Errno:
            return "~" + user
        for line in accounts.splitlines():
            entry = line.split(":")
            if entry[0] == user and len(entry) > 5:
                return entry[5]
        return "~" + user

    def _parameter(self, fields: Fields, part: Parameter) -> Steps:
        state = self.shell.state
        name, op = part.name, part.op
        if name in ("@", "*"):
            if op in ("", "-", ":-", "+", ":+") or not op:
                chosen = yield from self._alternative(fields, part, " ".join(state.params) if state.params else None)
                if not chosen:
                    self._all(fields, part)
                return
            value: str | None = _separator(state.ifs).join(state.params)
            if op == "len":
                value, op = "", ""
                _add(fields, str(len(state.params)), part.quoted)
                return
        else:
            value = state.get(name)
        if op == "":
            if value is None:
                self._unset(name)
                return
            _add(fields, value, part.quoted)
        elif op == "len":
            if value is None:
                self._unset(name)
            _add(fields, str(len(value or "")), part.quoted)
        elif not (yield from self._alternative(fields, part, value)):
            _add(fields, (yield from self._changed(part, value)), part.quoted)

    def _unset(self, name: str) -> None:
        if "nounset" in self.shell.state.options:
            raise Failure(f"{name}: parameter not set")

    def _all(self, fields: Fields, part: Parameter) -> None:
        """Add all positional parameters."""
        params = self.shell.state.params
        if not fields.split or (part.quoted and part.name == "*"):
            joined = (" " if part.name == "@" else _separator(self.shell.state.ifs)).join(params)
            _add(fields, joined, part.quoted)
            return
        if part.quoted and not params and fields.value == [""]:
            fields.value, fields.pattern, fields.open = [], [], False
        for index, value in enumerate(params):
            if index:
                fields.end()
            _add(fields, value, part.quoted)

    def _alternative(self, fields: Fields, part: Parameter, value: str | None) -> Generator[Any, Any, bool]:
        """Do the operators - = ? + with their `:` forms; True when they gave the result."""
        op, word = part.op, part.word
        if op[-1:] not in ("-", "=", "?", "+") or word is None:
            return False
        missing = value is None or (op[0] == ":" and not value)
        kind = op[-1]
        if kind == "+":
            if not missing:
                yield from self._parts(fields, word.parts)
            return True
        if not missing:
            return False
        if kind == "-":
            yield from self._parts(fields, word.parts)
        elif kind == "=":
            text = yield from self.text(word)
            if not (part.name[0].isalpha() or part.name[0] == "_"):
                raise Failure(f"{part.name}: bad variable name")
            self.shell.state.set(part.name, text)
            _add(fields, text, part.quoted)
        else:
            text = yield from self.text(word)
            raise Failure(
                f"{part.name}: {text or ('parameter not set or null' if op[0] == ':' else 'parameter not set')}"
            )
        return True

    def _changed(self, part: Parameter, value: str | None) -> Generator[Any, Any, str]:
        """Return the value after # ## % %% / // or a substring."""
        if value is None:
            self._unset(part.name)
            value = ""
        word = part.word or Word(())
        if part.op in ("#", "##", "%", "%%"):
            return strip((yield from self.pattern(word)), value, part.op)
        if part.op in ("/", "//"):
            pattern = yield from self.pattern(word)
            by = (yield from self.text(part.other)) if part.other else ""
            return replace(pattern, by, value, every=part.op == "//")
        if part.op == ":":
            start = self.number((yield from self.text(word)))
            length = self.number((yield from self.text(part.other))) if part.other else None
            return _substring(value, start, length)
        return value


def _add(fields: Fields, text: str, quoted: bool) -> None:
    (fields.quoted if quoted else fields.expanded)(text)


def _separator(ifs: str) -> str:
    return ifs[:1]


def _substring(value: str, start: int, length: int | None) -> str:
    if start < 0:
        start += len(value)
        if start < 0:
            return ""
    if length is None:
        return value[start:]
    return value[start : len(value) + length] if length < 0 else value[start : start + length]
