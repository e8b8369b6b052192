"""Programs of the machine: a list of words, a group of their own, a clean environment."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading

import pytest

from kit.errors import Unavailable
from kit.providers import commands

ENV = dict(os.environ)


def test_words_stay_words():
    ran = commands.run([sys.executable, "-c", "import sys; print(sys.argv[1:])", "x; touch F #", "$HOME"], env=ENV)
    assert ran.ok
    assert ran.stdout == "['x; touch F #', '$HOME']\n"


def test_a_missing_program_is_said_as_the_engine_says_it():
    ran = commands.run(["no-such-program"], env=ENV)
    assert ran.code == 127
    assert 'exec: "no-such-program": executable file not found' in ran.stderr


def test_stdin_reaches_it_and_lines_come_as_they_are_written():
    heard = []
    code = "import sys; text = sys.stdin.read(); print(text.upper()); print('one\\ntwo', file=sys.stderr); sys.exit(3)"
    ran = commands.stream([sys.executable, "-c", code], heard.append, env=ENV, stdin="é")
    assert (ran.code, ran.stdout, heard) == (3, "É\n", ["one", "two"])


def test_what_takes_too_long_is_ended_and_said():
    with pytest.raises(Unavailable, match="did not end within 0 s"):
        commands.run([sys.executable, "-c", "import signal; signal.pause()"], env=ENV, timeout_s=0.3)


def test_an_interrupt_ends_the_whole_group(tmp_path):
    """The child of the program holds one end of a pipe: that closes when the child is gone, and not before."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    code = (
        "import os, subprocess, sys, signal\n"
        "held = 'import signal, sys; file = open(sys.argv[1], chr(119)); print(1, flush=True); signal.pause()'\n"
        f"child = subprocess.Popen([sys.executable, '-c', held, {str(pipe)!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(os.getpid(), os.getpgid(0), file=sys.stderr, flush=True)\n"
        "signal.pause()"
    )
    heard = []

    def hear(line):
        heard.extend(int(word) for word in line.split())
        assert select.select([end], [], [], 0)[0] == [], "the child does not hold the pipe"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commands.stream([sys.executable, "-c", code], hear, env=ENV)
    pid, group = heard
    assert pid == group != os.getpgid(0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert select.select([end], [], [], 10)[0] == [end], "the child of the program still runs"
    os.close(end)
    assert threading.active_count() < 5
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_steers_kind_is_taken_out():
    env = {
        "PATH": "/bin",
        "KUBECONFIG": "/x",
        "KIND_CLUSTER_NAME": "other",
        "KIND_EXPERIMENTAL_PROVIDER": "podman",
        "HTTPS_PROXY": "http://127.0.0.1:3128",
        "HTTP_PROXY": "http://proxy.example:3128",
        "no_proxy": "localhost",
    }
    assert set(commands.clean(env)) == {"PATH", "HTTP_PROXY", "no_proxy"}
    assert env["KUBECONFIG"] == "/x"
