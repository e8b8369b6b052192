"""The virtual tree: copy on write, volumes, links, limits."""

from __future__ import annotations

import pytest

from kit.embedded.core.filesystem import Tree, build
from kit.embedded.core.inodes import Device, Dir, File, Link, Mount
from kit.embedded.core.program import Errno


@pytest.fixture
def image() -> Dir:
    return build({"/etc/hosts": "hosts\n", "/tmp": None, "/lib": Link("/etc"), "/dev/null": Device("null")})


def test_containers_share_an_image_and_not_their_writes(image: Dir) -> None:
    one, two = Tree(image), Tree(image)
    one.write("/etc/hosts", b"mine")
    assert one.read("/etc/hosts") == b"mine"
    assert two.read("/etc/hosts") == b"hosts\n"
    assert Tree(image).read("/etc/hosts") == b"hosts\n"


def test_a_volume_is_one_for_all(image: Dir) -> None:
    one, two, volume = Tree(image), Tree(image), Dir(owner="volume")
    one.mount(Mount("/data/deep", volume))
    two.mount(Mount("/x", volume))
    one.write("/data/deep/f", b"1")
    assert two.read("/x/f") == b"1"
    two.mkdir("/x/d")
    assert one.listdir("/data/deep") == ["f", "d"]


def test_a_volume_below_a_link(image: Dir) -> None:
    tree = Tree(image)
    tree.mount(Mount("/lib/deep/v", build({"/f": "x"})))
    assert tree.read("/lib/deep/v/f") == tree.read("/etc/deep/v/f") == b"x"


def test_a_read_only_volume(image: Dir) -> None:
    tree = Tree(image)
    tree.mount(Mount("/ro", build({"/f": "x"}), readonly=True))
    assert tree.read("/ro/f") == b"x"
    for act in (lambda: tree.write("/ro/f", b"y"), lambda: tree.remove("/ro/f"), lambda: tree.mkdir("/ro/d")):
        with pytest.raises(Errno) as caught:
            act()
        assert caught.value.name == "EROFS"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/nosuch", "ENOENT"),
        ("/etc/hosts/x", "ENOTDIR"),
        ("/etc/nosuch/x", "ENOENT"),
        ("", "ENOENT"),
        ("/etc/hosts/", "ENOTDIR"),
    ],
)
def test_errors(image: Dir, path: str, name: str) -> None:
    with pytest.raises(Errno) as caught:
        Tree(image).read(path)
    assert caught.value.name == name


def test_links(image: Dir) -> None:
    tree = Tree(image)
    assert tree.read("/lib/hosts") == b"hosts\n"
    tree.symlink("loop", "/tmp/loop")
    with pytest.raises(Errno) as caught:
        tree.read("/tmp/loop")
    assert caught.value.name == "ELOOP"
    tree.symlink("../etc/new", "/tmp/dangling")
    tree.write("/tmp/dangling", b"made")
    assert tree.read("/etc/new") == b"made"


def test_rename_and_remove(image: Dir) -> None:
    tree = Tree(image)
    tree.write("/tmp/a", b"1")
    tree.rename("/tmp/a", "/etc/b")
    assert not tree.exists("/tmp/a")
    assert tree.read("/etc/b") == b"1"
    with pytest.raises(Errno) as caught:
        tree.remove("/etc")
    assert caught.value.name == "ENOTEMPTY"
    tree.remove("/etc/b")
    assert tree.used == 0


def test_a_full_layer(image: Dir) -> None:
    tree = Tree(image, limit=10)
    tree.write("/tmp/a", b"12345678")
    with pytest.raises(Errno) as caught:
        tree.write("/tmp/b", b"12345")
    assert caught.value.name == "ENOSPC"


def test_walk_is_in_order_of_making(image: Dir) -> None:
    tree = Tree(image)
    tree.write("/tmp/z", b"")
    tree.write("/tmp/a", b"")
    assert [path for path, node in tree.walk("/tmp") if isinstance(node, File)] == ["/tmp/z", "/tmp/a"]
