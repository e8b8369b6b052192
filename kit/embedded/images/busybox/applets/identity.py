"""Who and where we are: id, whoami, groups, hostname, uname, env, passwd, uptime."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.program import Errno, Exec, Local, Resolve
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, table

UNAME = {"s": "Linux", "n": "", "r": "6.1.0", "v": "#1 SMP", "m": "x86_64", "o": "GNU/Linux"}


def names_of(command: Command, path: str) -> dict[int, str]:
    """Return {number: name} of /etc/passwd or /etc/group."""
    try:
        lines = command.fs.read(path).decode("utf-8", "replace").splitlines()
    except Errno:
        return {}
    entries = [line.split(":") for line in lines]
    return {int(entry[2]): entry[0] for entry in reversed(entries) if len(entry) > 2 and entry[2].isdigit()}


def identity(command: Command) -> Steps:
    """Show user and groups."""
    words = command.parse("ugGnr")
    ctx = command.ctx
    users, groups = names_of(command, "/etc/passwd"), names_of(command, "/etc/group")
    uid, gid = ctx.uid, ctx.gid
    if words:
        found = {name: number for number, name in users.items()}
        if words[0] not in found:
            raise Fail(f"unknown user {words[0]}")
        uid = gid = found[words[0]]
    more = [int(each) for each in ctx.state.get("groups", [])] if not words else []
    all_groups = [gid, *[each for each in more if each != gid]]
    names = command.has("n")
    if command.has("u"):
        command.out(f"{users.get(uid, uid) if names else uid}\n")
    elif command.has("g"):
        command.out(f"{groups.get(gid, gid) if names else gid}\n")
    elif command.has("G"):
        command.out(" ".join(str(groups.get(each, each) if names else each) for each in all_groups) + "\n")
    else:
        listed = ",".join(_with_name(each, groups) for each in all_groups)
        command.out(f"uid={_with_name(uid, users)} gid={_with_name(gid, groups)} groups={listed}\n")
    return 0
    yield


def _with_name(number: int, names: dict[int, str]) -> str:
    return f"{number}({names[number]})" if number in names else str(number)


def whoami(command: Command) -> Steps:
    """Show the user's name."""
    name = names_of(command, "/etc/passwd").get(command.ctx.uid)
    if name is None:
        raise Fail(f"unknown uid {command.ctx.uid}")
    command.out(name + "\n")
    return 0
    yield


def hostname(command: Command) -> Steps:
    """Show the host's name; setting it is refused."""
    words = command.parse("sidfF:")
    if words or command.has("F"):
        raise Fail("sethostname: Operation not permitted")
    name = command.ctx.hostname
    if command.has("i"):
        try:
            address = (yield Resolve(name))[0]
        except Errno:
            address = (yield Local(None))[0]
        command.out(address + "\n")
        return 0
    full = _full_name(command, name)
    if command.has("d"):
        command.out(full.partition(".")[2] + "\n")
    elif command.has("f"):
        command.out(full + "\n")
    else:
        command.out((name.partition(".")[0] if command.has("s") else name) + "\n")
    return 0


def _full_name(command: Command, name: str) -> str:
    try:
        lines = command.fs.read("/etc/hosts").decode("utf-8", "replace").splitlines()
    except Errno:
        return name
    for line in lines:
        words = line.partition("#")[0].split()
        if name in words[1:]:
            return words[1]
    return name


def uname(command: Command) -> Steps:
    """Show the system's name."""
    command.parse("asnrvmpio")
    values = {**UNAME, "n": command.ctx.hostname, "p": "unknown", "i": "unknown"}
    shown = "snrvmo" if command.has("a") else [letter for letter in "snrvmpio" if command.has(letter)] or "s"
    command.out(" ".join(values[letter] for letter in shown) + "\n")
    return 0
    yield


def env(command: Command) -> Steps:
    """Show the environment or run a program in a changed one."""
    command.args = ["-i" if word == "-" else word for word in command.args]
    words = command.parse("iu::0", {"unset": "u::", "ignore-environment": "i"}, permute=False)
    values = {} if command.has("i") else dict(command.ctx.env)
    for name in command.options.get("u", []):
        values.pop(name, None)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        values[name] = value
    if not words:
        end = "\0" if command.has("0") else "\n"
        command.out("".join(f"{name}={value}{end}" for name, value in values.items()))
        return 0
    yield from run_program(command, words, values)
    return 0


def printenv(command: Command) -> Steps:
    """Show the environment, or the values of some names."""
    if not command.args:
        command.out("".join(f"{name}={value}\n" for name, value in command.ctx.env.items()))
    missing = [name for name in command.args if name not in command.ctx.env]
    command.out("".join(f"{command.ctx.env[name]}\n" for name in command.args if name in command.ctx.env))
    return int(bool(missing))
    yield


def run_program(command: Command, words: list[str], env: dict[str, str]) -> Any:
    """Replace this process by a program, or `Fail` as execvp does."""
    try:
        yield Exec(find_program(command, words[0], env), tuple(words), env)
    except Errno as error:
        status = 127 if error.name == "ENOENT" else 126
        raise Fail(f"can't execute '{words[0]}': {error}", status) from None


def find_program(command: Command, name: str, env: dict[str, str] | None = None) -> str:
    """Return the path of a program on PATH; Errno ENOENT when there is none."""
    if "/" in name:
        return name
    values = command.ctx.env if env is None else env
    for directory in values.get("PATH", "/sbin:/usr/sbin:/bin:/usr/bin").split(":"):
        path = f"{directory or '.'}/{name}"
        if command.fs.exists(path, command.ctx.cwd):
            return path
    raise Errno("ENOENT", name)


def passwd(command: Command) -> Steps:
    """Changing passwords is refused."""
    words = command.parse("dlua:")
    if words and words[0] not in names_of(command, "/etc/passwd").values():
        raise Fail(f"unknown user {words[0]}")
    raise Fail("changing a password is not simulated")
    yield


APPLETS: dict[str, Any] = table((
    ("id", identity, "id [-ugGnr] [USER]"),
    ("whoami", whoami, "whoami"),
    ("hostname", hostname, "hostname [-sidf] [HOSTNAME | -F FILE]"),
    ("uname", uname, "uname [-amnrspvio]"),
    ("printenv", printenv, "printenv [VARIABLE]..."),
        ("env", env, "env [-iu] [-] [name=value]... [PROG ARGS]"),
    ("passwd", passwd, "passwd [-a ALG] [-dlu] [USER]"),
))  # fmt: skip
