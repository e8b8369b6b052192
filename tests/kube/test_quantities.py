"""Quantities: reading, arithmetic, and the form the API server writes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.kube.quantities import WRONG_FORMAT, WRONG_NUMBER, WRONG_SUFFIX, Quantity, QuantityError, canonical


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1500m", "1500m"),
        ("1000m", "1"),
        ("2000Mi", "2000Mi"),
        ("1024Ki", "1Mi"),
        ("1.5G", "1500M"),
        ("1.5Gi", "1536Mi"),
        ("0.5", "500m"),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("1E4", "10e3"),
        ("1.123", "1.123"),
        ("1.3Gi", "1395864371200m"),
        ("1E", "1E"),
        ("00", "0"),
        ("0.1n", "1n"),
        ("-1", "-1"),
        ("+2", "+2"),
        ("05", "05"),
        ("12345678901234567890", "12345678901234567890"),
        ("16Ei", "9223372036854775807"),
        ("1000E", "1"),
        ("1e99999999", "1e99999999"),
        (1, "1"),
        (0.5, "500m"),
        (None, "0"),
    ],
)
def test_canonical(text, written):
    assert canonical(text) == written


@pytest.mark.parametrize(
    ("text", "message"),
    [("", WRONG_FORMAT), ("abc", WRONG_FORMAT), ("1GB", WRONG_FORMAT), ("1 Gi", WRONG_FORMAT), ("0x10", WRONG_FORMAT),
     ("1e3e", WRONG_FORMAT), (".", WRONG_NUMBER), ("1K", WRONG_SUFFIX), ("1ee", WRONG_SUFFIX), ([1], WRONG_FORMAT),
     (True, WRONG_FORMAT)],
)  # fmt: skip
def test_refused(text, message):
    with pytest.raises(QuantityError) as caught:
        Quantity.parse(text)
    assert str(caught.value) == message


def test_recorded_refusals(facts):
    seen = 0
    for case in facts("validation.jsonl"):
        message = (case["expect"]["body"] or {}).get("message", "") if isinstance(case["expect"]["body"], dict) else ""
        if WRONG_FORMAT not in (message or "") or not case["id"].startswith("val-pod-resources"):
            continue
        resources = case["request"]["body"]["spec"]["containers"][0]["resources"]
        bad = [value for amounts in resources.values() for value in amounts.values()]
        with pytest.raises(QuantityError) as caught:
            [Quantity.parse(value) for value in bad]
        assert str(caught.value) in message
        seen += 1
    assert seen >= 6


def test_arithmetic_is_exact():
    assert Quantity.parse("0.1") + Quantity.parse("0.2") == Quantity.parse("300m")
    assert str(Quantity.parse("1Gi") + Quantity.parse("512Mi")) == "1536Mi"
    assert str(Quantity() + Quantity.parse("1Gi")) == "1Gi"
    assert str(Quantity.parse("1") - Quantity.parse("1500m")) == "-500m"
    assert Quantity.parse("1Gi") > Quantity.parse("1G")
    assert max(Quantity.parse("100m"), Quantity.parse("1")) == Quantity.of(1)
    assert [Quantity.parse("1500m").value, Quantity.parse("1u").milli, Quantity.parse("-1500m").value] == [2, 1, -2]
    assert not Quantity()


@given(st.integers(-(2**62), 2**62), st.sampled_from(["decimal", "binary", "exponent"]))
def test_what_is_written_reads_back(nano, family):
    quantity = Quantity(nano, family)
    again = Quantity.parse(str(quantity))
    if family == "binary" and abs(nano) >= 1024 * 10**9:
        assert again.value == quantity.value
    else:
        assert again == quantity
    assert str(Quantity.parse(str(again))) == str(again)


@given(st.text(max_size=12))
def test_any_text_is_a_quantity_or_refused(text):
    with contextlib.suppress(QuantityError):
        assert canonical(canonical(text)) == canonical(text)
