"""Text that is a number, in `awk`."""

from __future__ import annotations

Value = float | str


class Input(str):
    """Text from outside that looks like a number, and compares as one."""

    __slots__ = ()


def leading_number(text: str) -> float:
    """Return the number a text begins with, 0 when there is none."""
    stripped = text.strip()
    try:
        return (
            float(stripped) if stripped[:1] in "0123456789+-." and len(stripped) < 300 and "_" not in stripped else 0.0
        )
    except ValueError:
        pass
    end = 0
    seen = False
    while end < min(len(stripped), 300) and (
        stripped[end].isdigit() or stripped[end] in "+-." or (seen and stripped[end] in "eE")
    ):
        seen = seen or stripped[end].isdigit()
        end += 1
    while end:
        try:
            return float(stripped[:end])
        except ValueError:
            end -= 1
    return 0.0


def numeric(text: str) -> str:
    """Mark a text from outside when it looks like a number."""
    stripped = text.strip()
    if stripped and stripped[0] in "0123456789+-." and len(stripped) < 300 and "_" not in stripped:
        try:
            float(stripped)
        except ValueError:
            return text
        return Input(text)
    return text


def truth(value: Value) -> bool:
    """Say whether a value is true."""
    if isinstance(value, Input):
        return leading_number(value) != 0
    return bool(value)


def directives(template: str) -> list[str]:
    """Return the letters of a format's directives."""
    found: list[str] = []
    index = 0
    while index < len(template):
        if template[index] == "%":
            index += 1
            while index < len(template) and template[index] in "-+ #0123456789.":
                index += 1
            if index < len(template) and template[index] != "%":
                found.append(template[index])
        index += 1
    return found
