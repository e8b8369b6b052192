"""Selectors: recorded lists, and what the objects mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Status
from kit.kube import selectors
from kit.kube.selectors import NOTHING, Selector

KNOWN = ("metadata.name", "metadata.namespace")


def _outcome(case):
    query = case["request"]["query"]
    try:
        labels, fields = selectors.parse(query["labelSelector"]), selectors.parse_fields(query["fieldSelector"])
        fields.check(KNOWN)
    except Status as status:
        return status.body()
    made = [step["create"]["metadata"] for step in case["setup"]]
    return [
        metadata["name"]
        for metadata in made
        if labels.matches(metadata.get("labels"))
        and fields.matches({"metadata.name": metadata["name"], "metadata.namespace": "default"})
    ]


def test_recorded_lists(facts):
    seen = 0
    for case in facts("validation.jsonl"):
        if not case["id"].startswith(("val-list-label", "val-list-field")):
            continue
        body = case["expect"]["body"]
        wanted = [item["metadata"]["name"] for item in body["items"]] if "items" in body else body
        assert _outcome(case) == wanted, case["id"]
        seen += 1
    assert seen == 28


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("app=web,tier!=db", {"app": "web"}, {"app": "web", "tier": "db"}),
        ("app in (a, b)", {"app": "b"}, {"app": "c"}),
        ("app notin (a)", {}, {"app": "a"}),
        ("!app", {}, {"app": ""}),
        ("app", {"app": ""}, {}),
        ("size>3,size<10", {"size": "5"}, {"size": "10"}),
        ("app=", {"app": ""}, {"app": "x"}),
        ("", {"anything": "goes"}, None),
    ],
)
def test_strings(text, yes, no):
    selector = selectors.parse(text)
    assert selector.matches(yes)
    assert no is None or not selector.matches(no)
    assert selectors.parse(str(selector)) == selector


def test_objects():
    rules = [{"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}]
    selector = selectors.of_object({"matchLabels": {"app": "web"}, "matchExpressions": rules})
    assert selector.matches({"app": "web", "tier": "a"})
    assert not selector.matches({"app": "web", "tier": "a", "old": "1"})
    assert not selector.matches({"app": "web"})
    assert str(selector) == "app=web,!old,tier in (a,b)"
    assert selectors.of_object(None) == NOTHING
    assert selectors.of_object({}) == Selector()
    assert not NOTHING.matches({})
    assert Selector().matches({})
    assert selectors.of_labels({}) == NOTHING
    assert selectors.of_labels({"a": "b"}).matches({"a": "b", "c": "d"})


def test_recorded_complaints(facts):
    seen = 0
    for case in facts("validation.jsonl"):
        if "-selector-" not in case["id"] or not isinstance(case["expect"]["body"].get("details"), dict):
            continue
        selector = case["request"]["body"].get("spec", {}).get("selector")
        if not isinstance(selector, dict) or not {"matchLabels", "matchExpressions"} & selector.keys():
            continue
        recorded = [c for c in case["expect"]["body"]["details"]["causes"] if c["field"].startswith("spec.selector.")]
        assert [cause.body() for cause in selectors.complaints(selector, "spec.selector")] == recorded, case["id"]
        seen += bool(recorded)
    assert seen >= 2


def test_field_selectors():
    fields = selectors.parse_fields(r"status.phase!=Running,metadata.name=a\,b")
    assert fields.matches({"status.phase": "Pending", "metadata.name": "a,b"})
    assert not fields.matches({"status.phase": "Running", "metadata.name": "a,b"})
    assert fields.exact("metadata.name") == "a,b"
    assert fields.exact("status.phase") is None
    assert str(fields) == r"status.phase!=Running,metadata.name=a\,b"
    with pytest.raises(Status, match="can't understand 'nonsense'"):
        selectors.parse_fields("nonsense")


@given(st.text(alphabet="ab=!,() <>in\\", max_size=16))
def test_any_text_is_a_selector_or_refused(text):
    for read in (selectors.parse, selectors.parse_fields):
        assert _code(read, text) in {200, 400}


def _code(read, text):
    try:
        read(text)
    except Status as status:
        return status.code
    return 200
