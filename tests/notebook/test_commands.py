"""`!command` in a kernel: what it prints, its exit code, and that nobody sleeps when it is over."""

from __future__ import annotations

import os
import signal
import time
from types import SimpleNamespace
from typing import Any

import pexpect  # type: ignore[import-untyped]
import pytest

from kit.notebook import commands


def test_prints_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run("printf 'Pod 就绪\\n'; exit 3") == 3
    assert capsys.readouterr().out == "Pod 就绪\r\n"
    assert commands.run("kill -9 $$") == -signal.SIGKILL
    assert commands.run("sh -c 'exit 130'") == -signal.SIGINT


def test_what_is_printed_at_the_very_end_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pexpect says EOF without having read, when a command prints and ends between its last look and its question whether it lives."""

    def through(self: Any, patterns: Any, timeout: float) -> int:
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self.before = b""
        return 1

    monkeypatch.setattr(pexpect.spawn, "expect_list", through)
    assert commands.run("echo one; echo two") == 0
    assert capsys.readouterr().out == "one\r\ntwo\r\n"


def test_the_end_of_a_command_is_not_slept_through(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert commands.run("echo one; echo two") == 0
    assert sum(slept) < 0.01


def test_a_letter_that_comes_in_two_pieces_is_one_letter(capsys: pytest.CaptureFixture[str]) -> None:
    commands.run("printf '\\345'; sleep 0.15; printf '\\260\\261'")
    assert capsys.readouterr().out == "就"


def test_interrupt_ends_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real = pexpect.spawn.expect_list
    calls: list[float] = []

    def interrupted(self: Any, patterns: Any, timeout: float) -> Any:
        calls.append(timeout)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, patterns, timeout)

    monkeypatch.setattr(pexpect.spawn, "expect_list", interrupted)
    code = commands.run("trap 'echo bye; exit 7' INT; echo begun; while :; do sleep 0.05; done")
    assert code == 7
    assert "bye" in capsys.readouterr().out


class Kernel:
    """As much of ipykernel's shell as a command needs."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.piped: list[str] = []

    def var_expand(self, command: str, depth: int) -> str:
        return command.replace("$name", "web")

    def system_piped(self, command: str) -> None:
        self.piped.append(command)

    system = system_piped


def test_a_kernel_runs_commands_by_ours_and_keeps_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    shell = Kernel()
    commands.quicken(shell)
    shell.system("echo $name; exit 4")
    assert (capsys.readouterr().out, shell.user_ns["_exit_code"]) == ("web\r\n", 4)
    shell.system("sleep 9 &")
    assert shell.piped == ["sleep 9 &"]


def test_other_shells_stay_as_they_are() -> None:
    shell = SimpleNamespace(system=print)
    commands.quicken(shell)
    assert shell.system is print
