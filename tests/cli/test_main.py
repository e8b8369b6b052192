"""The command line: exit codes, words, what is imported for what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kit.cli import lab
from kit.cli.env import variables
from kit.errors import KitError, Status
from kit.providers.base import Handle


@pytest.fixture
def labkit(tmp_path):
    """Run `labkit` in an empty home."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LABKIT_")}
    env = {
        **kept,
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }

    def run(*arguments, **more):
        command = [sys.executable, "-m", "kit.cli.main", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env={**env, **more}, cwd=tmp_path, timeout=60, check=False
        )

    return run


def test_help_names_every_command(labkit):
    shown = labkit("--help")
    assert shown.returncode == 0
    for command in ("lab", "up", "down", "status", "kubeconfig", "env", "reset", "doctor", "labs"):
        assert f"\n  {command} " in shown.stdout


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (("up", "--bogus"), 2, "No such option"),
        (("fly",), 2, "No such command"),
        (("up", "--name", "UP"), 1, "can't be called 'UP'"),
        (("up", "--provider", "sorcery"), 1, "no provider 'sorcery'"),
        (("up", "--clock", "stepped"), 1, "not built yet"),
        (("up", "--nodes", "many"), 2, "--nodes"),
        (("kubeconfig",), 1, "labkit up"),
        (("env", "--name", "x"), 1, "labkit up --name x"),
        (("reset", "--name", "x"), 1, "no embedded cluster named x"),
        (("down", "--all", "--name", "x"), 1, "contradict"),
    ],
)
def test_errors_say_what_happened_and_never_a_traceback(labkit, arguments, code, words):
    ended = labkit(*arguments)
    assert ended.returncode == code
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_without_a_terminal_progress_is_plain_lines(labkit):
    ended = labkit("up", "--name", "x", LABKIT_CLOCK="settled")
    assert ended.stderr == "starting the embedded cluster\n"
    assert ended.stdout.startswith("cluster x (embedded) answers\n")
    assert labkit("down", "--name", "x", "--delete").stdout == "cluster x is removed\n"


def test_nothing_is_left_of_a_cluster_that_is_removed(labkit, tmp_path):
    labkit("up", LABKIT_CLOCK="settled")
    assert (tmp_path / "state" / "kubernetes-lab-kit" / "state" / "lab" / "token").is_file()
    labkit("down", "--delete")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_nothing_there_is_no_error(labkit):
    assert json.loads(labkit("status", "--json").stdout) == []
    assert "labkit up" in labkit("status").stdout
    assert labkit("down").stdout == "there is no cluster lab\n"


def test_errors_of_the_kit_and_of_the_cluster_end_with_1(capsys):
    from kit.cli.main import guarded

    def fail(error):
        def action():
            raise error

        return action

    assert guarded(fail(KitError("it broke", "mend it"))) == 1
    assert capsys.readouterr().err == "Error: it broke\n  → mend it\n"
    assert guarded(fail(Status("NotFound", 'pods "x" not found'))) == 1
    assert 'pods "x" not found' in capsys.readouterr().err
    assert guarded(fail(KeyboardInterrupt())) == 130
    assert guarded(lambda: 0) == 0


def test_env_quotes_and_leads_path_with_our_commands():
    handle = Handle("lab", "embedded", Path("/a b/kubeconfig"))
    ours = str(Path(sys.executable).parent)
    found = variables(handle, f"/usr/bin:{ours}:/bin")
    assert found["KUBECONFIG"] == "/a b/kubeconfig"
    assert found["PATH"].split(":") == [ours, "/usr/bin", "/bin"]


def test_jupyterlab_gets_terminals_that_keep_path_and_the_first_lab(tmp_path):
    (tmp_path / "00_tour.ipynb").write_text("{}")
    command = lab.arguments(tmp_path, ["--no-browser", "--port", "8899"])
    assert command[-3:] == ["--no-browser", "--port", "8899"]
    assert "--LabApp.expose_app_in_browser=True" in command
    assert "--LabApp.default_url=/lab/tree/00_tour.ipynb" in command
    settings = next(word for word in command if "terminado_settings" in word).partition("=")[2]
    assert json.loads(settings)["shell_command"][0].startswith("/")


def test_up_imports_neither_the_client_nor_rich():
    code = "import sys; import kit.cli.up, kit.providers.embedded; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"kubernetes", "pydantic", "aiohttp", "asyncio", "IPython"}.isdisjoint(loaded)


def test_the_process_stays_lean():
    code = (
        "import sys; import kit.runtime.control, kit.runtime.server, kit.runtime.ports, kit.runtime.journal, kit.runtime.credentials;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"kubernetes", "pydantic", "rich", "typer", "aiohttp", "cryptography", "platformdirs"}.isdisjoint(loaded)
