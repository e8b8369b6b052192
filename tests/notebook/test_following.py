"""The kernel's event before a cell: the cell's id reaches the lab, and what goes wrong there does not stop the cell."""

from __future__ import annotations

import types

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from kit.errors import Unavailable
from kit.notebook import following
from kit.notebook.lab import Lab
from kit.notebook.magics import load_ipython_extension


@pytest.fixture
def shell(monkeypatch):
    """Return a shell that a notebook's kernel would have, with the kit loaded twice, as two labs do."""
    made = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: made)
    load_ipython_extension(made)
    load_ipython_extension(made)
    return made


def test_before_each_cell_the_lab_goes_where_it_belongs(shell, monkeypatch):
    seen = []
    monkeypatch.setattr(following, "go", lambda lab, cell_id, text: seen.append((cell_id, text)))
    shell.run_cell("x = 1", cell_id="0")
    assert seen == []  # there is no lab yet
    shell.user_ns["lab"] = Lab(types.SimpleNamespace())
    shell.run_cell("x = 2", cell_id="abc")
    shell.run_cell("x = 3")
    assert seen == [("abc", "x = 2"), (None, "x = 3")]


def test_a_cluster_that_can_not_be_started_is_said(shell, monkeypatch, capsys):
    def fail(*_):
        raise Unavailable("no cluster beside", "labkit doctor")

    monkeypatch.setattr(following, "go", fail)
    shell.user_ns["lab"] = Lab(types.SimpleNamespace())
    shell.run_cell("x = 4")
    assert capsys.readouterr().err == "no cluster beside\nlabkit doctor\n"
    assert shell.user_ns["x"] == 4


def test_an_embedded_cluster_never_leaves_home():
    session = types.SimpleNamespace(
        main=None, lacks=lambda needs: (), lesson=types.SimpleNamespace(exercises={}, faults={})
    )
    lab = Lab(session)
    following.go(lab, "id", "text")
    assert lab.session is session
