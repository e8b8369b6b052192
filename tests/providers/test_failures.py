"""What engines and kind say when they fail, and what the kit makes of it."""

from __future__ import annotations

import pytest

from kit.errors import Damaged, Unavailable
from kit.providers.failures import FAILURES, explain

ERROR = "ERROR: failed to create cluster: "
CASES = [
    (
        'ERROR: failed to list: exec: "docker": executable file not found in $PATH',
        "docker is not installed",
        "install Docker",
    ),
    ('exec: "kind": executable file not found in $PATH', "kind command is not installed", "brew install kind"),
    ("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "does not run", "start Docker"),
    ("failed to connect to the docker API at unix:///x; check if the path is correct", "does not run", "start Docker"),
    ("permission denied while trying to connect to the Docker daemon socket at unix:///x", "may not use it", "usermod"),
    ("permission denied while trying to connect to the docker API at unix:///x", "may not use it", "usermod"),
    (
        f'{ERROR}failed to pull image "kindest/node:v9": lookup x: no such host',
        "not be downloaded",
        "check the network",
    ),
    (f"{ERROR}failed to pull image: toomanyrequests: You have reached", "refuses further downloads", "docker login"),
    ("Bind for 127.0.0.1:8080 failed: port is already allocated.", "port 8080 ", "ss -ltnp"),
    ("listen tcp4 127.0.0.1:30080: bind: address already in use", "port 30080 ", "ss -ltnp"),
    ("Ports are not available: exposing port TCP 127.0.0.1:8443 -> 0.0.0.0:0: listen", "port 8443 ", "ss -ltnp"),
    ("address already in use", "a port of this machine", "free ports"),
    ("write /x: no space left on device", "disk of the container engine is full", "docker system df"),
    ("Failed to create inotify object: Too many open files", "too few file watches", "max_user_instances=512"),
    (f'{ERROR}could not find a log line that matches "Reached target"', "did not boot", "labkit doctor"),
    (
        f'{ERROR}node(s) already exist for a cluster with the name "lab"',
        "cluster lab behind",
        "reset --provider kind --name lab",
    ),
    ("error adding pid 12 to cgroups: failed to write", "control groups", "rootless"),
    ("stat failed on /dev/mapper/root", "/dev/mapper/root", "known-issues"),
    ("couldn't run telinit", "its own init", "daemon.json"),
    ("failed to lock config file: open /k/config.lock: file exists", "lock of /k/config", ".lock"),
]


@pytest.mark.parametrize("text, what, next", CASES)
def test_each_failure_has_a_cause_and_one_next_step(text, what, next):
    error = explain(f"Creating cluster\n{text}\n", "kind create cluster")
    assert what in error.what
    assert next in error.next
    assert "{" not in error.what + error.next


def test_every_row_of_the_table_is_shown_to_work():
    import re

    texts = [text for text, _, _ in CASES]
    assert [row.id for row in FAILURES if not any(re.search(row.pattern, text) for text in texts)] == []


def test_what_an_earlier_start_left_is_damage():
    assert isinstance(explain('node(s) already exist for a cluster with the name "x"', "kind"), Damaged)


def test_unknown_words_are_quoted_by_the_line_that_says_why():
    error = explain(
        '{"ID": ""}\nCreating ...\nERROR: the moon is in the way\n\nStack Trace:\nmain', "kind create cluster"
    )
    assert isinstance(error, Unavailable)
    assert error.what == "kind create cluster failed: the moon is in the way"
    assert explain("", "docker ps").what == "docker ps failed: it said nothing"
