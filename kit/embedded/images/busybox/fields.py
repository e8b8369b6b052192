"""Fields under construction: text with and without quotes, split at IFS, kept as value and as pattern side by side."""

from __future__ import annotations

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import Dir, Link
from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.pattern import escape, has_magic, matches, unescape
from kit.embedded.images.busybox.state import DEFAULT_IFS, Failure
from kit.embedded.images.busybox.syntax import is_magic

MAX_FIELDS = 50_000
MAX_BYTES = 16 << 20


class Fields:
    """Collects the fields of words; without `split` everything is one field."""

    def __init__(self, ifs: str = DEFAULT_IFS, *, split: bool = True) -> None:
        self.ifs = ifs
        self.split = split
        self.done: list[tuple[str, str | None]] = []
        self.value: list[str] = []
        self.pattern: list[str] = []
        self.open = False
        self.magic = False
        self.size = 0

    def _grow(self, text: str) -> None:
        self.size += len(text)
        if self.size > MAX_BYTES or len(self.done) > MAX_FIELDS:
            raise Failure("out of memory", 1)

    def quoted(self, text: str) -> None:
        """Add text that stands for itself; "" makes a field too."""
        self._grow(text)
        self.value.append(text)
        self.pattern.append(escape(text))
        self.open = True

    def literal(self, text: str) -> None:
        """Add unquoted text of the script: a pattern, not split."""
        self._grow(text)
        self.value.append(text)
        self.pattern.append(text)
        self.open = True
        if not self.magic and is_magic(text):
            self.magic = True

    def expanded(self, text: str) -> None:
        """Add the result of an unquoted expansion: split and a pattern."""
        if not self.split or not self.ifs:
            if text:
                self.literal(text)
            return
        if self.ifs == DEFAULT_IFS:
            self._split_blank(text.replace("\t", " ").replace("\n", " "))
        else:
            self._split_other(text)

    def _split_blank(self, text: str) -> None:
        if " " not in text:
            if text:
                self.literal(text)
            return
        self._grow(text)
        if text[0] == " ":
            self.end()
        pieces = [piece for piece in text.split(" ") if piece]
        for index, piece in enumerate(pieces):
            if index:
                self.end()
            self.literal(piece)
        if pieces and text[-1] == " ":
            self.end()

    def _split_other(self, text: str) -> None:
        """Split where IFS has characters that are no blanks: each of them ends a field, blanks around it belong to it."""
        blanks = [char for char in self.ifs if char in DEFAULT_IFS]
        index, size = 0, len(text)
        run: list[str] = []
        pending_blank = False
        while index < size:
            char = text[index]
            index += 1
            if char not in self.ifs:
                if pending_blank and (self.open or run):
                    self._flush(run)
                    self.end()
                pending_blank = False
                run.append(char)
            elif char in blanks:
                pending_blank = True
            else:
                pending_blank = False
                self._flush(run)
                self.open = True
                self.end()
                while index < size and text[index] in blanks:
                    index += 1
        self._flush(run)
        if pending_blank:
            self.end()

    def _flush(self, run: list[str]) -> None:
        if run:
            self.literal("".join(run))
            run.clear()

    def end(self) -> None:
        """Finish the current field, if there is one."""
        if self.open:
            if (
                not self.magic and len(self.pattern) > 1 and "[" in self.pattern
            ):  # `[` and what an expansion put after it
                self.magic = True
            self.done.append(("".join(self.value), "".join(self.pattern) if self.magic else None))
        self.value, self.pattern = [], []
        self.open = self.magic = False


def glob(tree: Tree, cwd: str, pattern: str) -> list[str]:
    """Return the paths that match, sorted; [] when there are none."""
    absolute = pattern.startswith("/")
    parts = [part for part in pattern.split("/") if part]
    found = ["/" if absolute else ""]
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        found = [path for head in found for path in _step(tree, cwd, head, part, last=last)]
        if len(found) > MAX_FIELDS:
            raise Failure("out of memory", 1)
    return sorted(found, key=lambda path: path.encode("utf-8", "surrogateescape"))


def _step(tree: Tree, cwd: str, head: str, part: str, *, last: bool) -> list[str]:
    if not has_magic(part):
        path = head + unescape(part)
        try:
            tree.lookup(path, cwd, follow=False)
        except Errno:
            return []
        return [path if last else path + "/"]
    try:
        node = tree.lookup(head or ".", cwd)
    except Errno:
        return []
    if not isinstance(node, Dir):
        return []
    names = [name for name in node.children if (name[0] != "." or part[0] == ".") and matches(part, name)]
    if last:
        return [head + name for name in names]
    return [f"{head}{name}/" for name in names if isinstance(node.children[name], Dir | Link)]
