"""`xargs` (models busybox findutils/xargs.c)."""

from __future__ import annotations

from typing import Any

from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, table
from kit.embedded.images.busybox.applets.search import run
from kit.embedded.images.busybox.words import natural


def _items(text: str) -> list[str]:
    """Split xargs's input: blanks divide, quotes and backslashes protect."""
    items: list[str] = []
    current: list[str] | None = None
    index = 0
    while index < len(text):
        char = text[index]
        index += 1
        if char in " \t\n":
            if current is not None:
                items.append("".join(current))
            current = None
            continue
        current = [] if current is None else current
        if char in "'\"":
            end = text.find(char, index)
            if end < 0:
                raise Fail(f"unmatched {'single' if char == chr(39) else 'double'} quote")
            current.append(text[index:end])
            index = end + 1
        elif char == "\\" and index < len(text):
            current.append(text[index])
            index += 1
        else:
            current.append(char)
    if current is not None:
        items.append("".join(current))
    return items


def xargs(command: Command) -> Steps:
    """Run a program with the input's words as arguments."""
    words = command.parse(
        "0rtn:I:P:s:E:pxoL:", {"null": "0", "no-run-if-empty": "r", "max-args": "n:", "max-procs": "P:"}, permute=False
    )
    data = yield from command.whole("-")
    text = (data or b"").decode("utf-8", "surrogateescape")
    words = words or ["echo"]
    if command.has("0"):
        items = [item for item in text.split("\0") if item]
    elif command.has("I"):
        items = [line.strip() for line in text.split("\n") if line.strip()]
    else:
        items = _items(text)
    if not items and (command.has("r") or command.has("I")):
        return 0
    size = natural(str(command.options.get("n", 5000)))
    if not size:
        raise Fail(f"invalid number '{command.options['n']}'")
    status = 0
    if command.has("I"):
        calls = [[word.replace(str(command.options["I"]), item) for word in words] for item in items]
    else:
        calls = [[*words, *items[at : at + size]] for at in range(0, max(1, len(items)), size)]
    for call in calls:
        if command.has("t"):
            yield from command.raw_error(" ".join(call) + "\n")
        found = yield from run(command, call)
        if found in (126, 127):
            return found
        if found == 255:
            return 124
        status = 123 if found else status
    return status


APPLETS: dict[str, Any] = table((("xargs", xargs, "xargs [OPTIONS] [PROG ARGS]"),))
