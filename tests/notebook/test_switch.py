"""The button that chooses the other provider: it does nothing until it is pressed, and says what came of it."""

from __future__ import annotations

import pytest

from kit.errors import Unavailable
from kit.notebook import forms, switch
from kit.notebook.cluster import Cluster
from kit.providers import choose
from kit.providers.base import Handle


class Connected:
    """Stands for `choose.connect`."""

    def __init__(self, error=None):
        self.calls, self.error = [], error

    def __call__(self, name, provider, progress):
        self.calls.append((name, provider))
        progress("• Preparing nodes")
        if self.error:
            raise self.error
        return Handle(name, provider, "/k")


@pytest.fixture
def connected(monkeypatch):
    made = Connected()
    monkeypatch.setattr(choose, "connect", made)
    monkeypatch.delenv("LABKIT_PROVIDER", raising=False)
    return made


def test_pressed_it_starts_the_other_one(connected):
    button, line = switch.switch(Handle("lab", "embedded", "/k"), "en").children
    assert button.description == "Switch to kind"
    assert "about 1 GB" in line.value
    assert connected.calls == []
    button.click()
    assert connected.calls == [("lab", "kind")]
    assert "Cluster lab (kind) answers" in line.value
    assert "first cell" in line.value
    assert not button.disabled


def test_what_goes_wrong_is_said_and_the_way_out(connected):
    connected.error = Unavailable("the kind command is not installed", "labkit doctor --install kind fetches it")
    button, line = switch.switch(Handle("lab", "embedded", "/k"), "zh").children
    assert button.description == "切换到 kind"
    button.click()
    assert "labkit doctor --install kind fetches it" in line.value
    assert "你的集群没有变化" in line.value
    connected.error = KeyboardInterrupt()
    button.click()
    assert "Interrupt" in line.value
    assert not button.disabled


def test_back_and_nothing_to_choose(connected, monkeypatch):
    button, _ = switch.switch(Handle("lab", "kind", "/k"), "en").children
    assert button.description == "Switch to embedded"
    assert switch.switch(Handle("lab", "kubeconfig", "/k"), "en") is None
    monkeypatch.setenv("LABKIT_PROVIDER", "embedded")
    assert "LABKIT_PROVIDER is set to embedded" in switch.chosen("lab", "kind", "en", lambda text: None)


def test_a_cluster_is_shown_with_its_button_and_as_text(monkeypatch):
    monkeypatch.setattr(Cluster, "__repr__", lambda self: "Cluster lab (embedded): n1")
    cluster = Cluster(Handle("lab", "embedded", "/k"), None)
    assert cluster._repr_mimebundle_() == {"text/plain": "Cluster lab (embedded): n1"}
    monkeypatch.setattr(forms, "_in_kernel", lambda: True)
    data, _ = cluster._repr_mimebundle_()
    assert data["text/plain"] == "Cluster lab (embedded): n1"
    assert "application/vnd.jupyter.widget-view+json" in data
