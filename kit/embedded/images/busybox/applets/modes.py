"""File modes: as numbers, as `u+rwx` and as `ls -l` shows them."""

from __future__ import annotations

from kit.embedded.core.inodes import Device, Dir, Link, Node

WHO = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}
PERMISSIONS = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}


def parse_mode(text: str, old: int, *, directory: bool) -> int | None:
    """Return the mode that `text` makes of `old`, None when `text` is no mode."""
    if text and len(text) < 6 and set(text) <= set("01234567"):
        value = int(text, 8)
        return value if value <= 0o7777 else None
    mode = old & 0o7777
    for clause in text.split(","):
        changed = _clause(clause, mode, directory=directory)
        if changed is None:
            return None
        mode = changed
    return mode


def _clause(clause: str, mode: int, *, directory: bool) -> int | None:
    index = 0
    mask = 0
    while index < len(clause) and clause[index] in WHO:
        mask |= WHO[clause[index]]
        index += 1
    if index >= len(clause):
        return None
    limit = mask or 0o7777 & ~0o022
    while index < len(clause):
        op = clause[index]
        if op not in "+-=":
            return None
        index += 1
        bits = 0
        while index < len(clause) and clause[index] not in "+-=":
            letter = clause[index]
            index += 1
            if letter == "X":
                bits |= 0o111 if directory or mode & 0o111 else 0
            elif letter in PERMISSIONS:
                bits |= PERMISSIONS[letter]
            else:
                return None
        bits &= limit
        mode = mode | bits if op == "+" else mode & ~bits if op == "-" else (mode & ~(mask or 0o777)) | bits
    return mode


def mode_text(node: Node) -> str:
    """Return a node's type and mode as `-rwxr-xr-x`."""
    kind = "d" if isinstance(node, Dir) else "l" if isinstance(node, Link) else "c" if isinstance(node, Device) else "-"
    mode = 0o777 if isinstance(node, Link) else node.mode
    text = "".join(letter if mode & (0o400 >> index) else "-" for index, letter in enumerate("rwxrwxrwx"))
    for bit, at, letter in ((0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")):
        if mode & bit:
            text = text[:at] + (letter if text[at] == "x" else letter.upper()) + text[at + 1 :]
    return kind + text
