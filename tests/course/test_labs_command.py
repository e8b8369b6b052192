"""`labkit labs`: list, and the drift check."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from kit.cli.labs import app


def test_list():
    ran = CliRunner().invoke(app, ["list"])
    assert ran.exit_code == 0
    assert "01  Nodes and Pods  (50 min, 5 exercises)" in ran.output
    rows = json.loads(CliRunner().invoke(app, ["list", "--json"]).output)
    assert {row["number"]: row["title_zh"] for row in rows}["01"] == "节点与 Pod"


def test_the_notebooks_are_what_the_sources_say():
    ran = CliRunner().invoke(app, ["build", "--check"])
    assert ran.exit_code == 0, ran.output
