"""Names: every recorded complaint about one is ours too."""

from __future__ import annotations

import json

import pytest

from kit.kube import names

BY_TEXT = {
    "a lowercase RFC 1123 label must": names.label,
    "a lowercase RFC 1123 subdomain must": names.subdomain,
    "a DNS-1035 label must": names.label_1035,
    "a valid label must": names.label_value,
    "name part must": names.qualified,
    "a valid label key must": names.qualified,
    "prefix part": names.qualified,
    "may not contain": names.path_segment,
    "a valid config key must": names.config_key,
    "a valid environment variable name must": names.env_name,
    "a valid percent string must": names.percent,
    "must contain at least one letter (a-z)": names.port_name,
    "must be no more than 15 characters": names.port_name,
    "must not begin or end with a hyphen": names.port_name,
    "must be no more than 63 bytes": names.label_value,
    "must be no more than 63 characters": names.label,
}


def _complaints(facts):
    for name in ("validation.jsonl", "immutability.jsonl"):
        for case in facts(name):
            body = case["expect"]["body"]
            details = body.get("details") if isinstance(body, dict) else None
            for cause in (details or {}).get("causes") or []:
                message = cause["message"].removeprefix("Invalid value: ")
                if message != cause["message"] and message.startswith('"'):
                    value, end = json.JSONDecoder().raw_decode(message)
                    yield case["id"], value, message[end:].removeprefix(": ")


def test_recorded_complaints(facts):
    seen = set()
    for case, value, text in _complaints(facts):
        check = next((BY_TEXT[start] for start in BY_TEXT if text.startswith(start)), None)
        if check is None:
            continue
        assert any(text.startswith(complaint) for complaint in check(value)), (case, value, text, check(value))
        seen.add(check)
    assert seen == set(BY_TEXT.values())


@pytest.mark.parametrize(
    ("check", "fine", "wrong"),
    [
        (names.label, ["a", "a-1", "0"], ["", "-a", "a.b", "A", "a" * 64, "a\n"]),
        (names.subdomain, ["a.b-c.d", "1"], ["", "a..b", "a.", "a" * 254]),
        (names.label_1035, ["a1"], ["1a", "a-"]),
        (names.wildcard_subdomain, ["*.example.com"], ["example.com", "*", "*.*.com"]),
        (names.qualified, ["app", "example.com/App_1.2"], ["", "/a", "a/", "a/b/c", "-a", "Up.per/a"]),
        (names.label_value, ["", "a", "A_b.c-d"], ["-", "a b", "a" * 64]),
        (names.path_segment, ["system:node", "a b"], [".", "..", "a/b", "a%b"]),
        (names.port_name, ["http", "a-1"], ["", "80", "-a", "a--b", "A", "a" * 16]),
        (names.env_name, ["A", "1a", "a b"], ["", "A=B", "é"]),
        (names.config_key, ["a.b", "_x", "..a"[1:]], ["", "..", "..a", "a/b", "a" * 254]),
        (names.percent, ["0%", "150%"], ["%", "1", "-1%"]),
    ],
)
def test_rules(check, fine, wrong):
    assert [value for value in fine if check(value)] == []
    assert [value for value in wrong if not check(value)] == []
