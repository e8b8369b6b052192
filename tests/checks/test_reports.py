"""Reports and conditions over a small in-memory world: states, gates, traps, why-not traces, stable text."""

from __future__ import annotations

import pytest

from kit.checks import Checks, Condition, Seen, Text, World, answered, condition, event, exists, field, pod, trap
from kit.checks.conditions import millicores, repository
from kit.checks.hints import Hints
from kit.checks.phrases import phrase
from kit.checks.probes import sample_of
from kit.checks.reasons import value_at
from kit.checks.report import COLOURS, ON_COLOUR, Outcome, Report, State
from kit.checks.text import as_html
from kit.client.wait import milliseconds, wait
from kit.errors import BadInput, Status, Unavailable

PENDING = {
    "metadata": {"name": "db", "uid": "0", "labels": {"tier": "db"}},
    "spec": {"nodeName": "n1", "containers": [{"name": "redis", "image": "redi:8"}]},
    "status": {
        "phase": "Pending",
        "containerStatuses": [
            {"name": "redis", "image": "redi:8", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
        ],
    },
}
READY = {
    "metadata": {"name": "db", "labels": {"tier": "db"}},
    "spec": {
        "nodeName": "n1",
        "containers": [{"name": "redis", "image": "redis:8", "resources": {"requests": {"cpu": "0.25"}}}],
    },
    "status": {"phase": "Running", "podIP": "10.244.1.2", "conditions": [{"type": "Ready", "status": "True"}]},
}
BACK_OFF = {
    "reason": "BackOff",
    "message": "Back-off restarting failed container c in pod db_x(0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f)",
    "metadata": {},
}


class Clock:
    def __init__(self):
        self.now = 0
        self.then = {}

    def now_ms(self):
        return self.now

    def let_pass(self, ms):
        self.now += ms
        for due in sorted(self.then):
            if due <= self.now:
                self.then.pop(due)()


class Objects:
    namespace = "lab-01"

    def __init__(self, found=None, events=()):
        self.found, self.heard = found or {}, list(events)

    def find(self, kind, name, namespace=None):
        return self.found.get((kind.lower(), name))

    def events(self, about, namespace=None):
        return self.heard

    def list(self, kind, labels=""):
        return [item for (found, _), item in self.found.items() if found == kind]


def world(found=None, events=(), answers=None):
    return World(Objects(found, events), Clock(), answers or {})


def report(conditions, at, traps=None, lang="en"):
    checks = Checks()
    checks.check("X1")(lambda: iter(conditions))
    return checks.run("X1", at, traps or {}, lang)


def test_pass_is_one_line_and_its_conditions():
    found = report(
        [pod("db").exists().begun(), pod("db").label("tier", "db"), pod("db").ready()], world({("pod", "db"): READY})
    )
    assert repr(found) == "PASS X1\n  ✓ Pod db\n  ✓ Pod db has the label tier=db\n  ✓ Pod db is Ready"
    assert found.passed


def test_a_gate_is_todo_and_the_rest_is_not_looked_at():
    looked = []
    later = condition("later", "later", "后面", lambda _: looked.append(1) or True)
    found = report([pod("db").exists().begun(), later], world())
    assert repr(found) == "TODO X1: wants Pod db, found no Pod named db\n  ✗ Pod db: no Pod named db\n  · later"
    assert looked == []


def test_wrong_shows_the_way_to_the_cause_without_uids():
    found = report([pod("db").ready("1s")], world({("pod", "db"): PENDING}, [BACK_OFF]))
    assert repr(found).splitlines() == [
        "WRONG X1: wants Pod db is Ready, found ImagePullBackOff",
        "  ✗ Pod db is Ready: ImagePullBackOff",
        "    Pod db → Node n1",
        "    container redis (redi:8): ImagePullBackOff",
        "    event BackOff: Back-off restarting failed container c in pod db_x",
        '  lab.hint("X1") gives a hint',
    ]
    assert "需要" in repr(report([pod("db").ready("1s")], world({("pod", "db"): PENDING}), lang="zh"))


def test_a_trap_answers_with_its_own_sentence():
    sentence = Text("the image decides", "镜像才决定")
    conditions = [
        pod("db").exists().begun(),
        trap("image", condition("i", "x", "y", lambda _: True)),
        pod("db").ready(),
    ]
    found = report(conditions, world({("pod", "db"): READY}), {"image": sentence})
    assert (found.state, found.trap) == ("WRONG", "image")
    assert repr(found).startswith("WRONG X1: the image decides\n")


def test_a_cluster_that_cannot_be_asked_is_an_error_not_an_exception():
    def broken(_):
        raise Unavailable("connection refused: no cluster", "start it with: labkit up")

    def refused(_):
        raise Status("Forbidden", "pods is forbidden")

    assert (
        repr(report([Condition("b", Text("b", "b"), broken)], world()))
        == "ERROR X1: connection refused: no cluster. start it with: labkit up"
    )
    assert (
        repr(report([Condition("b", Text("b", "b"), refused)], world()))
        == "ERROR X1: the cluster refused: pods is forbidden"
    )


def test_html_is_escaped():
    found = report([condition("x", "<script>", "<script>", lambda _: False)], world())
    assert "<script>" not in found._repr_html_()
    assert "&lt;script&gt;" in found._repr_html_()


def test_a_condition_may_come_true_in_cluster_time():
    at = world({("pod", "db"): PENDING})
    at.clock.then[700] = lambda: at.objects.found.update({("pod", "db"): READY})
    assert report([pod("db").ready("10s")], at).passed
    assert 700 <= at.clock.now < 2000


def test_a_wait_stops_at_its_limit():
    clock = Clock()
    assert wait(lambda: None, "30s", clock) is None
    assert clock.now == 30_000


def test_the_vocabulary():
    at = world(
        {("pod", "db"): READY, ("node", "n1"): {"metadata": {"name": "n1", "labels": {"disk": "ssd"}}}},
        [{"reason": "Scheduled"}],
        {"Q": "a"},
    )
    holds = [
        pod("db").image("redis"),
        pod("db").cpu_request("500m"),
        pod("db").on_node_labelled("disk", "ssd"),
        event("pod", "db", "Scheduled"),
        field("pod", "db", "spec.containers[0].image", "redis:8"),
        answered("Q", "a"),
        phrase("pod/db ready"),
        phrase("pod/no gone"),
        phrase("pod/db status.phase=Running"),
    ]
    assert [one.name for one in holds if not one.look(at).ok] == []
    fails = [
        pod("db").image("busybox"),
        pod("db").cpu_request("100m"),
        pod("db").selects_node("disk", "ssd"),
        event("pod", "db", "Killing"),
        answered("Q", "b"),
        answered("R"),
        exists("service", "db"),
        pod("db").env_from_field("IP", "status.podIP"),
        phrase("pod/db gone"),
        phrase("pod/db restarted"),
        phrase("pod/db reason=OOMKilled"),
    ]
    assert [one.name for one in fails if one.look(at).ok] == []


def test_a_selector_may_be_an_affinity():
    term = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    spec = {"affinity": {"nodeAffinity": required}, "containers": []}
    assert pod("f").selects_node("disk", "ssd").look(world({("pod", "f"): {"metadata": {}, "spec": spec}})) == Seen(
        True, Text("none", "没有")
    )


def test_hints_follow_what_failed():
    usual = [Text(word, word) for word in ("q", "w", "f")]
    special = [Text(word, word) for word in ("Q", "W", "F")]
    hints = Hints(usual, {"pod.db.label": special})
    unlabelled = {**READY, "metadata": {"name": "db"}}
    found = report([pod("db").label("tier", "db")], world({("pod", "db"): unlabelled}))
    assert [hints.of(found, tier).en for tier in (1, 2, 3, 9)] == ["Q", "W", "F", "F"]
    assert hints.of(report([pod("db").exists()], world()), 1).en == "q"


@pytest.mark.parametrize(
    ("text", "ms"), [("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000), ("250ms", 250), ("1.5s", 1500), (7, 7)]
)
def test_lengths_of_time(text, ms):
    assert milliseconds(text) == ms


@pytest.mark.parametrize("text", ["", "soon", "5", "5 s x", "-3s"])
def test_no_lengths_of_time(text):
    with pytest.raises(BadInput, match="not a length of time"):
        milliseconds(text)


@pytest.mark.parametrize("text", ["db ready", "pod/db", "pod/db readyish", ""])
def test_no_phrases(text):
    with pytest.raises(BadInput, match="not something to wait for"):
        phrase(text)


def test_small_readers():
    assert value_at({"a": [{"b/c": 1}]}, 'a[0]["b/c"]') == 1
    assert value_at({"a": []}, "a[3].x") is None
    assert [millicores(text) for text in ("500m", "1", "0.5", "x", "")] == [500, 1000, 500, 0, 0]
    names = ["redis:8", "docker.io/library/redis", "traefik/whoami:v1", "r.io:5000/a/b@sha256:0"]
    assert [repository(name) for name in names] == ["redis", "redis", "traefik/whoami", "r.io:5000/a/b"]
    assert sample_of("12:00:01 200 web-1").ok
    assert not sample_of("12:00:02 timeout").ok
    assert sample_of("") is None


def test_backticks_are_code_in_html_and_stay_in_text():
    found = pod("db").answers("redis-cli ping", "PONG")
    report = Report("X", State.TODO, (Outcome(found.name, found.wanted, Text("`no`", "`no`"), False),))
    assert "✗ `redis-cli ping` in Pod db answers PONG: `no`" in repr(report)
    assert "<code>redis-cli ping</code> in Pod db answers PONG: <code>no</code>" in report._repr_html_()
    assert "`" not in report._repr_html_()
    assert as_html("`<b>` and a lone ` <") == "<code>&lt;b&gt;</code> and a lone ` &lt;"


def _luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("state", State)
def test_a_state_is_read_in_every_theme(state):
    """The word carries its own background; what is around it has the theme's colour."""
    light, dark = sorted((_luminance(ON_COLOUR), _luminance(COLOURS[state])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    page = Report("X", state)._repr_html_()
    assert f"background:{COLOURS[state]};color:{ON_COLOUR}" in page
    assert page.count("color:") == 1
