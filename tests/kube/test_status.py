"""Refusals: equal to the recorded Status objects."""

from __future__ import annotations

import re

import pytest

from kit.kube import status

GONE = re.compile(r'(?P<of>[\w./-]+) "(?P<name>[^"]*)" not found')
EXISTS = re.compile(r'(?P<of>[\w./-]+) "(?P<name>[^"]*)" already exists')
CONFLICT = re.compile(r'Operation cannot be fulfilled on (?P<of>[\w./-]+) "(?P<name>[^"]*)": (?P<why>.*)', re.DOTALL)
FORBIDDEN = re.compile(r'(?P<of>[\w.-]+)(?: "(?P<name>[^"]*)")? is forbidden: (?P<why>.*)', re.DOTALL)
DENIED = re.compile(
    r'(?P<of>[\w.-]+)(?: "(?P<name>[^"]*)")? is forbidden: User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource '
    r'"[^"/]*/?(?P<sub>[^"]*)" in API group "[^"]*" (?:in the namespace "(?P<namespace>[^"]*)"|at the cluster scope)'
)


def _statuses(facts):
    for name in ("validation.jsonl", "immutability.jsonl"):
        for case in facts(name):
            body = case["expect"]["body"]
            if isinstance(body, dict) and body.get("kind") == "Status" and body.get("status") == "Failure":
                yield case["id"], body


def test_objects_that_are_or_are_not_there(facts):
    makers = [(GONE, status.not_found), (EXISTS, status.already_exists), (CONFLICT, status.conflict)]
    counts = dict.fromkeys((maker.__name__ for _, maker in makers), 0)
    for case, body in _statuses(facts):
        for pattern, make in makers:
            match = pattern.fullmatch(body["message"])
            if match and "code" in body and body["reason"] in {"NotFound", "AlreadyExists", "Conflict"}:
                assert make(*match.groups()).body() == body, case
                counts[make.__name__] += 1
    assert min(counts.values()) > 5


def test_forbidden(facts):
    denied = 0
    for case, body in _statuses(facts):
        if body.get("reason") != "Forbidden" or "causes" in body["details"]:
            continue
        match = FORBIDDEN.fullmatch(body["message"])
        assert match, case
        assert status.forbidden(match["of"], match["name"] or "", match["why"]).body() == body, case
        match = DENIED.fullmatch(body["message"])
        if match:
            more = {"subresource": match["sub"], "name": match["name"] or "", "namespace": match["namespace"] or ""}
            assert status.denied(match["user"], match["verb"], match["of"], **more).body() == body, case
            denied += 1
    assert denied >= 10


def test_invalid(facts):
    seen = 0
    for case, body in _statuses(facts):
        about = body.get("details") or {}
        if body.get("reason") != "Invalid" or not about.get("causes") or "kind" not in about:
            continue
        causes = [status.Cause(cause["reason"], cause["message"], cause["field"]) for cause in about["causes"]]
        made = status.invalid(about.get("group", ""), about["kind"], about.get("name", ""), causes)
        assert made.body() == body, case
        seen += 1
    assert seen > 400


FIXED = {
    "val-path-unknown-resource": status.unknown_path(),
    "val-method-put-collection": status.method_not_allowed(),
    "val-accept-xml": status.not_acceptable(),
    "val-contenttype-xml": status.unsupported_media_type(),
    "val-body-too-large": status.entity_too_large(),
    "val-put-rv-nonsense": status.plain_error('strconv.ParseUint: parsing "abc": invalid syntax'),
    "val-namespace-body-differs": status.bad_request(
        "the namespace of the provided object does not match the namespace sent on the request"
    ),
}


def test_fixed_answers(facts):
    bodies = dict(_statuses(facts))
    for case, made in FIXED.items():
        assert made.body() == bodies[case], case


def test_versions_that_are_too_old():
    assert status.expired(1, 5).body()["message"] == "too old resource version: 1 (5)"


def test_versions_from_the_future(facts):
    recorded = dict(_statuses(facts))["val-list-rv-future"]
    made = status.too_large_version(999999999, 7).body()
    assert made | {"message": made["message"].replace("current: 7", "current: <rv>")} == recorded


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (status.required("spec.x"), "spec.x: Required value"),
        (status.required("spec.x", "why"), "spec.x: Required value: why"),
        (status.invalid_value("a", 5, "too big"), "a: Invalid value: 5: too big"),
        (status.invalid_value("a", {"k": ["é"]}, "no"), 'a: Invalid value: {"k":["é"]}: no'),
        (status.not_supported("a", "b", ["X", "Y"]), 'a: Unsupported value: "b": supported values: "X", "Y"'),
        (status.duplicate("a[1]", "c"), 'a[1]: Duplicate value: "c"'),
        (status.value_not_found("a", "v"), 'a: Not found: "v"'),
        (status.forbidden_value("a", "never"), "a: Forbidden: never"),
        (status.too_long("a", 5), "a: Too long: may not be more than 5 bytes"),
        (status.too_many("a", 4, 3), "a: Too many: 4: must have at most 3 items"),
        (status.immutable("a", "b"), 'a: Invalid value: "b": field is immutable'),
    ],
)
def test_causes(cause, text):
    assert str(cause) == text
