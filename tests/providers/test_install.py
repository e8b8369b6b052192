"""`labkit doctor --install kind` against a server of our own: only when asked, only the right file, and nothing half-done is left."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import kit
from kit.errors import Refused, Unavailable
from kit.providers import install, kindcli, kindrelease
from kit.providers.base import quiet

PROGRAM = b"#!/bin/sh\necho 'kind v0.33.0 go1.25 linux/amd64'\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        self.server.asked.append(self.path)


@pytest.fixture
def server(home, monkeypatch):
    """Serve files as the release's site does; the returned function puts one there."""
    place = home / "site"
    place.mkdir()
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(place)))
    served.asked = []
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    monkeypatch.setenv(install.MIRROR, f"http://127.0.0.1:{served.server_port}")

    def put(path, content):
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    put.asked = served.asked
    yield put
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture
def wanted():
    return replace(kindrelease.release("linux", "x86_64"), sha256=hashlib.sha256(PROGRAM).hexdigest())


def left(home):
    return [path for path in (home / "state").rglob("*") if path.is_file()]


def test_it_is_downloaded_verified_and_found(home, server, wanted, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    server(wanted.path, PROGRAM)
    with pytest.raises(Unavailable, match="not installed") as raised:
        kindcli.where()
    assert "labkit doctor --install kind" in raised.value.next
    assert server.asked == []

    said = []
    path = install.kind(said.append, wanted=wanted)
    assert said == [f"downloading kind v0.33.0 from {wanted.url(os.environ[install.MIRROR])}"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert left(home) == [path]
    assert kindcli.where() == str(path)
    assert kindcli.where({"LABKIT_KIND": "/other", "PATH": ""}) == "/other"

    install.kind(said.append, wanted=wanted)
    assert len(said) == len(server.asked) == 1


def test_another_file_is_refused_and_thrown_away(home, server, wanted):
    server(wanted.path, PROGRAM + b"# more\n")
    with pytest.raises(Refused, match=r"is not kind v0\.33\.0: its SHA-256 is"):
        install.kind(quiet, wanted=wanted)
    assert left(home) == []


def test_an_older_one_is_replaced(home, server, wanted):
    old = install.kind_file()
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    server(wanted.path, PROGRAM)
    assert install.kind(quiet, wanted=wanted).read_bytes() == PROGRAM


@pytest.mark.parametrize("mirror", ["http://127.0.0.1:1", "http://no-such-name.invalid", "nonsense"])
def test_without_a_network_it_says_so(home, wanted, mirror):
    with pytest.raises(Unavailable, match="could not be downloaded") as raised:
        install.kind(quiet, {install.MIRROR: mirror}, wanted)
    assert "LABKIT_KIND" in raised.value.next
    assert left(home) == []


def test_a_page_that_is_not_there_and_one_that_never_ends(home, server, wanted, monkeypatch):
    with pytest.raises(Unavailable, match="HTTP Error 404"):
        install.kind(quiet, wanted=wanted)
    monkeypatch.setattr(install, "LARGEST", 10)
    server(wanted.path, PROGRAM)
    with pytest.raises(Unavailable, match="sends more than"):
        install.kind(quiet, wanted=wanted)
    assert left(home) == []


def test_the_table_is_for_every_supported_system_and_is_what_the_command_writes(server, tmp_path):
    table = json.loads((Path(kit.__file__).parent / "data" / "kind.json").read_text())
    assert set(table["sha256"]) == set(kindrelease.SYSTEMS)
    assert len({len(found) for found in table["sha256"].values()} | {64}) == 1
    for name, digest in table["sha256"].items():
        server(f"v0.33.0/kind-{name}.sha256sum", f"{digest}  kind-{name}\n".encode())
    source = os.environ[install.MIRROR]
    kindrelease.write({**kindrelease.published("v0.33.0", source), "source": table["source"]}, tmp_path / "kind.json")
    assert (tmp_path / "kind.json").read_bytes() == (Path(kit.__file__).parent / "data" / "kind.json").read_bytes()


def test_systems_without_a_kind():
    assert kindrelease.release("darwin", "arm64").path == "v0.33.0/kind-darwin-arm64"
    with pytest.raises(Unavailable, match="not published for linux-riscv64"):
        kindrelease.release("linux", "riscv64")


def test_the_command_line(home, server):
    env = {**os.environ, "XDG_STATE_HOME": str(home / "state")}

    def labkit(*words):
        command = [sys.executable, "-m", "kit.cli.main", "doctor", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    ended = labkit("--install", "helm")
    assert (ended.returncode, ended.stderr) == (1, "Error: labkit does not install helm\n  → it can install: kind\n")
    server(kindrelease.release().path, PROGRAM)  # the table's own checksum: this is not it
    ended = labkit("--install", "kind")
    assert ended.returncode == 1
    assert "downloading kind v0.33.0 from http://127.0.0.1:" in ended.stderr
    assert "is not kind v0.33.0" in ended.stderr
