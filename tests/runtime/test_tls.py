"""TLS of programs in the cluster: what Go says of a certificate, sessions in memory, what is wrong with a pair."""

from __future__ import annotations

import base64
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kit.embedded.core.ports import Pair, TlsError
from kit.runtime.credentials import Credentials
from kit.runtime.tls import OpenSsl
from kit.runtime.trust import LEAD, complaint

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "recorded" / "trust.json").read_text())
RECORDER = runpy.run_path(str(HERE / "record_trust.py"))
NOW = int(RECORDER["NOW"].timestamp() * 1000)


@pytest.mark.parametrize("case", RECORDED, ids=[one["id"] for one in RECORDED])
def test_certificates_are_judged_as_go_does(case: dict[str, Any]) -> None:
    chain = [base64.b64decode(one) for one in case["chain"]]
    found = complaint(chain, case["authority"].encode(), case["name"], case["wall"])
    assert found.removeprefix(LEAD) == case["error"].removeprefix("x509: ")


def pair(*made: Any) -> Pair:
    """Return a chain as PEM with the key of its first certificate."""
    key = made[0].key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair("".join(one.pem for one in made).encode(), key)


@pytest.fixture(scope="module")
def root() -> Any:
    return RECORDER["Made"]("root", ca=True)


@pytest.fixture
def tls(tmp_path: Path) -> OpenSsl:
    return OpenSsl(Credentials(tmp_path, "t").folder)


def made(root: Any, *names: str) -> Any:
    return RECORDER["Made"](names[0], root, names=names)


def talk(server: Any, client: Any) -> None:
    """Carry bytes both ways until nothing is owed."""
    while True:
        there, back = client.take(), server.take()
        if not there and not back:
            return
        for data, other in ((there, server), (back, client)):
            if data:
                other.receive(data)


def test_a_session_carries_bytes_and_ends(tls: OpenSsl, root: Any) -> None:
    server = tls.server(lambda name: pair(made(root, "web")))
    client = tls.client("web", root.pem.encode(), NOW)
    talk(server, client)
    assert server.secured
    assert client.secured
    client.send(b"question")
    assert server.receive(client.take()) == (b"question", False)
    server.send(b"answer")
    server.end()
    assert client.receive(server.take()) == (b"answer", True)


def test_the_certificate_is_the_one_for_the_name(tls: OpenSsl, root: Any) -> None:
    pairs = {name: pair(made(root, name)) for name in ("one", "two")}
    for name in ("two", "one"):
        server = tls.server(lambda asked: pairs.get(asked, pairs["one"]))
        talk(server, tls.client(name, root.pem.encode(), NOW))
        assert server.secured


def test_a_certificate_that_is_not_trusted_ends_the_handshake(tls: OpenSsl, root: Any) -> None:
    server = tls.server(lambda name: pair(made(root, "web")))
    with pytest.raises(TlsError, match="certificate is valid for web, not other"):
        talk(server, tls.client("other", root.pem.encode(), NOW))
    talk(tls.server(lambda name: pair(made(root, "web"))), tls.client("other", None, NOW))


def test_bytes_that_are_no_tls(tls: OpenSsl, root: Any) -> None:
    client = tls.client("web", None, NOW)
    with pytest.raises(TlsError, match=r"^tls: "):
        client.receive(b"\x16\x03\x01\x00\x05hello")


def test_what_is_wrong_with_a_pair(tls: OpenSsl, root: Any) -> None:
    good, other = pair(made(root, "a")), pair(made(root, "b"))
    assert tls.flaw(good) == ""
    assert tls.flaw(Pair(b"junk", good.key)) == "certificate"
    assert tls.flaw(Pair(b"", good.key)) == "certificate"
    assert tls.flaw(Pair(good.certificate, b"junk")) == "key"
    assert tls.flaw(Pair(good.certificate, other.key)) == "mismatch"
