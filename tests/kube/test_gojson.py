"""JSON as Go writes it."""

from __future__ import annotations

import json

from kit.kube import gojson

SIGNS = "<b>&\u2028\u2029é\b\f\x01</b>"
AS_GO = r'"\u003cb\u003e\u0026\u2028\u2029é\b\f\u0001\u003c/b\u003e"'  # of a real API server


def test_signs_of_html_and_javascript_are_escaped() -> None:
    assert gojson.encode({"<p>": SIGNS}) == rf'{{"\u003cp\u003e":{AS_GO}}}'
    assert gojson.indented([SIGNS]) == f"[\n  {AS_GO}\n]"
    assert json.loads(gojson.encode(SIGNS)) == SIGNS
