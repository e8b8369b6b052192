"""Property names as identifiers. Models k8s.io/apiserver/pkg/cel/escaping.go."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

RESERVED: Final = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_SPECIAL: Final = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_IDENTIFIER: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")


KEYWORDS: Final = frozenset({"true", "false", "null", "in"})


def identifiers(name: str) -> tuple[str, ...]:
    """Return what a property can be called in an expression: reserved words that are no keywords stand for themselves too."""
    own = escaped(name)
    if name in RESERVED and name not in KEYWORDS:
        return (own, name)
    return (own,) if own else ()


@lru_cache(maxsize=4096)
def escaped(name: str) -> str:
    """Return the identifier of a property, "" for one that has none."""
    if name in RESERVED:
        return f"__{name}__"
    out = re.sub(r"__|[.\-/]", lambda found: _SPECIAL[found[0]], name)
    return out if _IDENTIFIER.fullmatch(out) else ""
