"""What a shell remembers: variables, parameters, functions, options, traps."""

from __future__ import annotations

from dataclasses import dataclass, field

from kit.embedded.images.busybox.arithmetic import ArithmeticFailure, compile_expression
from kit.embedded.images.busybox.syntax import Node

MAX_MEMORY = 16 << 20  # bytes of one shell's variables
MAX_VALUE = 4 << 20
MAX_VARIABLE_DEPTH = 20
DEFAULT_IFS = " \t\n"
OPTION_LETTERS = {"e": "errexit", "f": "noglob", "I": "ignoreeof", "i": "interactive", "m": "monitor", "n": "noexec",
                  "s": "stdin", "x": "xtrace", "v": "verbose", "C": "noclobber", "a": "allexport", "b": "notify",
                  "u": "nounset"}  # fmt: skip
LONG_OPTIONS = (*OPTION_LETTERS.values(), "vi", "pipefail")


class Failure(Exception):
    """An error that ends the command line and, in a script, the shell; `str()` is what follows the prefix with `command`."""

    def __init__(self, message: str, status: int = 2, command: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.command = command


class Exit(Exception):
    """The shell ends with `status`."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Jump(Exception):
    """`break`, `continue` or `return` on its way up; `count` loops are left."""

    def __init__(self, kind: str, count: int = 1) -> None:
        super().__init__(kind)
        self.kind = kind
        self.count = count


@dataclass(slots=True)
class State:
    """One shell's memory; `copy` is what a subshell starts with."""

    variables: dict[str, str] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    readonly: set[str] = field(default_factory=set)
    functions: dict[str, Node] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    options: set[str] = field(default_factory=set)
    traps: dict[int, str] = field(default_factory=dict)
    params: list[str] = field(default_factory=list)
    arg0: str = "sh"
    script: str = ""
    cwd: str = "/"
    status: int = 0
    pid: int = 0
    last_background: int = 0
    umask: int = 0o22
    frames: list[dict[str, str | None]] = field(default_factory=list)
    loops: int = 0
    sourced: int = 0
    optind_at: int = 1
    memory: int = 0

    def copy(self) -> State:
        """Return the state of a subshell: the same but independent, without the traps that catch."""
        made = State(
            dict(self.variables), set(self.exported), set(self.readonly), dict(self.functions), dict(self.aliases)
        )
        made.options = self.options - {"interactive", "monitor"}
        made.traps = {number: action for number, action in self.traps.items() if not action}
        made.params, made.arg0, made.script, made.cwd = list(self.params), self.arg0, self.script, self.cwd
        made.status, made.pid, made.last_background, made.umask = (
            self.status,
            self.pid,
            self.last_background,
            self.umask,
        )
        made.frames = [dict(frame) for frame in self.frames]
        made.loops, made.sourced, made.memory = self.loops, self.sourced, self.memory
        return made

    # --- variables ---

    def set(self, name: str, value: str, *, export: bool = False) -> None:
        """Set a variable; read-only ones and too much memory are refused."""
        if name in self.readonly:
            raise Failure(f"{name}: is read only")
        self.memory += len(value) - len(self.variables.get(name, ""))
        if len(value) > MAX_VALUE or self.memory > MAX_MEMORY:
            raise Failure("out of memory", 1)
        self.variables[name] = value
        if export or "allexport" in self.options:
            self.exported.add(name)

    def unset(self, name: str) -> None:
        """Forget a variable."""
        if name in self.readonly:
            raise Failure(f"{name}: is read only")
        self.memory -= len(self.variables.pop(name, ""))
        self.exported.discard(name)

    def get(self, name: str) -> str | None:
        """Return a parameter's value, None when it is unset; `@` and `*` are not for here."""
        value = self.variables.get(name)
        if value is not None:
            return value
        if name.isdigit():
            index = int(name) if len(name) < 8 else 1 << 30
            if index == 0:
                return self.arg0
            return self.params[index - 1] if index <= len(self.params) else None
        return self._special(name)

    def _special(self, name: str) -> str | None:
        if name == "?":
            return str(self.status)
        if name == "#":
            return str(len(self.params))
        if name == "$":
            return str(self.pid)
        if name == "!":
            return str(self.last_background) if self.last_background else None
        if name == "-":
            return "".join(letter for letter, option in OPTION_LETTERS.items() if option in self.options)
        return None

    def environment(self) -> dict[str, str]:
        """Return what a child gets as its environment."""
        variables = self.variables
        return {name: variables[name] for name in variables if name in self.exported}

    @property
    def ifs(self) -> str:
        """The field separators."""
        return self.variables.get("IFS", DEFAULT_IFS)

    # --- arithmetic ---

    def get_number(self, name: str, depth: int) -> int:
        """Return a variable as a number; what isn't a literal is computed as an expression (arithmetic.Scope)."""
        value = self.variables.get(name, "")
        if not value:
            if "nounset" in self.options and name not in self.variables:
                raise Failure(f"{name}: parameter not set")
            return 0
        if value.isdecimal() and value.isascii() and len(value) < 19 and value[0] != "0":
            return int(value)
        if depth >= MAX_VARIABLE_DEPTH:
            raise ArithmeticFailure("expression recursion loop detected")
        return compile_expression(value[:MAX_EXPRESSION])(self, depth + 1)

    def set_number(self, name: str, value: int) -> None:
        """Set a variable to a number (arithmetic.Scope)."""
        self.set(name, str(value))

    # --- functions ---

    def localise(self, name: str) -> None:
        """Make a variable local to the function that runs."""
        frame = self.frames[-1]
        if name not in frame:
            frame[name] = self.variables.get(name)

    def leave(self) -> None:
        """Give the variables back that the function made local."""
        for name, value in self.frames.pop().items():
            self.readonly.discard(name)
            if value is None:
                self.unset(name)
            else:
                self.set(name, value)


MAX_EXPRESSION = 4096
