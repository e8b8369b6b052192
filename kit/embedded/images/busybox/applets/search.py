"""`find` (models busybox findutils/find.c)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from kit.embedded.core.inodes import Device, Dir, File, Link, Node
from kit.embedded.core.program import Burn, Errno, Spawn, Wait
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.applets.identity import find_program
from kit.embedded.images.busybox.pattern import matches
from kit.embedded.images.busybox.words import integer, natural

Check = Callable[[str, Node], Generator[Any, Any, bool]]
TYPES = {"f": File, "d": Dir, "l": Link, "c": Device}
SIZES = {"c": 1, "w": 2, "b": 512, "k": 1024, "M": 1 << 20, "G": 1 << 30}
MAX_DEPTH = 100


class Find:
    """Parses an expression into a check and walks the trees."""

    def __init__(self, command: Command, words: list[str], now: int) -> None:
        self.command = command
        self.words = words
        self.pos = 0
        self.now = now
        self.deepest, self.least = MAX_DEPTH, 0
        self.acts = self.depth_first = self.pruned = False
        self.depth = 0
        self.batches: list[tuple[list[str], list[str]]] = []

    def check(self) -> Check:
        """Return the whole expression."""
        test = self._or() if self.words else _always
        if self.pos < len(self.words):
            raise Fail(f"unrecognized: {self.words[self.pos]}")
        if self.acts:
            return test

        def shown(path: str, node: Node) -> Generator[Any, Any, bool]:
            if (yield from test(path, node)):
                self.command.out(path + "\n")
            return True

        return shown

    def _next(self) -> str:
        return self.words[self.pos] if self.pos < len(self.words) else ""

    def _take(self) -> str:
        if self.pos >= len(self.words):
            raise Fail(f"{self.words[-1]}: requires an argument" if self.words else "missing argument")
        self.pos += 1
        return self.words[self.pos - 1]

    def _or(self) -> Check:
        left = self._and()
        while self._next() in ("-o", "-or"):
            self.pos += 1
            left = _either(left, self._and())
        return left

    def _and(self) -> Check:
        left = self._not()
        while self._next() and self._next() not in ("-o", "-or", ")"):
            if self._next() in ("-a", "-and"):
                self.pos += 1
            left = _both(left, self._not())
        return left

    def _not(self) -> Check:
        if self._next() in ("!", "-not"):
            self.pos += 1
            return _negated(self._not())
        if self._next() == "(":
            self.pos += 1
            self.depth += 1
            if self.depth > 50:
                raise Fail("expression nested too deeply (not simulated)")
            inner = self._or()
            if self._take() != ")":
                raise Fail("unmatched '('")
            return inner
        return self._primary(self._take())

    def _primary(self, word: str) -> Check:
        name = word[1:]
        maker = getattr(self, "_p_" + name.replace("-", "_"), None) if word.startswith("-") else None
        if maker is None:
            raise Fail(f"unrecognized: {word}")
        check: Check = maker()
        return check

    # --- primaries: one method a word ---

    def _p_name(self) -> Check:
        pattern = self._take()
        return _plain(lambda path, node: matches(pattern, path.rstrip("/").rsplit("/", 1)[-1] or "/"))

    def _p_iname(self) -> Check:
        pattern = self._take().lower()
        return _plain(lambda path, node: matches(pattern, path.rsplit("/", 1)[-1].lower()))

    def _p_path(self) -> Check:
        pattern = self._take()
        return _plain(lambda path, node: matches(pattern, path))

    def _p_type(self) -> Check:
        kinds = self._take().split(",")
        for kind in kinds:
            if kind not in TYPES:
                raise Fail(
                    f"unknown type '{kind}'"
                    if len(kind) != 1 or kind not in "bps"
                    else f"type '{kind}' is not simulated"
                )
        return _plain(lambda path, node: any(isinstance(node, TYPES[kind]) for kind in kinds))

    def _p_maxdepth(self) -> Check:
        self.deepest = min(MAX_DEPTH, self._count())
        return _always

    def _p_mindepth(self) -> Check:
        self.least = self._count()
        return _always

    def _count(self) -> int:
        word = self._take()
        value = natural(word)
        if value is None:
            raise Fail(f"invalid number '{word}'")
        return value

    def _compared(self, word: str) -> Callable[[int], bool]:
        value = integer(word.lstrip("+-"))
        if value is None:
            raise Fail(f"invalid number '{word}'")
        if word.startswith("+"):
            return lambda actual: actual > value
        return (lambda actual: actual < value) if word.startswith("-") else lambda actual: actual == value

    def _p_size(self) -> Check:
        word = self._take()
        unit = SIZES.get(word[-1:], 0)
        compare = self._compared(word[:-1] if unit else word)
        scale = unit or 512
        return _plain(lambda path, node: compare(-(-(node.size if isinstance(node, File) else 4096) // scale)))

    def _p_mtime(self) -> Check:
        compare = self._compared(self._take())
        return _plain(lambda path, node: compare((self.now - getattr(node, "mtime", 0)) // 86_400_000))

    def _p_mmin(self) -> Check:
        compare = self._compared(self._take())
        return _plain(lambda path, node: compare((self.now - getattr(node, "mtime", 0)) // 60_000))

    def _p_newer(self) -> Check:
        time = getattr(self.command.node(self._take()), "mtime", 0)
        return _plain(lambda path, node: getattr(node, "mtime", 0) > time)

    def _p_empty(self) -> Check:
        return _plain(lambda path, node: not (node.children if isinstance(node, Dir) else getattr(node, "size", 1)))

    def _p_perm(self) -> Check:
        word = self._take()
        digits = word.lstrip("-/")
        if not digits or not set(digits) <= set("01234567") or len(digits) > 5:
            raise Fail(f"invalid mode '{word}'")
        wanted = int(digits, 8)
        if word.startswith("-"):
            return _plain(lambda path, node: getattr(node, "mode", 0o777) & wanted == wanted)
        if word.startswith("/"):
            return _plain(lambda path, node: bool(getattr(node, "mode", 0o777) & wanted))
        return _plain(lambda path, node: getattr(node, "mode", 0o777) == wanted)

    def _p_true(self) -> Check:
        return _always

    def _p_depth(self) -> Check:
        self.depth_first = True
        return _always

    def _p_xdev(self) -> Check:
        return _always

    def _p_prune(self) -> Check:
        def check(path: str, node: Node) -> Generator[Any, Any, bool]:
            self.pruned = True
            return True
            yield

        return check

    def _p_print(self) -> Check:
        return self._printing("\n")

    def _p_print0(self) -> Check:
        return self._printing("\0")

    def _printing(self, end: str) -> Check:
        self.acts = True

        def check(path: str, node: Node) -> Generator[Any, Any, bool]:
            self.command.out(path + end)
            return True
            yield

        return check

    def _p_delete(self) -> Check:
        self.acts = self.depth_first = True

        def check(path: str, node: Node) -> Generator[Any, Any, bool]:
            try:
                self.command.allowed(path)
                self.command.fs.remove(path, self.command.ctx.cwd, now=self.now)
            except Errno as error:
                yield from self.command.say(f"{path}: {error}")
                return False
            return True

        return check

    def _p_exec(self) -> Check:
        self.acts = True
        words: list[str] = []
        while (word := self._take()) != ";":
            if word == "+" and words[-1:] == ["{}"]:
                found: list[str] = []
                self.batches.append((words[:-1], found))
                return _collecting(found)
            words.append(word)

        def check(path: str, node: Node) -> Generator[Any, Any, bool]:
            return (yield from run(self.command, [word.replace("{}", path) for word in words])) == 0

        return check

    # --- walking ---

    def walk(self, path: str, check: Check, depth: int) -> Generator[Any, Any, None]:
        """Check a path and what is below it."""
        try:
            node = self.command.node(path, follow=False)
        except Errno as error:
            yield from self.command.say(f"{path}: {error}")
            return
        if depth % 10 == 0:
            yield Burn(100)
        self.pruned = False
        if not self.depth_first and depth >= self.least:
            yield from check(path, node)
            if self.command.full():
                yield from self.command.flush()
        if isinstance(node, Dir) and depth < self.deepest and not self.pruned:
            for name in list(node.children):
                yield from self.walk(f"{path.rstrip('/')}/{name}", check, depth + 1)
        if self.depth_first and depth >= self.least:
            yield from check(path, node)


def _always(path: str, node: Node) -> Generator[Any, Any, bool]:
    return True
    yield


def _plain(test: Callable[[str, Node], Any]) -> Check:
    def check(path: str, node: Node) -> Generator[Any, Any, bool]:
        return bool(test(path, node))
        yield

    return check


def _collecting(found: list[str]) -> Check:
    def check(path: str, node: Node) -> Generator[Any, Any, bool]:
        found.append(path)
        return True
        yield

    return check


def _both(left: Check, right: Check) -> Check:
    def check(path: str, node: Node) -> Generator[Any, Any, bool]:
        return (yield from left(path, node)) and (yield from right(path, node))

    return check


def _either(left: Check, right: Check) -> Check:
    def check(path: str, node: Node) -> Generator[Any, Any, bool]:
        return (yield from left(path, node)) or (yield from right(path, node))

    return check


def _negated(inner: Check) -> Check:
    def check(path: str, node: Node) -> Generator[Any, Any, bool]:
        return not (yield from inner(path, node))

    return check


def run(command: Command, words: list[str], stdin: int = 0) -> Generator[Any, Any, int]:
    """Run a program and return its status."""
    yield from command.flush()
    try:
        pid = yield Spawn(find_program(command, words[0]), tuple(words), dict(command.ctx.env), command.ctx.cwd)
    except Errno as error:
        yield from command.say(
            f"can't execute '{words[0]}': {error}" if command.name != "xargs" else f"{words[0]}: {error}"
        )
        return 127
    return int((yield Wait(pid))[1])


def find(command: Command) -> Steps:
    """Search file trees."""
    words = list(command.args)
    while words and words[0] in ("-H", "-L", "-P"):
        if words.pop(0) == "-L":
            raise Fail("-L is not simulated")
    paths: list[str] = []
    while words and not (words[0].startswith("-") or words[0] in ("!", "(")):
        paths.append(words.pop(0))
    if words == ["--help"]:
        raise Usage
    search = Find(command, words, (yield from command.now()))
    check = search.check()
    for path in paths or ["."]:
        yield from search.walk(path, check, 0)
    for head, found in search.batches:
        if found:
            yield from run(command, [*head, *found])
    return 0


APPLETS: dict[str, Any] = table((("find", find, "find [-HL] [PATH]... [OPTIONS] [ACTIONS]"),))
