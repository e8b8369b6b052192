"""A container's files: a virtual tree, copied on write, with volumes mounted into it.

An image's tree is built once and shared by all its containers: a `Dir` belongs to the `Tree` whose `owner` mark it carries, and a
tree that is about to change a directory of another owner replaces it by a shallow copy of its own, path by path.
A volume is a `Dir` with an owner of its own, mounted into several trees at once, so what one container writes the other reads.
Not simulated: hard links, permissions beyond the mode bits, extended attributes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kit.embedded.core.inodes import Device, Dir, File, Link, Mount, Node, Quota
from kit.embedded.core.program import Errno

MAX_LINKS = 40
MAX_NAME = 255


def normal(path: str, cwd: str = "/") -> str:
    """Return the absolute path without `.`, `..` and doubled slashes; links are not followed."""
    parts: list[str] = []
    for part in (path if path.startswith("/") else f"{cwd}/{path}").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


class Tree:
    """One container's view of its files. All paths are absolute or relative to `cwd`; errors are `Errno` with the path asked for.

    `limit` bounds the bytes this tree may hold of its own (its writable layer): beyond it writes fail with ENOSPC.
    """

    def __init__(self, root: Dir, *, owner: object | None = None, limit: int = 1 << 30, readonly: bool = False) -> None:
        self.owner = owner if owner is not None else object()
        self.root = root
        self.readonly = readonly
        self.limit = limit
        self.used = 0
        self.mounts: dict[str, Mount] = {}

    def mount(self, mount: Mount) -> None:
        """Put a volume at its path, making the directories that lead there."""
        parent, name = normal(mount.path).rsplit("/", 1)
        try:
            parent = self.resolve(parent or "/")  # an image may have /var/run as a link to /run
        except Errno:
            self._force_dirs(parent)
            parent = self.resolve(parent or "/")
        path = f"{parent.rstrip('/')}/{name}"
        directory = self._own_dir(parent)
        if name and name not in directory.children:
            directory.children[name] = File(owner=self.owner) if isinstance(mount.root, File) else Dir(owner=self.owner)
        self.mounts[path] = mount

    # --- looking ---

    def resolve(self, path: str, cwd: str = "/", *, follow: bool = True) -> str:
        """Return the real absolute path: links followed, the last one only with `follow`. ENOENT, ENOTDIR, ELOOP."""
        return self._walk(normal_keep(path, cwd), follow, path)[0]

    def lookup(self, path: str, cwd: str = "/", *, follow: bool = True) -> Node:
        """Return the node at `path`. ENOENT, ENOTDIR, ELOOP."""
        return self._walk(normal_keep(path, cwd), follow, path)[1]

    def exists(self, path: str, cwd: str = "/") -> bool:
        """Say whether `path` leads to something."""
        try:
            self.lookup(path, cwd)
        except Errno:
            return False
        return True

    def listdir(self, path: str, cwd: str = "/") -> list[str]:
        """Return the names in a directory. ENOENT, ENOTDIR."""
        node = self.lookup(path, cwd)
        if not isinstance(node, Dir):
            raise Errno("ENOTDIR", path)
        return list(node.children)

    def read(self, path: str, cwd: str = "/") -> bytes:
        """Return a file's content. ENOENT, EISDIR."""
        node = self.lookup(path, cwd)
        if isinstance(node, Dir):
            raise Errno("EISDIR", path)
        if isinstance(node, File):
            return node.dynamic() if node.dynamic else bytes(node.data)
        return b""

    def mount_of(self, path: str) -> Mount | None:
        """Return the volume a real path lies in."""
        while path:
            if path in self.mounts:
                return self.mounts[path]
            path = path.rsplit("/", 1)[0]
        return self.mounts.get("/")

    def walk(self, path: str = "/") -> Iterator[tuple[str, Node]]:
        """Yield (path, node) of everything below `path`, parents first, links not followed."""
        node = self.lookup(path, follow=False)
        yield path, node
        if isinstance(node, Dir):
            for name in list(node.children):
                yield from self.walk(f"{path.rstrip('/')}/{name}")

    # --- changing ---

    def write(
        self, path: str, data: bytes, cwd: str = "/", *, append: bool = False, mode: int = 0o644, now: int = 0
    ) -> File:
        """Write a whole file (or append to it), creating it when it is not there. ENOENT, EISDIR, EROFS, ENOSPC."""
        file = self.create(path, cwd, mode=mode, now=now)
        before = len(file.data)
        self.charge(file, len(data) if append else len(data) - before, path)
        if append:
            file.data = bytes(file.data) + data if not isinstance(file.data, bytearray) else file.data + data
        else:
            file.data = data
        file.mtime = now
        return file

    def create(self, path: str, cwd: str = "/", *, mode: int = 0o644, exclusive: bool = False, now: int = 0) -> File:
        """Return a file that this tree may change, creating it when it is not there. ENOENT, EISDIR, EEXIST, EROFS."""
        real = self._target(path, cwd)
        if real in self.mounts and isinstance(root := self.mounts[real].root, File):
            self._writable(real, path)
            return root
        parent, name = self._split(real, path)
        found = self._child(parent, real, name)
        if found is not None and exclusive:
            raise Errno("EEXIST", path)
        if isinstance(found, Dir):
            raise Errno("EISDIR", path)
        if isinstance(found, Device):
            raise Errno("EINVAL", path)
        if isinstance(found, Link):  # dangling: what it points to is made
            return self.create(found.target, parent, mode=mode, now=now)
        self._writable(real, path)
        directory = self._own_dir(parent)
        if found is None:
            if len(name) > MAX_NAME:
                raise Errno("ENAMETOOLONG", path)
            found = File(mode=mode, mtime=now, owner=directory.owner)
            directory.children[name] = found
            directory.mtime = now
        elif found.owner is not directory.owner:
            found = File(
                bytes(found.data),
                found.mode,
                found.uid,
                found.gid,
                found.mtime,
                found.program,
                found.dynamic,
                directory.owner,
            )
            directory.children[name] = found
        return found

    def charge(self, file: File, growth: int, path: str = "") -> None:
        """Account for `growth` bytes more in a file of this tree's own layer, or of a volume with a `Quota`. ENOSPC."""
        holder = self if file.owner is self.owner else file.owner if isinstance(file.owner, Quota) else None
        if holder is not None:
            if growth > 0 and holder.used + growth > holder.limit:
                raise Errno("ENOSPC", path)
            holder.used = max(0, holder.used + growth)

    def mkdir(self, path: str, cwd: str = "/", *, mode: int = 0o755, parents: bool = False, now: int = 0) -> None:
        """Make a directory. EEXIST, ENOENT, ENOTDIR, EROFS."""
        real = normal(path, cwd)
        if not parents:
            self._add(path, cwd, Dir(mode=mode, mtime=now), now)
            return
        done = ""
        for part in real.strip("/").split("/"):
            done = f"{done}/{part}"
            try:
                found = self.lookup(done)
            except Errno:
                self.mkdir(done, mode=mode, now=now)
                continue
            if not isinstance(found, Dir):
                raise Errno("ENOTDIR" if done != real else "EEXIST", path)

    def symlink(self, target: str, path: str, cwd: str = "/", *, now: int = 0) -> None:
        """Make a symbolic link at `path`. EEXIST, ENOENT, EROFS."""
        self._add(path, cwd, Link(target, now), now)

    def remove(self, path: str, cwd: str = "/", *, now: int = 0) -> None:
        """Remove a file, a link or an empty directory. ENOENT, ENOTEMPTY, EBUSY, EROFS."""
        real = self.resolve(path, cwd, follow=False)
        if real in self.mounts or real == "/":
            raise Errno("EBUSY", path)
        parent, name = self._split(real, path)
        node = self._child(parent, real, name)
        if node is None:
            raise Errno("ENOENT", path)
        if isinstance(node, Dir) and node.children:
            raise Errno("ENOTEMPTY", path)
        self._writable(real, path)
        directory = self._own_dir(parent)
        if isinstance(node, File):
            self.charge(node, -len(node.data))
        del directory.children[name]
        directory.mtime = now

    def rename(self, source: str, target: str, cwd: str = "/", *, now: int = 0) -> None:
        """Move a node; an existing file at the target is replaced. ENOENT, EISDIR, ENOTEMPTY, EXDEV, EBUSY, EROFS."""
        old, new = self.resolve(source, cwd, follow=False), self._target(target, cwd, follow=False)
        if old in self.mounts or new in self.mounts:
            raise Errno("EBUSY", target)
        if self.mount_of(old) is not self.mount_of(new):
            raise Errno("EXDEV", target)
        if new.startswith(old + "/"):
            raise Errno("EINVAL", target)
        self._writable(old, source)
        node = self.lookup(old, follow=False)
        parent, name = self._split(new, target)
        there = self._child(parent, new, name)
        if isinstance(there, Dir):
            if not isinstance(node, Dir):
                raise Errno("EISDIR", target)
            if there.children:
                raise Errno("ENOTEMPTY", target)
        if old == new:
            return
        source_dir = self._own_dir(self._split(old, source)[0])
        source_dir.children.pop(old.rsplit("/", 1)[1])
        target_dir = self._own_dir(parent)
        target_dir.children[name] = node
        source_dir.mtime = target_dir.mtime = now

    def change(self, path: str, cwd: str = "/", *, mode: int | None = None, uid: int | None = None, gid: int | None = None,
               mtime: int | None = None) -> None:  # fmt: skip
        """Change a node's mode, owner or time. ENOENT, EROFS."""
        real = self.resolve(path, cwd)
        self._writable(real, path)
        node: Any
        if isinstance(self.lookup(real), Dir):
            node = self._own_dir(real)
        elif isinstance(self.lookup(real), Device):
            return
        else:
            node = self.create(real)
        for name, value in (("mode", mode), ("uid", uid), ("gid", gid), ("mtime", mtime)):
            if value is not None:
                setattr(node, name, value)

    # --- inside ---

    def _add(self, path: str, cwd: str, node: Dir | Link | File, now: int) -> None:
        real = self._target(path, cwd, follow=False)
        parent, name = self._split(real, path)
        if self._child(parent, real, name) is not None or real == "/":
            raise Errno("EEXIST", path)
        if len(name) > MAX_NAME:
            raise Errno("ENAMETOOLONG", path)
        self._writable(real, path)
        directory = self._own_dir(parent)
        node.owner = directory.owner
        directory.children[name] = node
        directory.mtime = now

    def _writable(self, real: str, path: str) -> None:
        mount = self.mount_of(real)
        if mount.readonly if mount else self.readonly:
            raise Errno("EROFS", path)

    def _at(self, path: str, node: Node) -> Node:
        mount = self.mounts.get(path)
        return mount.root if mount else node

    def _child(self, parent: str, real: str, name: str) -> Node | None:
        directory = self.lookup(parent)
        if not isinstance(directory, Dir):
            raise Errno("ENOTDIR", real)
        node = directory.children.get(name)
        return None if node is None else self._at(real, node)

    def _split(self, real: str, path: str) -> tuple[str, str]:
        if real == "/":
            raise Errno("EISDIR", path)
        parent, name = real.rsplit("/", 1)
        return parent or "/", name

    def _target(self, path: str, cwd: str, *, follow: bool = True) -> str:
        """Return the real path of what will be made at `path`: the parent must be there, a link at the end is followed."""
        whole = normal_keep(path, cwd)
        try:
            return self._walk(whole, follow, path)[0]
        except Errno as error:
            if error.name != "ENOENT":
                raise
        head, _, name = whole.rstrip("/").rpartition("/")
        parent = self._walk(head or "/", True, path)[0]
        return f"{parent.rstrip('/')}/{name}"

    def _walk(self, path: str, follow: bool, asked: str) -> tuple[str, Node]:
        """Follow `path` (with its dots) from the root; return the real path and its node."""
        todo = [part for part in path.split("/") if part not in ("", ".")]
        todo.reverse()
        must_be_dir = path.endswith("/")
        links = 0
        here, mounts = "", self.mounts
        node: Node = self._at("/", self.root)
        stack: list[Node] = [node]
        while todo:
            part = todo.pop()
            if part == "..":
                here = here.rpartition("/")[0]
                del stack[1:][-1:]
                stack = stack[: here.count("/") + 1]
                node = stack[-1]
                continue
            if not isinstance(node, Dir):
                raise Errno("ENOTDIR", asked)
            child = node.children.get(part)
            if child is None:
                raise Errno("ENOENT", asked)
            there = f"{here}/{part}"
            if there in mounts:
                child = mounts[there].root
            if isinstance(child, Link) and (todo or follow or must_be_dir):
                links += 1
                if links > MAX_LINKS:
                    raise Errno("ELOOP", asked)
                todo.extend(p for p in reversed(child.target.split("/")) if p not in ("", "."))
                if child.target.startswith("/"):
                    here, stack = "", stack[:1]
                node = stack[-1]
                continue
            here = there
            stack.append(child)
            node = child
        if must_be_dir and not isinstance(node, Dir):
            raise Errno("ENOTDIR", asked)
        return here or "/", node

    def _own_dir(self, path: str) -> Dir:
        """Return the directory at a real path, made this tree's own (or its volume's) on the way."""
        node: Any = self._at("/", self.root)
        if node is self.root and node.owner is not self.owner:
            node = self.root = Dir(dict(node.children), node.mode, node.uid, node.gid, node.mtime, self.owner)
        owner = node.owner
        done = ""
        for part in [p for p in path.split("/") if p]:
            done = f"{done}/{part}"
            child: Any = self._at(done, node.children[part])
            if done in self.mounts:
                owner = child.owner
            elif child.owner is not owner:
                child = Dir(dict(child.children), child.mode, child.uid, child.gid, child.mtime, owner)
                node.children[part] = child
            node = child
        if not isinstance(node, Dir):
            raise Errno("ENOTDIR", path)
        return node

    def _force_dirs(self, path: str) -> None:
        """Make the directories to a mount point, whether the tree is read-only or not."""
        readonly, self.readonly = self.readonly, False
        try:
            if path != "/":
                self.mkdir(path, parents=True)
        finally:
            self.readonly = readonly


def normal_keep(path: str, cwd: str = "/") -> str:
    """Return `path` made absolute, its dots and trailing slash kept for the walk (`..` goes up from where a link led)."""
    if not path:
        raise Errno("ENOENT", path)
    return path if path.startswith("/") else f"{cwd.rstrip('/')}/{path}"


def build(files: dict[str, bytes | str | Node | None]) -> Dir:
    """Build an image's tree from {path: content}: text or bytes a file, None a directory, a Node itself."""
    tree = Tree(Dir(), owner="image")
    tree.root.owner = "image"
    for path, content in files.items():
        if content is None:
            tree.mkdir(path, parents=True)
            continue
        parent = path.rsplit("/", 1)[0]
        if parent and not tree.exists(parent):
            tree.mkdir(parent, parents=True)
        if isinstance(content, str | bytes):
            tree.write(path, content.encode() if isinstance(content, str) else content)
        else:
            content.owner = "image"
            tree._own_dir(parent or "/").children[path.rsplit("/", 1)[1]] = content
    return tree.root
