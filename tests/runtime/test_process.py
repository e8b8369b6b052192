"""The cluster's process: started, found, adopted, stopped, killed; and the folders it may live in."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import threading
import time
from pathlib import Path

import pytest

import kit
from kit.errors import BadInput, Damaged, KitError, Refused, Unavailable
from kit.runtime import process, serve, state
from kit.runtime.process import Wish
from kit.runtime.state import Registry


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry of its own; what it knows is stopped at the end."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(process, "ENTRY", (str(Path(__file__).with_name("fake_serve.py")),))
    made = Registry(tmp_path / "kit")
    yield made
    for name in made.names():
        if (found := process.find(name, made)) is not None:
            process.stop(found)


def test_start_find_adopt_stop(registry):
    first = process.start("lab", Wish(), registry=registry)
    assert first.alive
    assert process.ask(first, "GET", "/kit/v1/version")["provider"] == "embedded"
    assert process.start("lab", Wish(), registry=registry).pid == first.pid
    assert process.find("lab", registry).pid == first.pid
    assert {file.name for file in first.state.iterdir() if stat.S_IMODE(file.stat().st_mode) & 0o077} == set()
    assert stat.S_IMODE(first.state.stat().st_mode) == 0o700
    process.stop(first)
    assert not process.find("lab", registry).alive
    assert process.find("nobody", registry) is None


def test_what_was_acknowledged_survives_kill_9_on_the_same_port(registry):
    first = process.start("lab", Wish(seed=7, nodes=2), registry=registry)
    for number in range(50):
        process.ask(first, "POST", f"/keep?key={number}", {"n": number})
    os.kill(first.pid, signal.SIGKILL)
    again = process.start("lab", Wish(), registry=registry)
    assert again.pid != first.pid
    assert again.url == first.url
    kept = process.ask(again, "GET", "/kept")
    assert sorted(map(int, kept["kept"])) == list(range(50))
    assert (kept["seed"], kept["nodes"]) == (7, 2)


def test_two_starts_at_once_give_one_process(registry):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(process.start("lab", Wish(), registry=registry).pid))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 3
    assert len(set(found)) == 1


def test_a_process_of_another_version_is_handed_over(registry, monkeypatch):
    old = process.start("lab", Wish(), registry=registry)
    process.ask(old, "POST", "/keep?key=a", {"v": 1})
    monkeypatch.setattr(kit, "__version__", "99.0")
    new = process.start("lab", Wish(), registry=registry)
    assert new.pid != old.pid
    assert process.ask(new, "GET", "/kept")["kept"].keys() == {"a"}


def test_a_stale_note_of_another_process_is_not_believed(registry):
    running = process.start("lab", Wish(), registry=registry)
    process.stop(running)
    note = {"pid": os.getpid(), "started": "1", "url": running.url, "version": kit.__version__}
    state.replace(running.state / "process.json", note)
    assert not process.find("lab", registry).alive
    state.replace(running.state / "process.json", {**note, "started": state.started(os.getpid())})
    assert not process.find("lab", registry).alive  # this pid lives, but it is no cluster
    assert process.start("lab", Wish(), registry=registry).alive


def test_what_differs_from_the_running_one_is_refused(registry):
    process.start("lab", Wish(seed=1), registry=registry)
    with pytest.raises(Refused, match="seed 1, not 2"):
        process.start("lab", Wish(seed=2), registry=registry)


def test_the_seed_of_a_state_stays(registry):
    process.stop(process.start("lab", Wish(seed=1), registry=registry))
    with pytest.raises(Refused, match="was made with seed 1"):
        process.start("lab", Wish(seed=2), registry=registry)


def test_a_damaged_state_is_reported_and_reset_is_the_way_out(registry):
    running = process.start("lab", Wish(), registry=registry)
    token = (running.state / "token").read_text()
    process.stop(running)
    (running.state / "state.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(Damaged) as damaged:
        process.start("lab", Wish(), registry=registry)
    assert "labkit reset --name lab" in damaged.value.next
    again = process.renew("lab", registry)
    assert again.alive
    assert again.url == running.url
    assert (again.state / "token").read_text() == token


def test_a_taken_port_is_refused_when_asked_for_and_avoided_when_not(registry):
    first = process.start("one", Wish(), registry=registry)
    port = int(first.url.rpartition(":")[2])
    with pytest.raises(Unavailable, match=f"port {port}"):
        process.start("two", Wish(port=port), registry=registry)
    second = process.start("three", Wish(), registry=registry)
    assert second.url != first.url


def test_an_accepted_connection_does_not_wait_for_acknowledgements():
    seen = []

    class Door(asyncio.Protocol):
        def connection_made(self, transport):
            taken = transport.get_extra_info("socket")
            seen.append(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    async def once():
        bound = serve._bind(0, fixed=False)
        server = await asyncio.get_running_loop().create_server(Door, sock=bound)
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        await reader.read()
        writer.close()
        server.close()

    asyncio.run(once())
    assert seen == [1]


@pytest.mark.parametrize("clock, words", [("stepped", "not built yet"), ("backwards", "no clock")])
def test_other_clocks_are_refused(registry, clock, words):
    with pytest.raises(BadInput, match=words):
        process.start("lab", Wish(clock=clock), registry=registry)


@pytest.mark.parametrize("name", ["", "A", "-a", "a_b", "a" * 41, "../x", "a/b", "a\n"])
def test_names_that_are_none(registry, name):
    with pytest.raises(BadInput):
        process.start(name, Wish(), registry=registry)


def test_folders_that_are_not_safe_are_refused(registry, tmp_path):
    open_one = tmp_path / "open"
    open_one.mkdir()
    open_one.chmod(0o777)
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("x")
    for folder, words in (
        (open_one, "written by others"),
        (tmp_path / "link", "symbolic link"),
        (tmp_path / "file", "can't be"),
    ):
        with pytest.raises(KitError, match=words):
            process.start("lab", Wish(), folder, registry)
    assert list((tmp_path / "real").iterdir()) == []


def test_a_foreign_folder_is_refused(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(Refused, match="another user"):
        state.private_folder(tmp_path)


def test_it_stops_when_told_and_by_idling(registry):
    running = process.start("lab", Wish(), registry=registry)
    process.ask(running, "POST", "/kit/v1/stop", {})
    limit = time.monotonic() + 10
    while state.started(running.pid) and time.monotonic() < limit:
        os.sched_yield()
    assert not state.started(running.pid)
