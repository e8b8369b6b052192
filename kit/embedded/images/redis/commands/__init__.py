"""The commands of the redis server, one noun a file; `TABLE` maps every name to its row."""

from __future__ import annotations

from kit.embedded.images.redis.commands import admin, collections, connection, keys, lists, strings
from kit.embedded.images.redis.session import Command

TABLE: dict[str, Command] = {
    name: command
    for module in (strings, keys, lists, collections, connection, admin)
    for name, command in module.COMMANDS.items()
}
