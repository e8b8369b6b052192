"""The registry that the simulated nodes pull from: an image name in, an `Image` or the reason why there is none out.

Names are read as github.com/distribution/reference does; the texts are those of containerd 2.1 (core/remotes/docker), with the code
that the kubelet leaves in (it strips only `Unknown`: staging cri-client, remote_image.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal

from kit.embedded.images.image import Image
from kit.embedded.images.known import ELSEWHERE, HOSTS, OLD_FORMAT

RESOLVER = "172.18.0.1:53"  # what a kind node asks for names outside the cluster
PATH_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-/")
TAG_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
DEFAULT_HOST = "docker.io"

Kind = Literal["absent", "unsimulated", "invalid"]


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a name gives no image. `message` is what the runtime says after `Failed to pull image "NAME": `."""

    kind: Kind
    message: str


@dataclass(frozen=True, slots=True)
class Name:
    """An image name in full: `docker.io/library/nginx:1.30` has host, path and tag; `digest` wins over the tag."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.host}/{self.path}{f':{self.tag}' if self.tag else ''}{f'@{self.digest}' if self.digest else ''}"

    @property
    def repository(self) -> str:
        """The name without tag, short as people write it: `nginx`, `traefik/whoami`, `quay.io/team/app`."""
        if self.host == DEFAULT_HOST:
            return self.path.removeprefix("library/")
        return f"{self.host}/{self.path}"


@dataclass(frozen=True, slots=True)
class Family:
    """All simulated tags of one image. `lines` maps a release line to its last patch (`{"1.30": 6}` answers 1.30 and 1.30.0 to 1.30.6).

    `names` are further tags and the version they stand for; `suffixes` what may follow a tag (`-alpine`); `prefix` comes before one (`v`).
    `build(tag, version)` makes the image.
    """

    name: str
    build: Callable[[str, str], Image]
    lines: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    suffixes: tuple[str, ...] = ()
    prefix: str = ""

    def version(self, tag: str) -> str | None:
        """Return the version that a tag stands for, None when there is no such tag."""
        for suffix in sorted(("", *self.suffixes), key=len, reverse=True):
            if suffix and not tag.endswith(suffix):
                continue
            plain = tag.removesuffix(suffix) if suffix else tag
            if plain in self.names:
                return self.names[plain]
            if found := self._release(plain):
                return found
        return None

    def _release(self, tag: str) -> str | None:
        if not tag.startswith(self.prefix):
            return None
        plain = tag.removeprefix(self.prefix)
        if plain in self.lines:
            return f"{plain}.{self.lines[plain]}"
        line, _, patch = plain.rpartition(".")
        if line in self.lines and patch.isascii() and patch.isdecimal() and str(int(patch)) == patch:
            return plain if int(patch) <= self.lines[line] else None
        return None

    def shown(self) -> str:
        """Return the family as a message lists it: `nginx:1.7-1.31`, `guestbook:v1,v2`."""
        if not self.lines:
            return f"{self.name}:{','.join(self.names)}"
        lines = sorted(self.lines, key=lambda line: [int(part) for part in line.split(".")])
        return f"{self.name}:{self.prefix}{lines[0]}-{self.prefix}{lines[-1]}"


class Registry:
    """The images that can be pulled; each is built when it is first asked for and shared from then on."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = {family.name: family for family in families}
        self._built: dict[tuple[str, str], Image] = {}

    def resolve(self, reference: str) -> Image | Missing:
        """Return the image of a name as a manifest writes it, or why there is none."""
        name = parse(reference)
        if isinstance(name, Missing):
            return name
        family = self._families.get(name.repository)
        if family is None:
            return _absent(name, self.simulated())
        if name.digest:
            built = self._by_digest(family, name.digest)
            return built or _not_found(name)
        version = family.version(name.tag)
        if version is None:
            return _not_found(name) if family.lines else _denied(name)
        return self._image(family, name.tag, version)

    def fetch(self, reference: str) -> Image | Missing:
        """Return what a pull over the network gives: this registry is always reached."""
        return self.resolve(reference)

    def simulated(self) -> list[str]:
        """Return the simulated images, `name:tags` each, in alphabetical order."""
        return sorted(family.shown() for family in self._families.values())

    def _image(self, family: Family, tag: str, version: str) -> Image:
        key = (family.name, tag)
        if key not in self._built:
            image = family.build(tag, version)
            self._built[key] = replace(image, digest=image.digest or _digest(f"{family.name}:{version}"))
        return self._built[key]

    def _by_digest(self, family: Family, digest: str) -> Image | None:
        for tag in (*family.names, *(f"{family.prefix}{line}" for line in family.lines)):
            version = family.version(tag)
            if version and (image := self._image(family, tag, version)).digest == digest:
                return image
        return None


def _digest(text: str) -> str:
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def parse(reference: str) -> Name | Missing:
    """Read a name as the runtime does: registry and tag are filled in, capitals in the path are refused."""
    repository, _, digest = reference.partition("@")
    head, slash, rest = repository.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        host, path = head, rest
    else:
        host, path = DEFAULT_HOST, repository
    tag = ""
    if ":" in path.rsplit("/", 1)[-1]:
        path, _, tag = path.rpartition(":")
        if not tag:
            return _invalid(reference, "")
    if host in (DEFAULT_HOST, "index.docker.io"):
        host, path = DEFAULT_HOST, path if "/" in path else f"library/{path}"
    if path != path.lower() and not set(path.lower()) - PATH_CHARACTERS:
        return _invalid(reference, f": repository name ({path}) must be lowercase")
    parts = path.split("/")
    if set(path) - PATH_CHARACTERS or not all(part[:1].isalnum() and part[-1:].isalnum() for part in parts):
        return _invalid(reference, "")
    if set(tag) - TAG_CHARACTERS or tag[:1] in (".", "-") or len(tag) > 128:
        return _invalid(reference, "")
    if digest and not (
        digest.startswith("sha256:") and len(digest) == 71 and not set(digest[7:]) - set("0123456789abcdef")
    ):
        return _invalid(reference, "")
    return Name(host, path, tag or ("" if digest else "latest"), digest)


def _invalid(reference: str, why: str) -> Missing:
    message = f'Failed to apply default image tag "{reference}": couldn\'t parse image name "{reference}": invalid reference format{why}'
    return Missing("invalid", message)


def _absent(name: Name, simulated: list[str]) -> Missing:
    if name.repository in OLD_FORMAT:
        return Missing("absent", _OLD.format(name=name))
    if name.repository in ELSEWHERE:
        return _unsimulated(name, simulated)
    if name.host == DEFAULT_HOST:
        return _denied(name)
    return _not_found(name) if name.host in HOSTS else _no_host(name)


_OLD = (
    'rpc error: code = Unimplemented desc = failed to pull and unpack image "{name}": not implemented: media type '
    '"application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1, please rebuild the image as '
    '"application/vnd.docker.distribution.manifest.v2+json" or "application/vnd.oci.image.manifest.v1+json"'
)


def _unresolved(name: Name, why: str, code: str = "") -> Missing:
    before = f"rpc error: code = {code} desc = " if code else ""
    return Missing(
        "absent", f'{before}failed to pull and unpack image "{name}": failed to resolve reference "{name}": {why}'
    )


def _denied(name: Name) -> Missing:
    return _unresolved(
        name,
        "pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed",
    )


def _not_found(name: Name) -> Missing:
    return _unresolved(name, f"{name}: not found", "NotFound")


def _no_host(name: Name) -> Missing:
    bare, _, port = name.host.partition(":")
    scheme = "http" if bare in ("localhost", "127.0.0.1") else "https"
    why = (
        f"dial tcp 127.0.0.1:{port or 80}: connect: connection refused"
        if scheme == "http"
        else f"dial tcp: lookup {bare} on {RESOLVER}: no such host"
    )
    return _unresolved(
        name,
        f'failed to do request: Head "{scheme}://{name.host}/v2/{name.path}/manifests/{name.digest or name.tag}": {why}',
    )


def _unsimulated(name: Name, simulated: list[str]) -> Missing:
    message = (
        f'failed to pull and unpack image "{name}": the image exists, but the embedded cluster does not simulate it. '
        f"Simulated: {', '.join(simulated)}. To run the real image use a kind cluster: labkit up --provider kind"
    )
    return Missing("unsimulated", message)
