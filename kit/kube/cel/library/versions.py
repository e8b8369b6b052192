"""Semantic versions.

Models k8s.io/apiserver/pkg/cel/library/semverlib.go and blang/semver.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kit.kube.cel.numbers import RunError
from kit.kube.gotext import quoted

_WORD: Final = re.compile(r"[0-9A-Za-z-]+")
_NUMBER: Final = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Semver:
    """A version; what it was built of does not count when two are compared."""

    numbers: tuple[int, int, int]
    before: tuple[int | str, ...]
    build: tuple[str, ...] = field(compare=False)
    type_name = "kubernetes.Semver"

    @property
    def order(self) -> tuple[Any, ...]:
        """Return what versions are ordered by: a release comes after what was before it."""
        parts = tuple((0, one, "") if isinstance(one, int) else (1, 0, one) for one in self.before)
        return (self.numbers, not self.before, parts)


def parse(text: str, normalise: bool = False) -> Semver:
    """Return a version; raise RunError."""
    if normalise:
        text = _normal(text)
    if not text:
        raise RunError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise RunError("No Major.Minor.Patch elements found")
    last, plus, build = parts[2].partition("+")
    last, dash, before = last.partition("-")
    named = zip(("Major", "Minor", "Patch"), (parts[0], parts[1], last), strict=True)
    major, minor, patch = (_number(name, part) for name, part in named)
    return Semver(
        (major, minor, patch),
        tuple(map(_before, before.split("."))) if dash else (),
        tuple(map(_build, build.split("."))) if plus else (),
    )


def _number(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise RunError(f"Invalid character(s) found in {name.lower()} number {quoted(text)}")
    if len(text) > 1 and text[0] == "0":
        raise RunError(f"{name} number must not contain leading zeroes {quoted(text)}")
    if int(text[:40]) >= 2**64:
        raise RunError(f"strconv.ParseUint: parsing {quoted(text)}: value out of range")
    return int(text)


def _before(text: str) -> int | str:
    if not text:
        raise RunError("Prerelease is empty")
    if _NUMBER.fullmatch(text):
        if len(text) > 1 and text[0] == "0":
            raise RunError(f"Numeric PreRelease version must not contain leading zeroes {quoted(text)}")
        return int(text[:40])
    if not _WORD.fullmatch(text):
        raise RunError(f"Invalid character(s) found in prerelease {quoted(text)}")
    return text


def _build(text: str) -> str:
    if not text:
        raise RunError("Build meta data is empty")
    if not _WORD.fullmatch(text):
        raise RunError(f"Invalid character(s) found in build meta data {quoted(text)}")
    return text


def _normal(text: str) -> str:
    head = re.match(r"v?([^-+]*)(.*)", text, re.DOTALL)
    core, rest = (head[1], head[2]) if head else (text, "")
    numbers = [one.lstrip("0") or "0" if one else one for one in core.split(".")]
    return ".".join([*numbers, *["0"] * (3 - len(numbers))]) + rest


def is_semver(text: str, normalise: bool = False) -> bool:
    """Return whether a text is a version."""
    try:
        parse(text, normalise)
    except RunError:
        return False
    return True


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "semver": parse,
    "isSemver": is_semver,
    "major": lambda one: one.numbers[0],
    "minor": lambda one: one.numbers[1],
    "patch": lambda one: one.numbers[2],
}
