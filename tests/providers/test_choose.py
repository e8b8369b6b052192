"""Which provider and which cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit.errors import BadInput, Unavailable
from kit.providers import choose
from kit.providers.base import Capabilities, Handle


def test_the_order_is_words_then_environment_then_folder_then_embedded(tmp_path):
    (tmp_path / ".labkit.json").write_text("{}")
    inside = tmp_path / "zh"
    inside.mkdir()
    assert choose.provider_name(None, {}, inside) == "embedded"
    choose.remember("kind", inside)
    assert json.loads((tmp_path / choose.CHOICE).read_text()) == {"provider": "kind"}
    assert choose.provider_name(None, {}, inside) == "kind"
    assert choose.provider_name(None, {"LABKIT_PROVIDER": "kubeconfig"}, inside) == "kubeconfig"
    assert choose.provider_name("embedded", {"LABKIT_PROVIDER": "kubeconfig"}, inside) == "embedded"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"provider": "sorcery"}', "\xff"])
def test_a_choice_that_makes_no_sense_is_not_followed(tmp_path, content):
    (tmp_path / ".labkit.json").write_text("{}")
    (tmp_path / choose.CHOICE).write_text(content)
    assert choose.provider_name(None, {}, tmp_path) == "embedded"


def test_outside_of_a_course_nothing_is_kept(tmp_path):
    choose.remember("kind", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_wishes_come_from_words_and_variables():
    env = {"LABKIT_NAME": "mine", "LABKIT_CLOCK": "settled", "LABKIT_SEED": "5", "LABKIT_STATE_DIR": "/x"}
    wanted = choose.wish(env=env)
    assert (wanted.name, wanted.clock, wanted.seed, wanted.state_dir) == ("mine", "settled", 5, Path("/x"))
    wanted = choose.wish("yours", env=env, clock="realtime", seed=0, nodes=4, image="kindest/node:v1")
    assert (wanted.name, wanted.clock, wanted.seed, wanted.nodes) == ("yours", "realtime", 0, 4)
    assert wanted.options == {"image": "kindest/node:v1"}
    assert choose.wish(env={}).name == "lab"


def test_what_is_wrong_is_said():
    with pytest.raises(BadInput, match="sorcery") as wrong:
        choose.provider("sorcery")
    assert "embedded, kind, kubeconfig" in wrong.value.next
    with pytest.raises(BadInput, match="LABKIT_SEED"):
        choose.wish(env={"LABKIT_SEED": "many"})


def test_native_windows_gets_one_message(monkeypatch):
    monkeypatch.setattr(choose.sys, "platform", "win32")
    with pytest.raises(Unavailable, match="native Windows") as refused:
        choose.connect()
    assert "WSL2" in refused.value.next


def test_connect_remembers_only_what_was_said(tmp_path, monkeypatch):
    class Other:
        name = "other"

        def up(self, wanted, progress):
            return Handle(wanted.name, "other", tmp_path / "kubeconfig")

    monkeypatch.setattr(choose, "_provider", lambda name: Other())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LABKIT_PROVIDER", raising=False)
    (tmp_path / ".labkit.json").write_text("{}")
    assert choose.connect("a").name == "a"
    assert not (tmp_path / choose.CHOICE).exists()
    choose.connect("a", "kind")
    assert (tmp_path / choose.CHOICE).exists()


def test_capabilities_answer_needs():
    found = Capabilities(cluster=True, nodes=False, clock=True, trace=False, faults=False)
    assert [need for need in ("cluster", "nodes", "clock", "sorcery") if found.offers(need)] == ["cluster", "clock"]
