"""The widgets without a browser: what they print (nbval compares it), what they say, and how the feed follows a cluster."""

from __future__ import annotations

import base64
import threading

import pytest

from kit.errors import Status
from kit.view.scene import Box, Line, Scene
from kit.widgets import ParsonsBoard, ProbeStrip
from kit.widgets import feed as feed_module
from kit.widgets.feed import Feed
from kit.widgets.picture import Picture, changes
from kit.widgets.strip import _probe

HOSTILE = '<img src=x onerror=alert(1)>"&'
WIDGET = "application/vnd.jupyter.widget-view+json"


def scene(*notes, title="Namespace lab-01"):
    boxes = [Box(f"Pod/p{n}", "Pod", f"p{n}", "good", note) for n, note in enumerate(notes)]
    return Scene(title, boxes, [Line("Pod/p0", "Pod/p1")] if len(boxes) > 1 else [], 200, 100)


def bundle(widget):
    found = widget._repr_mimebundle_()
    return found[0] if isinstance(found, tuple) else found


def test_what_a_picture_prints_is_the_same_every_time():
    first, second = (bundle(Picture(scene("Running 1/1", "Pending"))) for _ in range(2))
    assert first["text/plain"] == "Namespace lab-01\n  ● Pod p0 (Running 1/1) → owns Pod p1\n  ● Pod p1 (Pending)"
    for kind in ("text/plain", "text/html"):
        assert first[kind] == second[kind], "nbval --strict would see a difference"
    assert first[WIDGET]["model_id"] != second[WIDGET]["model_id"]


def test_the_image_of_a_picture_is_whole_and_harmless():
    html = bundle(Picture(scene(HOSTILE, title=HOSTILE)))["text/html"]
    assert html.count("<") == 1 and html.startswith('<img alt="') and html.endswith('">')
    drawn = base64.b64decode(html.partition("base64,")[2].removesuffix('">')).decode()
    assert drawn.startswith("<svg ") and "<img" not in drawn and "&lt;img" in drawn


def test_only_what_is_drawn_travels():
    picture = Picture(scene("a"))
    own = {name for name in picture.traits(sync=True) if not name.startswith("_")}
    assert own == {"scene", "said", "layout", "tabbable", "tooltip"} & (own | {"scene", "said"})
    assert picture.scene == scene("a").data()


def test_a_picture_sends_scene_and_words_in_one_message():
    picture = Picture(scene("a"))
    sent = []
    picture.send_state = lambda key=None: sent.append(set(key))
    picture.show(scene("a"))
    assert sent == []
    picture.show(scene("b", "c"))
    assert picture.said == "Pod p1 added; Pod p0 is b"
    assert sent == [{"scene", "said"}]
    assert "p1" in repr(picture)


def test_the_digraph_is_of_the_same_scene():
    digraph = Picture(scene(HOSTILE, "b")).dot
    assert '"Pod/p0" -> "Pod/p1"' in digraph.source
    assert digraph._repr_image_svg_xml().startswith("<svg ")


def test_changes_are_said_in_words():
    assert changes(scene("a"), scene("a")) == ""
    assert changes(scene("a", "b"), scene("a")) == "Pod p1 removed"
    assert changes(scene("a"), scene("")) == "Pod p0 is good"
    said = changes(scene(), scene(*"abcdef"))
    assert said.startswith("Pod p0 added; Pod p1 added") and said.endswith("; and 2 more changes")


PIECES = ["kind: Pod", "metadata:", "name: db", "naem: db"]


def test_lines_are_taken_indented_moved_and_put_back():
    board = ParsonsBoard(PIECES, str.upper)
    board._pool.index = 1
    board._take()
    board._pool.index = board._pool.options.index("name: db")
    board._take()
    board._indent()
    assert board.text == "metadata:\n  name: db\n"
    board._pool.index = board._pool.options.index("kind: Pod")
    board._take()
    assert board.text.endswith("  kind: Pod\n"), "a new line starts below its predecessor"
    board._outdent()
    board._up()
    board._up()
    board._up()
    assert board.text == "kind: Pod\nmetadata:\n  name: db\n"
    board._return()
    assert board.text == "metadata:\n  name: db\n"
    assert sorted(board._pool.options) == ["kind: Pod", "naem: db"]


def test_a_click_says_what_was_chosen_and_a_late_choice_is_forgotten():
    board = ParsonsBoard(["kind: Pod", "metadata:"], str.upper)
    board._choose(None, [1, -1], [])
    board._take()
    assert board.text == "metadata:\n"
    board._pool.set_state({"index": 1})
    assert board._pool.index is None
    board._pool.set_state({"index": 0})
    assert board._pool.index == 0


def test_arrange_and_send():
    asked = []
    board = ParsonsBoard(PIECES, lambda text: asked.append(text) or f"said {HOSTILE}")
    board.arrange(["kind: Pod", "metadata:", "  name: db"])
    assert list(board._pool.options) == ["naem: db"]
    assert board.send() == f"said {HOSTILE}"
    assert asked == ["kind: Pod\nmetadata:\n  name: db\n"]
    assert "<img" not in board._answer.value
    assert repr(board) == f"ParsonsBoard\nkind: Pod\nmetadata:\n  name: db\n--\nnaem: db\n--\nsaid {HOSTILE}"
    assert bundle(board)["text/html"].count("<") == 2
    board.arrange(["kind: Pod"])
    assert sorted(board._pool.options) == ["metadata:", "naem: db", "name: db"]


def test_two_equal_lines_are_two_pieces():
    board = ParsonsBoard(["a", "a"], str)
    board._pool.index = 1
    board._take()
    assert (board.text, list(board._pool.options)) == ("a\n", ["a"])


@pytest.mark.parametrize("lang, word", [("en", "Apply"), ("zh", "应用")])
def test_the_board_speaks_both_languages(lang, word):
    assert ParsonsBoard([], str, lang=lang).children[1].children[-1].description == word


class Sampled:
    time, pod = "1", "-"

    def __init__(self, status):
        self.status = status


class Probing:
    def samples(self):
        return [Sampled("200")]

    def stop(self):
        return [Sampled("200"), Sampled("timeout")]


def test_the_strip_sums_up_when_it_is_stopped():
    shown = ProbeStrip(Probing(), live=False)
    assert repr(shown) == "Probes: running; .stop() ends it and sums it up", "a live count would differ every time"
    assert shown.stop() == "1 of 2 requests answered"
    assert [box["state"] for box in shown.scene["boxes"] if box["kind"] == "Probe"] == ["good", "bad"]
    assert _probe(Sampled("timeout")).status == 0


class Cluster:
    """A client of one collection: what it lists, then changes as they are put in; a watch ends with `None`."""

    def __init__(self, *names):
        self.items = {name: found(name) for name in names}
        self.revision = 1
        self.changed = threading.Condition()
        self.events = []
        self.listed = 0
        self.failing = 0

    def change(self, type, name):
        with self.changed:
            self.revision += 1
            if type == "DELETED":
                self.items.pop(name)
            else:
                self.items[name] = found(name)
            self.events.append((self.revision, type, found(name)))
            self.changed.notify_all()

    def end(self):
        with self.changed:
            self.events.append((self.revision, None, None))
            self.changed.notify_all()

    @property
    def resources(self):
        return self

    @property
    def connection(self):
        return self

    namespace = "lab-01"
    api_version, kind = "v1", "Pod"

    def find(self, kind):
        return self

    def path(self, namespace):
        return f"/api/v1/namespaces/{namespace}/pods"

    def list(self, kind, everywhere=False):
        return [{"apiVersion": "v1", "kind": "Pod", **item} for item in self.json("GET", "")["items"]]

    def json(self, method, path, query=None):
        self.listed += 1
        if self.failing:
            self.failing -= 1
            raise Status("InternalError", "the cluster restarts", code=500)
        items = [self.items[name] for name in sorted(self.items)]
        return {"metadata": {"resourceVersion": str(self.revision)}, "items": items}

    def lines(self, path, options, timeout_s):
        import json

        since = int(options["resourceVersion"])
        at = 0
        while True:
            with self.changed:
                while len(self.events) <= at:
                    assert self.changed.wait(20), "nothing happened"
                revision, type, obj = self.events[at]
            at += 1
            if type is None and revision >= since and at == len(self.events):
                return
            if type and revision > since:
                yield json.dumps({"type": type, "object": {"apiVersion": "v1", "kind": "Pod", **obj}})


def found(name):
    return {"metadata": {"name": name, "namespace": "lab-01"}}


class Canvas:
    """Where the feed paints; `until` waits for a picture."""

    def __init__(self):
        self.shown = None
        self.painters = set()
        self.changed = threading.Condition()

    def paint(self, objects):
        with self.changed:
            self.painters.add(threading.get_ident())
            self.shown = [obj["metadata"]["name"] for obj in objects]
            self.changed.notify_all()

    def until(self, *names):
        with self.changed:
            assert self.changed.wait_for(lambda: self.shown == list(names), 10), f"shown is {self.shown}"


@pytest.fixture
def following(monkeypatch):
    """Start a feed over a fake cluster; all are stopped in the end."""
    monkeypatch.setattr(feed_module, "INTERVAL_S", 0.001)
    monkeypatch.setattr(feed_module, "RETRY_S", 0.01)
    feeds = []

    def follow(cluster):
        canvas = Canvas()
        feeds.append((Feed(cluster, ("pod",), canvas.paint), cluster))
        feeds[-1][0].start()
        return canvas

    yield follow
    for feed, cluster in feeds:
        feed.stop()
        cluster.end()


def test_the_feed_reads_at_once_without_a_thread():
    before = threading.active_count()
    assert [obj["kind"] for obj in Feed(Cluster("a", "b"), ("pod",), print).read()] == ["Pod", "Pod"]
    assert threading.active_count() == before


def test_the_feed_follows_and_one_thread_paints(following):
    cluster = Cluster("a")
    canvas = following(cluster)
    canvas.until("a")
    cluster.change("ADDED", "c")
    canvas.until("a", "c")
    cluster.change("ADDED", "b")
    canvas.until("a", "b", "c")
    cluster.change("DELETED", "a")
    canvas.until("b", "c")
    assert len(canvas.painters) == 1


def test_the_feed_lives_through_a_restart(following):
    cluster = Cluster("a")
    cluster.failing = 3
    following(cluster).until("a")
    assert cluster.listed > 3


def test_what_was_deleted_between_two_watches_is_gone(following):
    cluster = Cluster("a", "b")
    canvas = following(cluster)
    canvas.until("a", "b")
    cluster.items.pop("a")  # nobody was told: it happened while no watch was open
    cluster.end()
    canvas.until("b")


def test_what_is_deleted_just_after_the_list_is_gone(following):
    cluster = Cluster("a", "b")
    plain = cluster.json

    def late(method, path, query=None):
        answer = plain(method, path, query)
        if cluster.listed == 1:
            cluster.change("DELETED", "a")
        return answer

    cluster.json = late
    following(cluster).until("b")
