"""The keys of a redis server and what they hold; pure. All of it is plain data that a checkpoint can keep.

A value is a list [type, content]: string bytes, list list, hash dict, set dict (members to None), zset dict (members to scores).
"""

from __future__ import annotations

from typing import Any

from kit.embedded.images.redis.resp import RedisError

WRONGTYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_INTEGER = "ERR value is not an integer or out of range"
NOT_FLOAT = "ERR value is not a valid float"
DATABASES = 16
EMPTY: dict[str, Any] = {"list": list, "hash": dict, "set": dict, "zset": dict, "string": bytes}


class Keyspace:
    """One database; `now` is set before each command."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.values: dict[bytes, list[Any]] = data.setdefault("values", {})
        self.expires: dict[bytes, int] = data.setdefault("expires", {})
        self.versions: dict[bytes, int] = data.setdefault("versions", {})  # for WATCH
        self.now = 0

    def find(self, key: bytes, kind: str) -> Any:
        """Return what a key holds, None when it is not there. WRONGTYPE."""
        entry = self.entry(key)
        if entry is None:
            return None
        if entry[0] != kind:
            raise RedisError(WRONGTYPE)
        return entry[1]

    def entry(self, key: bytes) -> list[Any] | None:
        """Return [type, content] of a key that has not expired."""
        due = self.expires.get(key)
        if due is not None and due <= self.now:
            self.drop(key)
        return self.values.get(key)

    def make(self, key: bytes, kind: str) -> Any:
        """Return what a key holds, an empty one when it is not there (`touch` it after the change)."""
        found = self.find(key, kind)
        if found is None:
            found = EMPTY[kind]()
            self.values[key] = [kind, found]
        return found

    def put(self, key: bytes, kind: str, content: Any, *, keep_ttl: bool = False) -> None:
        """Set a key."""
        self.values[key] = [kind, content]
        if not keep_ttl:
            self.expires.pop(key, None)
        self.touch(key)

    def touch(self, key: bytes) -> None:
        """Note that a key changed; an empty collection goes away."""
        self.versions[key] = self.versions.get(key, 0) + 1
        entry = self.values.get(key)
        if entry is not None and entry[0] != "string" and not entry[1]:
            self.drop(key)

    def drop(self, key: bytes) -> bool:
        """Remove a key -> whether it was there."""
        self.expires.pop(key, None)
        self.versions[key] = self.versions.get(key, 0) + 1
        return self.values.pop(key, None) is not None

    def keys(self) -> list[bytes]:
        """Return the keys that have not expired, oldest first."""
        return [key for key in list(self.values) if self.entry(key) is not None]

    def clear(self) -> None:
        """Remove all keys."""
        for key in list(self.values):
            self.drop(key)


def integer(text: bytes, message: str = NOT_INTEGER) -> int:
    """Read a 64-bit integer as string2ll does. RedisError."""
    digits = text[1:] if text[:1] == b"-" else text
    if not digits.isdigit() or (len(digits) > 1 and digits[:1] == b"0") or text == b"-0":
        raise RedisError(message)
    value = int(text)
    if not -(1 << 63) <= value < 1 << 63:
        raise RedisError(message)
    return value


def real(text: bytes, message: str = NOT_FLOAT) -> float:
    """Read a float. RedisError."""
    try:
        value = float(text)
    except ValueError:
        raise RedisError(message) from None
    if value != value or b"_" in text or text != text.strip():
        raise RedisError(message)
    return value
