"""The pictures as pure functions: what is drawn, where, and that nothing a name says can break out of the drawing."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from kit.view import dot, graph, placement, strip, svg
from kit.view.layout import GAP_X, columns
from kit.view.scene import STATES, Box, Line, Scene, text

sys.path.insert(0, str(Path(__file__).parent))
from cluster_objects import HOSTILE, crowd, ingress, node, pod, replicated, service, shop

SVG = "{http://www.w3.org/2000/svg}"


def overlap(one, two):
    return one.x < two.x + two.w and two.x < one.x + one.w and one.y < two.y + two.h and two.y < one.y + one.h


def test_the_map_says_who_holds_whom():
    scene = graph.scene(shop(), "Namespace lab-01")
    assert text(scene).splitlines() == [
        "Namespace lab-01",
        "  ■ Ingress door → routes Service web",
        "  ■ Service web (10.96.0.9 :80) → selects Pod web-5d-a, selects Pod web-5d-b",
        "  ● Deployment web (2/2 ready) → owns ReplicaSet web-5d",
        "  ● ReplicaSet web-5d (2/2 ready) → owns Pod web-5d-a, owns Pod web-5d-b",
        "  ● Pod web-5d-a (Running 1/1)",
        "  ● Pod web-5d-b (Running 1/1)",
        "  ◌ Pod alone (Pending 0/1)",
    ]


def test_the_order_of_the_input_is_no_matter():
    wanted = {b.id: (b.x, b.y) for b in graph.scene(shop(), "t").boxes}
    shuffled = shop()
    for seed in range(5):
        random.Random(seed).shuffle(shuffled)
        scene = graph.scene(shuffled, "t")
        assert {b.id: (b.x, b.y) for b in scene.boxes} == wanted
    assert svg.draw(graph.scene(shop(), "t")) == svg.draw(graph.scene(shop(), "t"))


@pytest.mark.parametrize(
    "one, state, note",
    [
        (pod("p"), "good", "Running 1/1"),
        (pod("p", ready=False), "wait", "Running 0/1"),
        (pod("p", phase="Pending"), "wait", "Pending 0/1"),
        (pod("p", phase="Failed"), "bad", "Failed 0/1"),
        (pod("p", phase="Succeeded"), "plain", "Succeeded 0/1"),
        (pod("p", deleted=True), "gone", "Terminating 1/1"),
        (replicated("Deployment", "d", 3, 1), "wait", "1/3 ready"),
    ],
)
def test_states(one, state, note):
    (box,) = graph.scene([one], "t").boxes
    assert (box.state, box.note) == (state, note)


def test_relations_point_at_what_exists():
    scene = graph.scene([ingress("door", "nothing"), service("web", app="x"), service("none"), pod("p")], "t")
    assert list(scene.lines) == []
    user = pod("p")
    user["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    maps = [{"kind": "ConfigMap", "metadata": {"name": name}} for name in ("settings", "kube-root-ca.crt")]
    scene = graph.scene([user, *maps], "t")
    assert list(scene.lines) == [Line("Pod/p", "ConfigMap/settings", "mounts")]
    assert [box.id for box in scene.boxes] == ["Pod/p", "ConfigMap/settings"]


def test_a_crowd_of_replicas_is_left_to_its_replicaset():
    many = [pod(f"web-{n}", owner=("ReplicaSet", "web")) for n in range(200)]
    scene = graph.scene([replicated("ReplicaSet", "web", 200, 200), pod("alone"), *many], "t")
    assert [box.id for box in scene.boxes] == ["ReplicaSet/web", "Pod/alone"]


@pytest.mark.parametrize("objects", [shop(), crowd(60)], ids=["shop", "crowd"])
def test_boxes_lie_apart_and_on_the_canvas(objects):
    scene = graph.scene(objects, "t")
    assert not [pair for pair in itertools.combinations(scene.boxes, 2) if overlap(*pair)]
    assert all(b.x >= 0 and b.y >= 0 and b.x + b.w <= scene.w and b.y + b.h <= scene.h for b in scene.boxes)


def test_empty_columns_take_no_room():
    boxes = [Box("a", "Service", "a"), Box("b", "Pod", "b")]
    scene = columns("t", boxes, [Line("a", "b"), Line("a", "ghost")], {"Service": 0, "Deployment": 1, "Pod": 2})
    a, b = scene.boxes
    assert (b.x - a.x - a.w, a.y) == (GAP_X, b.y)
    assert list(scene.lines) == [Line("a", "b")]
    assert columns("t", [], [], {}).boxes == []


def test_neighbours_stand_beside_their_owners():
    boxes = [Box(n, k, n) for k, names in (("Service", "ab"), ("Pod", "yz")) for n in names]
    scene = columns("t", boxes, [Line("a", "z"), Line("b", "y")], {"Service": 0, "Pod": 1})
    assert scene.box("z").y == scene.box("a").y and scene.box("y").y == scene.box("b").y


def test_the_board_puts_pods_into_their_nodes():
    nodes = [
        node("lab-worker2", cpu="2"),
        node("lab-worker"),
        node("down", ready="Unknown"),
        node("shut", cordoned=True),
    ]
    pods = [
        pod("a", cpu="500m"),
        pod("b", cpu="1"),
        pod("c", "lab-worker2", cpu="9"),
        pod("done", phase="Succeeded", cpu="3"),
        pod("w", ""),
    ]
    scene = placement.scene(nodes, pods, "t", "nowhere")
    frames = {box.name: box for box in scene.boxes if box.id.startswith("Frame/")}
    assert frames["lab-worker"].note == "1500m of 4000m CPU requested" and frames["lab-worker"].meter == 0.375
    assert frames["lab-worker2"].meter == 1.0
    assert [frames[n].state for n in ("lab-worker", "down", "shut", "nowhere")] == ["plain", "bad", "gone", "wait"]
    for name, where in (("a", "lab-worker"), ("c", "lab-worker2"), ("w", "nowhere")):
        box, frame = scene.box(f"Pod/lab-01/{name}"), frames[where]
        assert frame.x < box.x and box.x + box.w < frame.x + frame.w
        assert frame.y < box.y and box.y + box.h < frame.y + frame.h
    assert frames["nowhere"].x + frames["nowhere"].w <= scene.w
    assert "nowhere" not in text(placement.scene(nodes, pods[:2], "t", "nowhere"))


def test_a_pod_on_a_node_that_is_gone_breaks_nothing():
    scene = placement.scene([node("lab-worker")], [pod("lost", "removed")], "t")
    assert scene.box("Frame/lab-worker") is not None


def test_the_strip_has_a_row_for_each_answer_and_one_for_none():
    probes = [
        strip.Probe("1", 200, "web-b"),
        strip.Probe("2", 0, ""),
        strip.Probe("3", 503, "web-a"),
        strip.Probe("4", 200, "web-a"),
    ]
    scene = strip.scene(probes, "t")
    assert [(b.name, b.state) for b in scene.boxes if b.kind == "Row"] == [("web-a", "plain"), ("web-b", "plain")]
    marks = [b for b in scene.boxes if b.kind == "Probe"]
    assert [b.state for b in marks] == ["good", "bad", "bad", "good"]
    assert [b.x for b in marks] == sorted(b.x for b in marks) and marks[1].y == marks[2].y > marks[0].y > marks[3].y
    assert strip.summary(probes) == "2 of 4 requests answered"
    later = strip.scene(probes * 40, "t")
    assert len([b for b in later.boxes if b.kind == "Probe"]) == strip.LAST
    assert all(b.x + b.w <= later.w and b.y + b.h <= later.h for b in later.boxes)


def hostile():
    boxes = [
        Box(HOSTILE + str(n), "Pod", HOSTILE, state, HOSTILE, 0, 50 * n, 900, 40, 0.5) for n, state in enumerate(STATES)
    ]
    return Scene(HOSTILE, boxes, [Line(HOSTILE + "0", HOSTILE + "1")], 900, 400)


def test_a_name_cannot_leave_its_text_in_the_svg():
    root = ET.fromstring(svg.draw(hostile()))
    assert {el.tag.removeprefix(SVG) for el in root.iter()} == {
        "svg",
        "title",
        "desc",
        "rect",
        "path",
        "g",
        "text",
        "tspan",
    }
    assert {key for el in root.iter() for key in el.attrib if key.startswith("on")} == set()
    assert root.find(f"{SVG}title").text == HOSTILE
    assert root.find(f".//{SVG}tspan").tail == f" {HOSTILE}"


def test_a_name_cannot_leave_its_label_in_the_dot():
    source = dot.source(hostile())
    for line in source.splitlines()[4:-1]:
        assert line.startswith("  " + json.dumps(HOSTILE, ensure_ascii=False)[:-1])
    assert "等待分配节点" in dot.source(Scene("t", [Box("a", "Frame", "等待分配节点")]))
    if shutil.which("dot"):
        plain = subprocess.run(["dot", "-Tplain"], input=source, capture_output=True, text=True, check=True).stdout
        assert sum(line.startswith("node ") for line in plain.splitlines()) == len(STATES)


def test_long_names_keep_both_ends():
    assert svg.clip("short", 132) == "short"
    shown = svg.clip("guestbook-frontend-7d9c6bb8c4-x2lqz", 132)
    assert shown.startswith("guestbook") and shown.endswith("x2lqz") and len(shown) <= (132 - 24) / 7.2


def test_the_browser_gets_plain_data():
    data = graph.scene(shop(), "t").data()
    assert json.loads(json.dumps(data)) == json.loads(json.dumps(data))
    assert set(data) == {"title", "boxes", "lines", "w", "h"}
    assert set(data["boxes"][0]) == {"id", "kind", "name", "state", "note", "x", "y", "w", "h", "meter"}


def test_a_live_map_looks_only_at_what_changed(monkeypatch):
    memory, looked = graph.Memory(), []
    real = graph.pod_state
    monkeypatch.setitem(graph._STATES, "Pod", lambda obj: looked.append(obj["metadata"]["name"]) or real(obj))
    objects = crowd(20)
    first = graph.scene(objects, "N", memory)
    assert len(looked) == 16
    looked.clear()
    changed = [*objects[:-1], {**objects[-1], "metadata": {**objects[-1]["metadata"], "labels": {"app": "a0"}}}]
    second = graph.scene(changed, "N", memory)
    assert looked == [objects[-1]["metadata"]["name"]]
    assert second == graph.scene(changed, "N")
    assert len(second.lines) == len(first.lines) + 1
