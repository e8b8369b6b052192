"""Sessions over connections of the network: what waits, what fails, what goes on in plain text."""

from __future__ import annotations

from typing import Any

import pytest

from kit.embedded.core.ports import TlsError
from kit.embedded.core.program import Errno
from kit.embedded.net.secure import EOF, HTTP, NOT_TLS, PLAIN, Secured


class Mirror:
    """A session that says "H" first, holds when it hears an "H", and then turns letters of the other case round."""

    def __init__(self) -> None:
        self.secured = False
        self.out = b"\x16H"

    def receive(self, data: bytes) -> tuple[bytes, bool]:
        if not self.secured:
            if data[:2] != b"\x16H":
                raise TlsError("tls: odd")
            self.secured, data = True, data[2:]
        return data.rstrip(b".").swapcase(), data.endswith(b".")

    def send(self, data: bytes) -> None:
        self.out += data.swapcase()

    def end(self) -> None:
        self.out += b"."

    def take(self) -> bytes:
        out, self.out = self.out, b""
        return out


@pytest.fixture
def ends(net: Any) -> Any:
    """Return both ends of a connection: the client's, the server's."""
    host = net.pod("10.244.1.9", "s")
    listener, found = host.listen(443), []
    net.fabric.connect(net.pod("10.244.1.8", "c"), "10.244.1.9", 443, found.append)
    net.run(10)
    return found[0], listener.backlog.popleft()


def secure(end: Any, said: list[str], *, server: bool = False) -> Secured:
    made = Secured(end, Mirror(), server=server, ready=said.append)
    made.pump()
    return made


def test_bytes_wait_for_the_handshake_and_pass_whole(net: Any, ends: Any) -> None:
    said: list[str] = []
    client, server = secure(ends[0], said), secure(ends[1], said, server=True)
    assert client.send(b"early") == 0
    net.run(10)
    assert said == ["", ""]
    data, got = b"Ab" * 400_000, bytearray()
    while data or len(got) < 800_000:
        data = data[client.send(data) :]
        net.run(2)
        got += server.recv() or b""
    assert bytes(got) == b"Ab" * 400_000
    server.shutdown()
    net.run(10)
    assert (client.recv(), client.over) == (b"", True)
    with pytest.raises(Errno, match="Broken pipe"):
        server.send(b"late")


@pytest.mark.parametrize(
    ("sent", "why"), [(b"HTTP/1.1 400", HTTP), (b"hello", NOT_TLS), (b"\x16no", "tls: odd"), (b"", EOF)]
)
def test_a_client_meets_something_else(net: Any, ends: Any, sent: bytes, why: str) -> None:
    said: list[str] = []
    client = secure(ends[0], said)
    ends[1].send(sent)
    ends[1].shutdown()
    net.run(10)
    assert said == [why]
    with pytest.raises(Errno):
        client.send(b"x")


def test_a_server_goes_on_in_plain_text(net: Any, ends: Any) -> None:
    said: list[str] = []
    server = secure(ends[1], said, server=True)
    ends[0].send(b"GET /")
    net.run(10)
    assert (said, server.recv()) == ([PLAIN], b"GET /")
    server.send(b"Plain")
    server.close()
    net.run(10)
    assert b"Plain" in (ends[0].recv() or b"")


def test_a_host_that_goes_breaks_the_session_off(net: Any, ends: Any) -> None:
    said: list[str] = []
    client, server = secure(ends[0], said), secure(ends[1], said, server=True)
    net.run(10)
    server.abort()
    net.run(10)
    with pytest.raises(Errno, match="reset"):
        client.recv()
