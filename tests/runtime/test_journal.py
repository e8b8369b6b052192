"""The journal: what was committed is there again; what can't be trusted is said."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest

from kit.embedded.core.store import Row
from kit.errors import Damaged, Refused
from kit.runtime.journal import FORMAT, Journal


def test_rows_come_back_and_removed_ones_do_not(tmp_path):
    journal = Journal(tmp_path / "state.db")
    assert journal.empty()
    journal.commit([Row("objects", "a", b"1"), Row("objects", "b", b"2"), Row("meta", "m", b"3")])
    journal.commit([Row("objects", "a", None), Row("objects", "b", b"4")])
    journal.close()
    again = Journal(tmp_path / "state.db")
    assert list(again.rows()) == [Row("meta", "m", b"3"), Row("objects", "b", b"4")]
    assert not again.empty()
    again.close()


def test_a_commit_survives_kill_9(tmp_path):
    code = (
        "import os, sys, pathlib; from kit.runtime.journal import Journal; from kit.embedded.core.store import Row\n"
        "j = Journal(pathlib.Path(sys.argv[1])); j.commit([Row('t', str(n), b'x' * 1000) for n in range(500)]); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "state.db")], check=False)
    assert ended.returncode == -9
    journal = Journal(tmp_path / "state.db")
    assert len(list(journal.rows())) == 500
    journal.close()


def test_one_owner_at_a_time(tmp_path):
    journal = Journal(tmp_path / "state.db")
    with pytest.raises(Refused, match="in use"):
        Journal(tmp_path / "state.db")
    journal.close()


def test_a_damaged_file_is_reported_with_the_way_out_and_left_alone(tmp_path):
    path = tmp_path / "state.db"
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(Damaged) as damaged:
        Journal(path, "mine")
    assert "labkit reset --name mine" in damaged.value.next
    assert path.read_bytes().startswith(b"this is not")


def test_a_torn_page_is_found(tmp_path):
    path = tmp_path / "state.db"
    journal = Journal(path)
    journal.commit([Row("t", str(number), os.urandom(2000)) for number in range(200)])
    journal.close()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)
    with pytest.raises(Damaged):
        Journal(path)


def test_a_newer_format_is_reported(tmp_path):
    Journal(tmp_path / "state.db").close()
    db = sqlite3.connect(tmp_path / "state.db")
    db.execute(f"PRAGMA user_version={FORMAT + 1}")
    db.commit()
    db.close()
    with pytest.raises(Damaged, match="newer"):
        Journal(tmp_path / "state.db")
