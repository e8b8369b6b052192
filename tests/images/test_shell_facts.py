"""The recorded one-liners of busybox `sh`, run in-process in file order."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shellbox import Box

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.program import Answer
from kit.embedded.images.busybox.image import busybox

CLUSTER = tomllib.loads((Path(__file__).parent / "shell_cluster_ids.toml").read_text())["cluster"]
ADDRESSES = {"web": "10.96.173.63", "redis": "10.96.44.5", "empty": "10.96.202.221", "kubernetes": "10.96.0.1"}
ENV = {"HOSTNAME": "box", "KUBERNETES_SERVICE_HOST": "10.96.0.1"}


def nginx(request: bytes) -> bytes | None:
    """Answer as the recording's nginx did: it served no page (403)."""
    if b"\r\n\r\n" not in request:
        return None
    path = request.split()[1].decode()
    status = "403 Forbidden" if path == "/" else "404 Not Found"
    return f"HTTP/1.1 {status}\r\nServer: nginx/1.30.6\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def redis(request: bytes) -> bytes | None:
    """Answer PING; a browser is cut off."""
    return b"+PONG\r\n" if request.startswith(b"PING") else b""


def dns(name: str, kind: str, server: str | None) -> Answer:
    if server is not None:
        from kit.embedded.core.program import Errno

        raise Errno("ETIMEDOUT")
    known = {f"{each}.lines.svc.cluster.local": address for each, address in ADDRESSES.items()}
    known["kubernetes.default.svc.cluster.local"] = "10.96.0.1"
    if name not in known:
        return Answer("NXDOMAIN", (), "10.96.0.10")
    records = ((name, "A", 30, known[name]),) if kind == "A" else ()
    return Answer("NOERROR", records, "10.96.0.10")


def unreachable(address: str, port: int) -> str:
    """Say how a connection fails: a Service without endpoints refuses, its other ports lead nowhere."""
    if address.startswith("127.") or (address == ADDRESSES["empty"] and port == 80):
        return "ECONNREFUSED"
    return "ENETUNREACH"


@pytest.fixture(scope="module")
def box() -> Box:
    names = {each: [address] for each, address in ADDRESSES.items() if each != "kubernetes"}
    made = Box(Tree(busybox().root), names=names)
    made.tree.write("/etc/hostname", b"box\n")
    made.tree.write(
        "/etc/resolv.conf", b"search lines.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\n"
    )
    made.servers[(ADDRESSES["web"], 80)] = nginx
    made.servers[(ADDRESSES["redis"], 6379)] = redis
    made.answers = dns
    made.unreachable = unreachable
    return made


def normal(text: str) -> str:
    for name, address in ADDRESSES.items():
        text = text.replace(address, "<kubernetesIP>" if name == "kubernetes" else "<clusterIP>")
    return text.replace("10.96.0.10", "<dnsIP>").replace("<kubernetesIP>0", "<dnsIP>")


def shape(text: str) -> str:
    return re.sub(r"\d+", "N", "\n".join(text.split("\n")[:1]))


def agrees(case: dict[str, Any], got: tuple[str, str, int]) -> bool:
    want = (case["expect"]["stdout"], case["expect"]["stderr"], case["expect"]["code"])
    if case.get("volatile"):
        return shape(got[0]) == shape(want[0]) and got[1:] == want[1:]
    if "nslookup" in case["line"]:  # answers come in any order
        return sorted(got[0].split("\n")) == sorted(want[0].split("\n")) and got[1:] == want[1:]
    return got == want


def test_lines_say_what_the_real_shell_says(box: Box, facts: Callable[[str], list[dict[str, Any]]]) -> None:
    cases = facts("shell.jsonl")
    different: list[str] = []
    for case in cases:
        out, err, code = box.run(["sh", "-c", case["line"]], env=ENV)
        got = (normal(out.decode("utf-8", "replace")), normal(err.decode("utf-8", "replace")), code)
        if not agrees(case, got) and case["id"] not in CLUSTER:
            different.append(f"{case['id']}: {case['line']}\n  want {case['expect']}\n  got  {got}")
    print(
        f"\nshell.jsonl: {len(cases) - len(different) - len(CLUSTER)}/{len(cases)} matched, {len(CLUSTER)} for the cluster"
    )
    assert not different, "\n".join(different)
