"""The images of the nodes on which the kubelet's cases were recorded: a few are there, none can be pulled (no name can be resolved)."""

from __future__ import annotations

from kit.embedded.images import IMAGES
from kit.embedded.images.image import Image
from kit.embedded.images.registry import RESOLVER, Missing, Registry, parse

PRESENT = {
    "busybox": {"1.37", "1.37.0"},
    "nginx": {"1.30", "1.30.6", "1.31", "1.31.4"},
    "python": {"3.13-slim"},
    "redis": {"8", "8.0.6"},
    "traefik/whoami": {"v1.11"},
}
HOSTS = {"docker.io": "registry-1.docker.io"}


class RigImages(Registry):
    """Knows what a name stands for where it is on the nodes; every pull fails."""

    def __init__(self) -> None:
        super().__init__(IMAGES)

    def resolve(self, reference: str) -> Image | Missing:
        """Return an image that is on the nodes."""
        name = parse(reference)
        there = isinstance(name, Missing) or name.tag in PRESENT.get(name.repository, ())
        return super().resolve(reference) if there else self.fetch(reference)

    def fetch(self, reference: str) -> Missing:
        """Return why a pull fails."""
        name = parse(reference)
        if isinstance(name, Missing):
            return name
        host = HOSTS.get(name.host, name.host)
        asked = f'Head "https://{host}/v2/{name.path}/manifests/{name.tag}": dial tcp: lookup {host} on {RESOLVER}: no such host'
        what = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": failed to do request: {asked}'
        return Missing("absent", what)
