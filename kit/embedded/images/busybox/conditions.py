"""`test`: files, strings and numbers compared (models busybox coreutils/test.c)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Mapping
from typing import Any

from kit.embedded.core.inodes import Device, Dir, File, Link, Node
from kit.embedded.core.program import Context, Errno, IsTty
from kit.embedded.images.busybox.words import integer

STRINGS = frozenset(("=", "==", "!=", "<", ">"))
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "-eq": operator.eq,
    "-ne": operator.ne,
    "-gt": operator.gt,
    "-ge": operator.ge,
    "-lt": operator.lt,
    "-le": operator.le,
}
NUMBERS = frozenset(COMPARE)
FILES = frozenset(("-nt", "-ot", "-ef"))
BINARY = STRINGS | NUMBERS | FILES | {"=~"}
UNARY = frozenset("-" + letter for letter in "bcdefgGhkLnOprsStuwxz")
MAX_DEPTH = 50


class TestFailure(Exception):
    """An expression `test` doesn't understand; the status is 2."""

    __test__ = False


class Test:
    """Evaluates one expression; `io` maps the shell's descriptors for `-t`."""

    __test__ = False

    def __init__(self, ctx: Context, cwd: str, io: Mapping[int, int], words: list[str]) -> None:
        self.ctx = ctx
        self.cwd = cwd
        self.io = io
        self.words = words
        self.pos = 0
        self.depth = 0

    def run(self) -> Generator[Any, Any, int]:
        """Return 0 for true, 1 for false."""
        if not self.words:
            return 1
        truth = yield from self._whole()
        if self.pos < len(self.words):
            raise TestFailure(f"{self.words[self.pos]}: unknown operand")
        return int(not truth)

    def _whole(self) -> Generator[Any, Any, bool]:
        """Decide the short forms by their number of words, as POSIX asks."""
        words = self.words
        count = len(words)
        if count == 3 and words[1] in BINARY and words[0] != "!":
            self.pos = 3
            return self._binary(words[0], words[1], words[2])
        if count == 1:
            self.pos = 1
            return words[0] != ""
        if count == 2 and words[0] == "!":
            self.pos = 2
            return words[1] == ""
        return (yield from self._or())

    def _next(self, ahead: int = 0) -> str | None:
        index = self.pos + ahead
        return self.words[index] if index < len(self.words) else None

    def _or(self) -> Generator[Any, Any, bool]:
        truth = yield from self._and()
        while self._next() == "-o":
            self.pos += 1
            other = yield from self._and()
            truth = truth or other
        return truth

    def _and(self) -> Generator[Any, Any, bool]:
        truth = yield from self._not()
        while self._next() == "-a":
            self.pos += 1
            other = yield from self._not()
            truth = truth and other
        return truth

    def _not(self) -> Generator[Any, Any, bool]:
        negated = False
        while self._next() == "!" and self._next(1) is not None and self._next(1) not in BINARY:
            self.pos += 1
            negated = not negated
        return (yield from self._primary()) != negated

    def _primary(self) -> Generator[Any, Any, bool]:
        word = self._next()
        if word is None:
            raise TestFailure("argument expected")
        following = self._next(1)
        if following in BINARY and following is not None:
            right = self._next(2)
            if right is not None:
                self.pos += 3
                return self._binary(word, following, right)
        if word == "(":
            self.pos += 1
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise TestFailure("nested too deeply (not simulated)")
            truth = yield from self._or()
            if self._next() != ")":
                raise TestFailure("closing paren expected")
            self.pos += 1
            return truth
        if word in UNARY and following is not None:
            self.pos += 2
            if word == "-t":
                return (yield from self._terminal(following))
            return self._unary(word, following)
        self.pos += 1
        return word != ""

    def _terminal(self, text: str) -> Generator[Any, Any, bool]:
        number = _number(text)
        if number not in self.io:
            return False
        try:
            answer: bool = yield IsTty(self.io[number])
        except Errno:
            return False
        return answer

    def _binary(self, left: str, op: str, right: str) -> bool:
        if op in STRINGS:
            table = {"=": left == right, "==": left == right, "!=": left != right, "<": left < right, ">": left > right}
            return table[op]
        if op == "=~":
            raise TestFailure("=~: not simulated")
        if op in FILES:
            return self._files(left, op, right)
        return COMPARE[op](_number(left), _number(right))

    def _files(self, left: str, op: str, right: str) -> bool:
        a, b = self._node(left), self._node(right)
        if op == "-ef":
            return a is not None and a is b
        times = [getattr(node, "mtime", -1) if node is not None else -1 for node in (a, b)]
        return times[0] > times[1] if op == "-nt" else times[0] < times[1]

    def _node(self, path: str, *, follow: bool = True) -> Node | None:
        try:
            return self.ctx.fs.lookup(path, self.cwd, follow=follow)
        except Errno:
            return None

    def _unary(self, op: str, text: str) -> bool:
        if op in ("-n", "-z"):
            return bool(text) == (op == "-n")
        if op in ("-h", "-L"):
            return isinstance(self._node(text, follow=False), Link)
        node = self._node(text)
        if node is None:
            return False
        mode = getattr(node, "mode", 0o777)
        if op in ("-r", "-w", "-x"):
            return permits(self.ctx, node, {"-r": 4, "-w": 2, "-x": 1}[op])
        checks = {
            "-e": True,
            "-f": isinstance(node, File),
            "-d": isinstance(node, Dir),
            "-c": isinstance(node, Device),
            "-s": isinstance(node, Dir) or (isinstance(node, File) and node.size > 0),
            "-u": bool(mode & 0o4000),
            "-g": bool(mode & 0o2000),
            "-k": bool(mode & 0o1000),
            "-O": getattr(node, "uid", 0) == self.ctx.uid,
            "-G": getattr(node, "gid", 0) == self.ctx.gid,
        }
        return checks.get(op, False)


def compare(left: str, op: str, right: str) -> bool | None:
    """Compare two words as strings or numbers, None when that is not what `op` does or they are no numbers."""
    if op in ("=", "=="):
        return left == right
    if op == "!=":
        return left != right
    if op not in NUMBERS:
        return None
    a, b = integer(left), integer(right)
    return None if a is None or b is None else COMPARE[op](a, b)


def permits(ctx: Context, node: Node, bit: int) -> bool:
    """Say whether the process may read (4), write (2) or execute (1) a node."""
    mode = getattr(node, "mode", 0o777)
    if ctx.uid == 0:
        return bit != 1 or isinstance(node, Dir) or bool(mode & 0o111)
    shift = 6 if getattr(node, "uid", 0) == ctx.uid else 3 if getattr(node, "gid", 0) == ctx.gid else 0
    return bool((mode >> shift) & bit)


def _number(text: str) -> int:
    value = integer(text)
    if value is None:
        raise TestFailure(f"{text}: bad number" if text else "bad number")
    return value
