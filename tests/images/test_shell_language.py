"""The shell's language: lines whose answers a POSIX shell gave (`shell_lines.json`), and what is ours alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shellbox import Box, Stuck

from kit.embedded.core.filesystem import Tree
from kit.embedded.images.busybox.image import busybox, shell_files

LINES = json.loads((Path(__file__).parent / "shell_lines.json").read_text())


def new_box() -> Box:
    box = Box(Tree(busybox().root))
    box.tree.write("/etc/hostname", b"box\n")
    return box


@pytest.fixture(scope="module")
def box() -> Box:
    return new_box()


@pytest.mark.parametrize("case", LINES, ids=[case["line"][:50] for case in LINES])
def test_line(box: Box, case: dict[str, Any]) -> None:
    out, _, code = box.run(["sh", "-c", case["line"]])
    assert (out.decode("utf-8", "surrogateescape"), code) == (case["stdout"], case["code"])


@pytest.mark.parametrize(
    ("line", "err", "code"),
    [
        ("f() { f; }; f", "functions nested deeper than 500 levels (not simulated)", 2),
        ("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", "out of memory", 1),
        ("fg", "not simulated", 2),
        ("(" * 60 + "echo" + ")" * 60, "nested deeper than 40 levels", 2),
        ("echo $((" + "(" * 200 + "1" + ")" * 200 + "))", "nested too deeply", 2),
        ("echo '\\1' | grep '\\(a\\)\\1'", "back-references are not simulated", 2),
        ("awk 'function f(x) {return x} BEGIN {print f(1)}'", "function: not simulated", 1),
        ("awk 'BEGIN {\"date\" | getline x}'", "getline: not simulated", 1),
        ("vi /etc/hosts", "vi: not simulated", 1),
        ("umask 077", "not simulated", 2),
        ("ln /etc/passwd /tmp/hard", "hard links are not simulated", 1),
    ],
)
def test_limits_are_said(box: Box, line: str, err: str, code: int) -> None:
    _, errors, status = box.run(["sh", "-c", line])
    assert err in errors.decode()
    assert status == code


def test_bracket_around_an_expansion_is_a_pattern(box: Box) -> None:
    assert box.run(["sh", "-c", "cd /tmp; echo >qb; x=b; echo q[$x] [ q[z]"])[0] == b"qb [ q[z]\n"


def test_script_file_names_file_and_line(box: Box) -> None:
    box.tree.write("/tmp/s.sh", b"echo one\nnosuch\ncd /nodir\necho $0 $1\nfi\n")
    out, err, code = box.run(["sh", "/tmp/s.sh", "arg"])
    assert out == b"one\n/tmp/s.sh arg\n"
    assert err.decode().splitlines() == [
        "/tmp/s.sh: line 2: nosuch: not found",
        "/tmp/s.sh: cd: line 3: can't cd to /nodir: No such file or directory",
        '/tmp/s.sh: line 5: syntax error: unexpected "fi"',
    ]
    assert code == 2


def test_executable_script_runs_its_interpreter(box: Box) -> None:
    box.tree.write("/tmp/run.sh", b"#!/bin/sh\necho ran $1\n", mode=0o755)
    assert box.run(["sh", "-c", "/tmp/run.sh x"]) == (b"ran x\n", b"", 0)


def test_script_without_interpreter_line_runs_too(box: Box) -> None:
    box.tree.write("/tmp/plain.sh", b"echo plain $#\n", mode=0o755)
    assert box.run(["sh", "-c", "/tmp/plain.sh a b; echo $?"]) == (b"plain 2\n0\n", b"", 0)


def test_commands_from_standard_input(box: Box) -> None:
    script = b"x=1\nif [ $x = 1 ]; then\necho multi\nfi\ncat <<E\nhere $x\nE\necho last"
    assert box.run(["sh"], stdin=script) == (b"multi\nhere 1\nlast\n", b"", 0)


def test_interactive_prompts_and_goes_on_after_errors(box: Box) -> None:
    out, err, code = box.run(["sh"], stdin=b"echo hi\ncd /etc\nfi\nfor i in 1 2; do\necho $i\ndone\nexit 4\n", tty=True)
    assert out == b"hi\n1\n2\n"
    assert err.decode() == '/ # / # /etc # sh: syntax error: unexpected "fi"\n/etc # > > /etc # '
    assert code == 4


def test_prompt_of_another_user(box: Box) -> None:
    _, err, _ = box.run(["sh"], stdin=b"", tty=True, uid=1000)
    assert err == b"/ $ \n" or err == b"/ $ "


def test_pid_one_exits_by_its_trap() -> None:
    box = new_box()
    line = "(sleep 1; kill -TERM $PPID_OF) & trap 'echo term; exit 0' TERM; while true; do sleep 0.2; done".replace(
        "$PPID_OF", "$$"
    )
    assert box.run(["sh", "-c", line]) == (b"term\n", b"", 0)


def test_wait_is_interrupted_by_a_trap() -> None:
    line = "trap 'echo got' USR1; (sleep 1; kill -USR1 $$) & sleep 100 & wait $!; echo $?"
    assert new_box().run(["sh", "-c", line]) == (b"got\n138\n", b"", 0)


def test_a_killed_child_is_announced_but_exit_137_is_not() -> None:
    box = new_box()
    assert box.run(["sh", "-c", "sh -c 'kill -9 $$'; echo $?"]) == (b"137\n", b"Killed\n", 0)
    assert box.run(["sh", "-c", "sh -c 'exit 137'; echo $?"]) == (b"137\n", b"", 0)


def test_the_last_command_replaces_the_shell() -> None:
    out, _, _ = new_box().run(["sh", "-c", "echo $$; sh -c 'echo $$'"])
    first, second = out.split()
    assert first == second


def test_background_output_and_bang() -> None:
    out, err, code = new_box().run(["sh", "-c", "echo bg & wait $!; echo $? $(( $! > 0 ))"])
    assert (out, err, code) == (b"bg\n0 1\n", b"", 0)


def test_other_images_find_applets_along_path() -> None:
    from kit.embedded.core.filesystem import build

    box = Box(
        Tree(build({"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", **shell_files(without=frozenset(("wget",)))}))
    )
    assert box.run(["sh", "-c", "type ls; printenv X; wget http://x"], env={"X": "1"})[::2] == (
        b"ls is /usr/bin/ls\n1\n",
        127,
    )


def test_every_command_costs_cluster_time() -> None:
    box = new_box()
    box.run(["sh", "-c", "true"])
    before = {}

    def burnt(process: Any, item: Any) -> tuple[bool, Any]:
        before["us"] = before.get("us", 0) + item.us
        return True, None

    box.do_burn = burnt  # type: ignore[method-assign]
    box.run(["sh", "-c", "i=0; while [ $i -lt 100 ]; do i=$((i+1)); done"])
    assert before["us"] >= 200_000


PIECES = st.sampled_from(
    ["echo", " ", " ", "x", "$x", "${x", "}", "$((", "))", "(", ")", "{ ", " }", ";", "\n", "|", "&&", "||", "&", "'", '"', "`", "$(",
     "if ", "then ", "fi", "for i in a; do ", "done", "while ", "case x in ", "esac", ";;", "*", "[a", "]", "~", "\\", "<<E\n", "E\n",
     ">/tmp/f", "<", "2>&1", "=", "1", "+", "%", "#", "!", "set -e", "f() ", "local ", "shift", "break", "return", "eval ", "trap ",
     "read ", "exec ", "sed ", "awk ", "grep ", "cut ", "tr ", "sort", "head -1", "test ", "[ ", "printf ", "%d", "unset ", "export ",
     "wc", "ls ", "/etc", "find . ", "xargs ", "date ", "kill ", "tar c", "od", "{print $1}", "s/a/b/", "-n", "-e", "é", "\0", "\udcff"]
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_no_script_raises(script: str) -> None:
    box = new_box()
    try:
        box.run(["sh", "-c", script], limit=3000)
    except Stuck:  # an endless loop or a deadlock of the script's own making
        return
