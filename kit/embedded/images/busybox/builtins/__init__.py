"""The shell's builtins: one table, `BUILTINS`; those in `SPECIAL` end a script when they fail (POSIX 2.14)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from kit.embedded.images.busybox.builtins import control, directories, names, processes, text, variables

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

Builtin = Callable[["Shell", list[str]], Generator[Any, Any, int] | int]

BUILTINS: dict[str, Builtin] = {
    **control.BUILTINS,
    **directories.BUILTINS,
    **names.BUILTINS,
    **processes.BUILTINS,
    **text.BUILTINS,
    **variables.BUILTINS,
}
SPECIAL = frozenset((":", ".", "source", "break", "continue", "eval", "exec", "exit", "export", "local", "readonly", "return", "set",
                     "shift", "times", "trap", "unset"))  # fmt: skip
