"""How redis-server is told what to do: a configuration file, then `--name value` words. Models src/config.c."""

from __future__ import annotations

from kit.embedded.core.program import Context, Errno
from kit.embedded.images.redis.commands.admin import CONFIG, setting
from kit.embedded.images.redis.resp import split


class Wrong(Exception):
    """An option that redis refuses; with `config_file` the text is the whole complaint."""

    def __init__(self, text: str, *, config_file: bool = False) -> None:
        super().__init__(text)
        self.config_file = config_file


def options(ctx: Context) -> dict[str, str]:
    """Return the settings given by file and command line. Wrong."""
    words = ctx.argv[1:]
    found: dict[str, str] = {}
    if words and not words[0].startswith("--"):
        found |= _file(ctx, words[0])
        words = words[1:]
    name, values = "", list[str]()
    for word in [*words, "--"]:
        if word.startswith("--"):
            if name:
                found |= _one(name, values)
            name, values = word[2:].lower(), []
        else:
            values.append(word)
    return found


def _file(ctx: Context, path: str) -> dict[str, str]:
    try:
        text = ctx.fs.read(path, ctx.cwd)
    except Errno as error:
        raise Wrong(f"Fatal error, can't open config file '{path}': {error}\n", config_file=True) from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(b"#"):
            continue
        words = [word.decode("utf-8", "surrogateescape") for word in split(line.strip()) or []]
        try:
            found |= _one(words[0].lower(), words[1:]) if words else {}
        except Wrong as wrong:
            why = f"Reading the configuration file, at line {number}\n>>> '{line.decode('utf-8', 'replace').strip()}'"
            raise Wrong(
                f"\n*** FATAL CONFIG FILE ERROR (Redis) ***\n{why}\nBad directive or wrong number of arguments\n",
                config_file=True,
            ) from wrong
    return found


def _one(name: str, values: list[str]) -> dict[str, str]:
    if name not in CONFIG or not values:
        raise Wrong(" ".join([name, *values]))
    value = " ".join(values)
    try:
        return {name: "" if value in ('""', "''") else setting(name, value)}
    except ValueError as error:
        raise Wrong(
            f"\n*** FATAL CONFIG FILE ERROR (Redis) ***\n>>> '{name} {value}'\n{error}\n", config_file=True
        ) from None
