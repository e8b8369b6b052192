"""The images of the nodes on which the kubelet's cases were recorded: a few are there, none can be pulled (no name can be resolved)."""

from __future__ import annotations

from dataclasses import replace

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import File
from kit.embedded.images import IMAGES
from kit.embedded.images.curl import curl_files
from kit.embedded.images.curl.build import Build
from kit.embedded.images.image import Image
from kit.embedded.images.registry import RESOLVER, Family, Missing, Registry, parse

PRESENT = {
    "busybox": {"1.37", "1.37.0"},
    "nginx": {"1.30", "1.30.6", "1.31", "1.31.4"},
    "python": {"3.13-slim"},
    "redis": {"8", "8.0.6"},
    "traefik/whoami": {"v1.11"},
}
HOSTS = {"docker.io": "registry-1.docker.io"}
CURL = Build("8.23.0", "2026-11-01", at=":")
LAYERED = ("python", "nginx", "redis")  # stand on one layer of the recording machine's Debian, which has a newer curl


class RigImages(Registry):
    """Knows what a name stands for where it is on the nodes; every pull fails."""

    def __init__(self) -> None:
        super().__init__([_layered(family) if family.name in LAYERED else family for family in IMAGES])

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


def _layered(family: Family) -> Family:
    """Return a family whose images have the recording's curl."""

    def build(tag: str, version: str) -> Image:
        image = family.build(tag, version)
        tree = Tree(image.root)
        for path, node in curl_files(CURL).items():
            assert isinstance(node, File)
            tree.mkdir(path.rpartition("/")[0], parents=True)
            file = tree.write(path, bytes(node.data))
            file.mode, file.program = node.mode, node.program
        return replace(image, root=tree.root)

    return replace(family, build=build)
