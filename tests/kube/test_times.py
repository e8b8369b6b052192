"""Times and durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.kube import times


def test_rfc3339():
    assert times.rfc3339(0) == "1970-01-01T00:00:00Z"
    assert times.rfc3339(1_790_000_000_999) == "2026-09-21T14:13:20Z"
    assert times.rfc3339_micro(1_790_000_000_123) == "2026-09-21T14:13:20.123000Z"
    assert times.parse("2026-09-21T16:13:20.1239+02:00") == 1_790_000_000_123


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yesterday", 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'),
        ("2026-01-01", 'parsing time "2026-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
        ("2026-13-01T00:00:00Z", 'parsing time "2026-13-01T00:00:00Z": month out of range'),
        ("2026-02-30T00:00:00Z", 'parsing time "2026-02-30T00:00:00Z": day out of range'),
        ("2026-01-01T00:00:00Zx", 'parsing time "2026-01-01T00:00:00Zx": extra text: "x"'),
    ],
)
def test_refused_times(text, message):
    with pytest.raises(times.TimeError) as caught:
        times.parse(text)
    assert str(caught.value) == message


@given(st.integers(0, 4_000_000_000_000))
def test_times_read_back(ms):
    assert times.parse(times.rfc3339_micro(ms)) == ms
    assert times.parse(times.rfc3339(ms)) == ms // 1000 * 1000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 61, "3h1m"),
        (9 * 3600, "9h"),
        (49 * 3600, "2d1h"),
        (9 * 86400, "9d"),
        (800 * 86400, "2y70d"),
        (3000 * 86400, "8y"),
    ],
)
def test_human_durations(seconds, text):
    assert times.human_duration(seconds * 1000) == text


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(0, "0s"), (1, "1ns"), (1500, "1.5µs"), (100_000_000, "100ms"), (1_500_000_000, "1.5s"), (60 * 10**9, "1m0s"),
     (5400 * 10**9, "1h30m0s"), (-(10**9), "-1s")],
)  # fmt: skip
def test_go_durations(nanos, text):
    assert times.go_duration(nanos) == text
    assert times.parse_go_duration(text) == nanos


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("5", 'time: missing unit in duration "5"'),
        ("5x", 'time: unknown unit "x" in duration "5x"'),
        ("x", 'time: invalid duration "x"'),
    ],
)
def test_refused_durations(text, message):
    with pytest.raises(times.TimeError) as caught:
        times.parse_go_duration(text)
    assert str(caught.value) == message
