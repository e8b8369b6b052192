"""A Pod's volumes: folders made of configuration, of memory, of the node. Models pkg/volume.

A claim's is a folder of the node's own disk, hostPath or local: it stays when the Pod goes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kit.embedded.core.controller import View
from kit.embedded.core.filesystem import Tree, normal
from kit.embedded.core.inodes import Device, Dir, File, Link, Mount, Node, Quota
from kit.embedded.core.program import Errno
from kit.embedded.core.store import Obj
from kit.embedded.node import resources
from kit.embedded.node.environment import ConfigError, field, resource, secret_data
from kit.kube import times
from kit.kube import volumes as claims

NODE_MEMORY_K = 8 << 20
EMPTY_DIR_LIMIT = 256 << 20
STAMP = "..data"
SCATTER = 2_654_435_761  # makes the end of a stamp look like the random one of a real kubelet
HOST_TYPES = {"Directory": "a directory", "File": "a file", "Socket": "a socket file", "CharDevice": "a character device",
              "BlockDevice": "a block device"}  # fmt: skip

Token = Callable[[Obj, Mapping[str, Any]], str]
Files = dict[str, tuple[bytes, int]]


class MountError(Exception):
    """A volume can't be set up; the message is the kubelet's, after `MountVolume.SetUp failed for volume "x" : `."""


class Volumes:
    """The volumes of one Pod on one node. `host` is the node's own tree, for hostPath."""

    def __init__(self, view: View, host: Tree, token: Token, addresses: Mapping[str, str]) -> None:
        self._view = view
        self._host = host
        self._token = token
        self._addresses = addresses
        self.roots: dict[str, Dir | File] = {}
        self.quotas: dict[str, tuple[Quota, str]] = {}  # emptyDirs with a size limit: its count and the limit's text
        self._kinds: dict[
            str, tuple[str, str]
        ] = {}  # file system and mount options of those that are no folder of the disk
        self._configured: set[str] = set()  # those that no container may write
        self._stamps = 0

    def take_over(self, before: Volumes, pod: Obj) -> None:
        """Go on with the emptyDirs that lie on the disk after the node has been off; those in memory are empty."""
        for volume in pod["spec"].get("volumes") or ():
            name = volume["name"]
            if "emptyDir" in volume and (volume["emptyDir"] or {}).get("medium") != "Memory" and name in before.roots:
                self.roots[name] = before.roots[name]
                if name in before.quotas:
                    self.quotas[name] = before.quotas[name]

    def set_up(self, pod: Obj, now: int) -> None:
        """Make all volumes that are not there yet. MountError names the volume in `volume`."""
        for volume in pod["spec"].get("volumes") or ():
            if volume["name"] not in self.roots:
                self.roots[volume["name"]] = self._make(pod, volume, now)

    def trouble(self, pod: Obj, now: int) -> str | None:
        """Set the volumes up one after the other; what the kubelet says of the first that fails, or None."""
        for volume in pod["spec"].get("volumes") or ():
            try:
                self.set_up({**pod, "spec": {**pod["spec"], "volumes": [volume]}}, now)
            except MountError as error:
                return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}'
        return None

    def refresh(self, pod: Obj, now: int) -> None:
        """Bring configuration in files up to date, as the kubelet does about once a minute."""
        for volume in pod["spec"].get("volumes") or ():
            root = self.roots.get(volume["name"])
            if isinstance(root, Dir) and any(kind in volume for kind in _FILES):
                try:
                    self._publish(root, self._files(pod, volume), now)
                except (MountError, ConfigError):
                    continue

    def _make(self, pod: Obj, volume: Obj, now: int) -> Dir | File:
        if "emptyDir" in volume:
            return self._empty(volume, now)
        if "hostPath" in volume:
            return self._host_path(volume, now)
        if any(kind in volume for kind in _FILES):
            self._configured.add(volume["name"])
            root = Dir(mode=0o777 if "configMap" in volume else 0o1777, mtime=now, owner=object())
            if "configMap" not in volume:
                self._kinds[volume["name"]] = ("tmpfs", f",size={NODE_MEMORY_K}k,noswap")
            self._publish(root, self._files(pod, volume), now)
            return root
        if "persistentVolumeClaim" in volume or "ephemeral" in volume:
            return self._claimed(pod, volume, now)
        kind = next((key for key in volume if key != "name"), "emptyDir")
        if kind == "emptyDir":
            return self._empty(volume, now)
        raise MountError(f"volumes of type {kind} are not simulated: use a real cluster (--provider kind)")

    def _claimed(self, pod: Obj, volume: Obj, now: int) -> Dir | File:
        """Return the folder of the volume a claim is bound to."""
        given = volume.get("persistentVolumeClaim") or {}
        (name,) = claims.claims_of({**pod, "spec": {"volumes": [volume]}})
        claim = self._view.get("persistentvolumeclaims", pod["metadata"]["namespace"], name)
        if claim is None or not claims.is_bound(claim):
            raise MountError(f'persistentvolumeclaim "{name}" is not bound')
        found = self._view.get("persistentvolumes", "", claim["spec"]["volumeName"])
        source = found["spec"] if found else {}
        if given.get("readOnly"):
            self._configured.add(volume["name"])
        if "hostPath" in source:
            return self._host_path({"hostPath": source["hostPath"]}, now)
        if "local" in source:
            path = source["local"]["path"]
            if not self._host.exists(path):
                raise MountError(f'path "{path}" does not exist')
            return self._host_path({"hostPath": {"path": path}}, now)
        raise MountError(
            "volumes of this type are not simulated, only hostPath and local are: use a real cluster (--provider kind)"
        )

    def _empty(self, volume: Obj, now: int) -> Dir:
        source = volume.get("emptyDir") or {}
        given, memory = source.get("sizeLimit"), source.get("medium") == "Memory"
        quota = Quota(min(resources.size(given), EMPTY_DIR_LIMIT) if given and memory else EMPTY_DIR_LIMIT)
        if memory:
            size = resources.size(given) >> 10 if given else NODE_MEMORY_K
            self._kinds[volume["name"]] = ("tmpfs", f",size={size}k,noswap")
        elif given:
            self.quotas[volume["name"]] = (quota, given)
        return Dir(mode=0o777, mtime=now, owner=quota)

    def _host_path(self, volume: Obj, now: int) -> Dir | File:
        path, kind = volume["hostPath"]["path"], volume["hostPath"].get("type") or ""
        tree = self._host
        if kind == "DirectoryOrCreate" and not tree.exists(path):
            tree.mkdir(path, parents=True, now=now)
        elif kind == "FileOrCreate" and not tree.exists(path):
            try:
                tree.create(path, now=now)
            except Errno as error:
                raise MountError(f"open {path}: {str(error).lower()}") from None
        elif kind in HOST_TYPES and not tree.exists(path):
            raise MountError(
                f"hostPath type check failed, {path} is not {HOST_TYPES[kind]}, unable to determine its type: "
                f"path {json.dumps(path)} does not exist"
            )
        elif not tree.exists(path):
            tree.mkdir(path, parents=True, now=now)
        node = tree.lookup(path)
        fits = (
            isinstance(node, Dir)
            if kind.startswith("Directory")
            else isinstance(node, File)
            if kind.startswith("File")
            else True
        )
        if not fits or not isinstance(node, Dir | File):
            raise MountError(
                f"hostPath type check failed, {path} is not {HOST_TYPES.get(kind.removesuffix('OrCreate'), 'a directory')}"
            )
        return tree._own_dir(normal(path)) if isinstance(node, Dir) else node

    # --- files of configuration ---

    def _files(self, pod: Obj, volume: Obj) -> Files:
        kind = next(kind for kind in _FILES if kind in volume)
        if kind == "projected":
            out: Files = {}
            mode = volume["projected"].get("defaultMode", 0o644)
            for source in volume["projected"].get("sources") or ():
                out.update(self._source(pod, source, mode))
            return out
        given = volume[kind]
        name = {"configMap": "name", "secret": "secretName"}.get(kind)
        source = {kind: {**given, "name": given[name]} if name else given}
        return dict(self._source(pod, source, given.get("defaultMode", 0o644)))

    def _source(self, pod: Obj, source: Obj, mode: int) -> Iterable[tuple[str, tuple[bytes, int]]]:
        if "configMap" in source:
            return self._keys("configmaps", "configmap", source["configMap"], pod, mode)
        if "secret" in source:
            return self._keys("secrets", "secret", source["secret"], pod, mode)
        if "downwardAPI" in source:
            return self._downward(pod, source["downwardAPI"].get("items") or (), mode)
        if "serviceAccountToken" in source:
            given = source["serviceAccountToken"]
            return [(given["path"], (self._token(pod, given).encode(), mode))]
        raise MountError(f"projected source {next(iter(source), '')} is not simulated")

    def _keys(
        self, resource_name: str, word: str, given: Obj, pod: Obj, mode: int
    ) -> Iterable[tuple[str, tuple[bytes, int]]]:
        found = self._view.get(resource_name, pod["metadata"]["namespace"], given["name"])
        if found is None:
            if given.get("optional"):
                return
            raise MountError(f'{word} "{given["name"]}" not found')
        data = secret_data(found) if word == "secret" else _bytes_of(found)
        items = given.get("items") or [{"key": key, "path": key} for key in sorted(data)]
        for item in items:
            if item["key"] in data:
                yield item["path"], (data[item["key"]], item.get("mode", mode))
            elif not given.get("optional"):
                raise MountError(
                    f"{word} references non-existent {'config' if word == 'configmap' else 'secret'} key: {item['key']}"
                )

    def _downward(self, pod: Obj, items: Iterable[Obj], mode: int) -> Iterable[tuple[str, tuple[bytes, int]]]:
        for item in items:
            if "fieldRef" in item:
                text = field(pod, item["fieldRef"]["fieldPath"], self._addresses)
            else:
                text = resource(pod, pod["spec"]["containers"][0], item["resourceFieldRef"])
            yield item["path"], (text.encode(), item.get("mode", mode))

    def _publish(self, root: Dir, files: Files, now: int) -> None:
        """Put files into a volume as the kubelet's atomic writer does: a stamped folder, `..data`, and a link for each name."""
        current = root.children.get(STAMP)
        if isinstance(current, Link) and _contents(root.children[current.target]) == files:
            return
        self._stamps += 1
        moment = re.sub(r"[-T:]", "_", times.rfc3339(now)).removesuffix("Z")
        stamp = f"..{moment}.{(now + self._stamps) * SCATTER % 10**10:010d}"
        folder = Dir(mtime=now, owner=root.owner)
        for path, (data, mode) in files.items():
            _place(folder, path.split("/"), File(data, mode, mtime=now, owner=root.owner))
        links: dict[str, Node] = {stamp: folder, STAMP: Link(stamp, now, root.owner)}
        links |= {name: Link(f"{STAMP}/{name}", now, root.owner) for name in folder.children}
        root.children.clear()
        root.children.update(links)

    # --- mounting ---

    def mount(
        self,
        tree: Tree,
        container: Obj,
        values: Mapping[str, str],
        expand: Callable[[str, Mapping[str, str]], str],
        now: int,
    ) -> None:
        """Mount a container's volumes into its tree. MountError for a subPath that can't be."""
        for given in sorted(container.get("volumeMounts") or (), key=lambda one: one["mountPath"].count("/")):
            root: Any = self.roots[given["name"]]
            path = expand(given["subPathExpr"], values) if given.get("subPathExpr") else given.get("subPath") or ""
            if path:
                root = _below(root, path, now)
            kind, options = self._kinds.get(given["name"], ("ext4", ""))
            readonly = bool(given.get("readOnly")) or given["name"] in self._configured
            tree.mount(Mount(given["mountPath"], root, readonly, kind, options))


_FILES = ("configMap", "secret", "downwardAPI", "projected")


def _bytes_of(config: Obj) -> dict[str, bytes]:
    out = {key: value.encode() for key, value in (config.get("data") or {}).items()}
    binary = secret_data({"data": config.get("binaryData")})
    return {**out, **binary}


def _contents(folder: Node, prefix: str = "") -> Files:
    out: Files = {}
    for name, node in folder.children.items() if isinstance(folder, Dir) else ():
        if isinstance(node, File):
            out[prefix + name] = (bytes(node.data), node.mode)
        else:
            out.update(_contents(node, f"{prefix}{name}/"))
    return out


def _place(folder: Dir, parts: list[str], file: File) -> None:
    for part in parts[:-1]:
        folder = folder.children.setdefault(part, Dir(mtime=file.mtime, owner=folder.owner))
    folder.children[parts[-1]] = file


def _below(root: Dir | File, path: str, now: int) -> Dir | File:
    """Return what is at `subPath`, made as a folder when it is not there; links (`..data`) are followed inside the volume."""
    inside = Tree(root if isinstance(root, Dir) else Dir(), owner=root.owner)
    if not inside.exists("/" + path):
        inside.mkdir("/" + path, parents=True, now=now)
        if isinstance(root, Dir):
            inside.change("/" + path, mode=root.mode & 0o777)
    node = inside.lookup("/" + path)
    return (
        inside._own_dir(inside.resolve("/" + path))
        if isinstance(node, Dir)
        else node
        if isinstance(node, File)
        else Dir()
    )


def dev(termination: File, path: str) -> Dir:
    """Return a container's /dev."""
    names = ("null", "zero", "full", "random", "urandom", "tty")
    root = Dir(owner=object())
    root.children = {name: Device(name) for name in names}
    root.children |= {name: Device(name) for name in ("stdin", "stdout", "stderr")}
    root.children |= {"shm": Dir(mode=0o1777, owner=root.owner), "pts": Dir(owner=root.owner)}
    if path.startswith("/dev/") and "/" not in path[5:]:
        termination.owner = root.owner
        root.children[path[5:]] = termination
    return root
