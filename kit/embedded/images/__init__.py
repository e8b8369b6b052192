"""The simulated container images. A new one is one module with a `FAMILY`, and one line here."""

from __future__ import annotations

from kit.embedded.images.busybox.image import busybox
from kit.embedded.images.guestbook import FAMILY as GUESTBOOK
from kit.embedded.images.nginx import FAMILY as NGINX
from kit.embedded.images.python import FAMILY as PYTHON
from kit.embedded.images.redis import FAMILY as REDIS
from kit.embedded.images.registry import Family, Registry
from kit.embedded.images.whoami import FAMILY as WHOAMI

BUSYBOX = Family(
    "busybox",
    lambda tag, version: busybox(tag),
    {"1.37": 0, "1.36": 1, "1.35": 0, "1.34": 1, "1.33": 1, "1.32": 1, "1.31": 1, "1.30": 1, "1.29": 3, "1.28": 4},
    {"latest": "1.37.0", "stable": "1.37.0", "1": "1.37.0"},
    ("-glibc", "-musl", "-uclibc"),
)
IMAGES: tuple[Family, ...] = (BUSYBOX, GUESTBOOK, NGINX, PYTHON, REDIS, WHOAMI)


def registry() -> Registry:
    """Return a registry with all simulated images."""
    return Registry(IMAGES)
