"""The object a cell holds: exactly the members of the design, lazy imports, stable texts."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kit
from kit.client.watch import Change
from kit.errors import BadInput
from kit.notebook.answers import Changes, HttpAnswer
from kit.notebook.lab import Lab
from kit.notebook.magics import apply_cell, filled
from kit.notebook.outside import check_url

MEMBERS = {
    *("namespace", "cluster", "http", "url", "probe", "wait", "advance", "watch", "graph", "board"),
    *("predict", "check", "hint", "quiz", "break_", "undo", "reset", "restore"),
}


def test_members_are_those_of_the_design():
    assert {name for name in vars(Lab) if not name.startswith("_")} == MEMBERS
    for name in MEMBERS:
        assert getattr(Lab, name).__doc__


def test_import_kit_pulls_nothing_in():
    code = "import sys, kit; print([n for n in ('kubernetes', 'ipywidgets', 'urllib3', 'yaml', 'IPython', 'pydantic') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_lab_does_without_the_official_client():
    code = "import sys, kit; kit.lab, kit.cluster; print('kubernetes' in sys.modules, 'ipywidgets' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False False\n"
    )


def test_unknown_names_of_kit():
    assert "lab" in dir(kit)
    with pytest.raises(AttributeError, match="no attribute 'labb'"):
        kit.labb  # noqa: B018


def test_answers_read_alike():
    assert repr(HttpAnswer("http://10.0.0.1:80/x", 200, "OK", {}, "hello\n")) == "200 OK\nhello"
    assert repr(HttpAnswer("http://10.0.0.1:80/x", error="timeout")) == "timeout: no answer from 10.0.0.1:80 within 3 s"
    assert repr(HttpAnswer("http://a:1/", error="NXDOMAIN", lang="zh")) == "NXDOMAIN:没有这个名字:a:1"
    assert repr(HttpAnswer("http://a/", 200, "OK", {}, "x\n" * 40)).endswith("… 10 more lines")
    pod = {"kind": "Pod", "metadata": {"name": "web"}, "status": {"phase": "Running"}}
    assert repr(Changes([Change("ADDED", pod)])) == "ADDED     pod/web  Running  not Ready"
    assert repr(Changes([])) == "nothing changed"


def test_values_are_filled_in_by_name_only():
    assert filled("a: $ip\nb: $HOME\n", "--fill ip", {"ip": ["10.0.0.1"], "HOME": "x"}) == "a: 10.0.0.1\nb: $HOME\n"
    assert filled("a: $ip\n", "", {"ip": "x"}) == "a: $ip\n"


@pytest.mark.parametrize(
    ("line", "names", "what"),
    [
        ("--fil ip", {"ip": "x"}, "does not understand"),
        ("--fill", {}, "does not understand"),
        ("--fill ip", {}, "has no variable ip"),
        ("--fill ip", {"ip": []}, "the variable ip is empty"),
        ("--fill ip other", {"ip": "x", "other": "y"}, "the cell has no $other"),
    ],
)
def test_what_can_not_be_filled_in(line, names, what):
    with pytest.raises(BadInput) as caught:
        filled("a: $ip\n", line, names)
    assert what in caught.value.what


def test_the_magic_without_a_lab(capsys):
    apply_cell("", "a: 1", {})
    assert capsys.readouterr().err.startswith("there is no lab yet\n")


@pytest.mark.parametrize("url", ["web:80", "ftp://x", "http:///x", ""])
def test_no_addresses(url):
    with pytest.raises(BadInput, match="is not an address"):
        check_url(url)
