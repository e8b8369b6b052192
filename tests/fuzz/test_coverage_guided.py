"""atheris, guided by coverage, on every decoder: no bytes are read into anything but a value or the decoder's own error."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import LONG, TIMES

PROGRAM = Path(__file__).with_name("coverage_guided.py")
RUNS = 20_000
SEEDS = {
    "json": [b'{"a":[1,-2.5e3,"\\u00fc\\ud83d\\ude00",null,true]}', b'{"a":1,"a":2}'],
    "yaml": [b"a: &x [1, '2', ~]\nb: *x\nc: |\n  text\n", b"<<: {a: 1}\n? b\n: c\n"],
    "patch": [
        b'\x00[{"op":"add","path":"/spec/template/spec/containers/0/image","value":"x"},{"op":"move","from":"/a","path":"/b~1c"}]',
        b'\x01{"spec":{"replicas":null}}',
        b'\x02{"spec":{"template":{"spec":{"$setElementOrder/containers":[{"name":"c"}],"containers":[{"$patch":"delete","name":"c"}]}}}}',
    ],
    "labels": [b"a in (b,c),!d,e!=f", b"x/y=z,g>5"],
    "fields": [b"metadata.name=a,spec.nodeName!=b\\,c"],
    "quantity": [b"1.5Gi", b"-100m", b"12e6"],
    "time": [b"2026-01-01T00:00:00.123456Z", b"2026-01-01T00:00:00+02:00"],
    "websocket": [b"\x82\x85abcd\x00\x00\x00\x00\x00", b"\x88\x80abcd"],
    "spdy": [b"\x80\x03\x00\x04\x00\x00\x00\x04\x00\x00\x00\x00"],
}  # fmt: skip


def protobufs(facts):
    return [base64.b64decode(case["protobuf"]) for case in facts("protobuf-samples.jsonl")][:40]


amounts = pytest.mark.parametrize(
    "runs",
    [
        pytest.param(RUNS * TIMES, id="short"),
        pytest.param(LONG * RUNS * TIMES, id="long", marks=pytest.mark.long),
    ],
)


@amounts
@pytest.mark.parametrize("target", ["protobuf", *SEEDS])
@pytest.mark.timeout(1500)
def test_decoder(target, runs, facts, tmp_path):
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for number, data in enumerate(SEEDS.get(target) or protobufs(facts)):
        (seeds / str(number)).write_bytes(data)
    flags = ["-seed=1", f"-runs={runs}", "-timeout=5", "-max_len=4096", "-rss_limit_mb=1500", f"-artifact_prefix={tmp_path}/", str(seeds)]  # fmt: skip
    done = subprocess.run([sys.executable, PROGRAM, target, *flags], capture_output=True, text=True, check=False)
    found = {one.name: one.read_bytes()[:300] for one in tmp_path.iterdir() if one.is_file()}
    assert done.returncode == 0, json.dumps(
        [done.stderr[-3000:], {name: repr(data) for name, data in found.items()}], indent=1
    )
    assert f"Done {runs} runs" in done.stderr
