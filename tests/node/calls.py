"""A call of kubectl: its words, and what came of it."""

from __future__ import annotations

MERGE = {"content-type": "application/strategic-merge-patch+json"}
JSON_MERGE = {"content-type": "application/merge-patch+json"}
FLAGS = ("-c", "-n", "-l", "-o", "-p", "--image", "--port", "--restart", "--type", "--tail", "--field-selector")
Ran = tuple[str | None, str, int | None]


class Words:
    """A command's words: flags and the rest; what follows `--` is in `argv`."""

    def __init__(self, words: list[str]) -> None:
        self.argv = words[words.index("--") + 1 :] if "--" in words else None
        self.flags: dict[str, str] = {}
        self.rest: list[str] = []
        plain = iter(words[: words.index("--")] if "--" in words else words)
        for word in plain:
            name, equals, value = word.partition("=")
            if not word.startswith("-"):
                self.rest.append(word)
            elif not equals and name in FLAGS:
                self.flags[name] = next(plain)
            else:
                self.flags[name] = value
        if "-it" in self.flags:
            self.flags |= {"-i": "", "-t": ""}

    def get(self, name: str) -> str | None:
        """Return a flag's value."""
        return self.flags.get(name)
