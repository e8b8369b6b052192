"""One whole cluster in this process, asked directly; and how much is tried."""

from __future__ import annotations

import json
import os
import time
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from kit.embedded.cluster import Cluster
from kit.embedded.core.settings import Settings
from kit.embedded.core.turns import Answer, Begin, Chunk, Finish, Hangup, Request
from kit.errors import CODES
from kit.runtime.credentials import Credentials
from kit.runtime.server import pairs_of

TOKEN = "admin-token"
TIMES = int(os.environ.get("LABKIT_FUZZ", "1"))
LONG = 20
SLOWEST_S = 2.0  # for one request, on a busy machine
# Python's own names in an answer are a crash that was caught.
CRASHES = tuple(
    f"Internal error occurred: {name}"
    for name in (
        "AssertionError", "AttributeError", "IndexError", "KeyError", "MemoryError", "NameError", "OverflowError", "RecursionError",
        "RuntimeError", "StopIteration", "TypeError", "UnboundLocalError", "UnicodeDecodeError", "UnicodeEncodeError", "ValueError",
        "ZeroDivisionError", "binascii.Error", "error", "JSONDecodeError", "LocalProtocolError",
    )
)  # fmt: skip

amount = pytest.mark.parametrize(
    "times", [pytest.param(TIMES, id="short"), pytest.param(LONG * TIMES, id="long", marks=pytest.mark.long)]
)
"""Runs a test with few tries in `make test` and with many in `make test-long`."""


def explore(strategy, check, tries, times):
    """Call `check` with `tries` values of a strategy, `times` over; the smallest that fails is shown.

    A short look sees the same values in every run, so that `make test` does not fail by chance; a long one sees others.
    """

    @settings(
        max_examples=tries * times,
        derandomize=times == 1,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(strategy)
    def run(value):
        check(value)

    run()


class Machine:
    """A settled cluster, driven by hand."""

    def __init__(self, folder):
        self.cluster = Cluster(Settings(admin_token=TOKEN, seed=5), Credentials(folder, "fuzz"))
        self.last = 0
        self.now = 0
        self.settle(40_000)

    def settle(self, ms=0):
        """Let time pass."""
        self.now += ms
        while not self.cluster.turn((), self.now, 10_000).done:
            pass

    def ask(self, method, path, body=b"", headers=()):
        """Send one request; return (code, body, whether it is a stream)."""
        self.last += 1
        raw, _, query = path.partition("?")
        named = {"authorization": f"Bearer {TOKEN}", **{name.lower(): value for name, value in dict(headers).items()}}
        request = Request(self.last, method, unquote(raw), pairs_of(query), named, body)
        began = time.perf_counter()
        outputs = list(self.cluster.turn((request,), self.now, 10_000).outputs)
        for _ in range(20):  # what waits for the network or for a Pod to be gone
            if any(one.id == self.last for one in outputs if isinstance(one, Answer | Begin)):
                break
            self.now += 1000
            outputs += self.cluster.turn((), self.now, 10_000).outputs
        took = time.perf_counter() - began
        mine = [one for one in outputs if getattr(one, "id", None) == self.last]
        assert took < SLOWEST_S, f"{took:.1f} s for {method} {path[:200]}"
        return self._read(mine, f"{method} {path[:300]} {body[:300]!r}")

    def _read(self, outputs, what):
        assert outputs, f"no answer to {what}"
        first = outputs[0]
        if isinstance(first, Answer):
            assert len(outputs) == 1, f"more than one answer to {what}"
            return first.response.status, first.response.body, False
        assert isinstance(first, Begin), f"{first} to {what}"
        assert all(isinstance(one, Chunk | Finish) for one in outputs[1:]), what
        self.cluster.turn((Hangup(self.last),), self.now, 10_000)
        return first.status, b"".join(one.data for one in outputs[1:] if isinstance(one, Chunk)), True


def _parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return None


def check_answer(code, body, what=""):
    """Fail unless an answer is an object, a text of the API's or a Status that fits its code; never a crash that was caught."""
    assert 200 <= code < 600, what
    if code < 400:
        return
    found = yaml.safe_load(body) if body.startswith(b"apiVersion: ") else _parsed(body)
    if found is None:
        assert code in {404, 500} and len(body) < 500, (what, body[:200])  # 404 page not found; a kubelet's refusal
        return
    assert found["kind"] == "Status" and found["status"] == "Failure", (what, found)
    assert found["code"] == code, (what, found)
    if found.get("reason"):
        assert CODES.get(found["reason"], code) == code, (what, found)
    assert not found.get("message", "").startswith(CRASHES), (what, found["message"])
