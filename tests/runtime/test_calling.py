"""Webhooks at URLs, really called: what a server answers, and in which words Go would tell that it can't be reached."""

from __future__ import annotations

import asyncio
import contextlib
import runpy
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kit.embedded.core.turns import Called, Invoke
from kit.runtime.calling import Caller
from kit.runtime.driver import unix_ms

Made = runpy.run_path(str(Path(__file__).with_name("record_trust.py")))["Made"]
LEAD = "tls: failed to verify certificate: x509: "
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture(scope="module")
def root() -> Any:
    return Made("root", ca=True, days=(-10, 3000))


def context(folder: Path, made: Any) -> ssl.SSLContext:
    """Return a server's TLS with a certificate."""
    key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "pair.pem").write_bytes(made.pem.encode() + key)
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(folder / "pair.pem")
    return found


@contextlib.asynccontextmanager
async def serving(answer: bytes, tls: ssl.SSLContext | None, asked: list[bytes]) -> AsyncIterator[int]:
    """Serve one answer to whoever asks -> the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            head = await reader.readuntil(b"\r\n\r\n") if tls else await reader.read(1)
            asked.append(head)
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def called(
    answer: bytes, tls: ssl.SSLContext | None, authority: bytes, *, host: str = "127.0.0.1"
) -> tuple[Called, list[bytes]]:
    """Call a server -> what came of it, and the heads of the requests that it got."""
    asked: list[bytes] = []

    async def run() -> Called:
        async with serving(answer, tls, asked) as port:
            got: asyncio.Future[Called] = asyncio.get_running_loop().create_future()
            Caller(got.set_result, unix_ms).call(
                Invoke(7, f"https://{host}:{port}/hook?timeout=5s", b"{}", authority, 5000)
            )
            return await got

    return asyncio.run(run()), asked


def test_an_answer_comes_back(tmp_path: Path, root: Any) -> None:
    made = Made("a", root, addresses=("127.0.0.1",), days=(-10, 3000))
    reply, asked = called(GOOD, context(tmp_path, made), root.pem.encode())
    assert reply == Called(7, 200, b"hello")
    assert asked[0].startswith(b"POST /hook?timeout=5s HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("how", "trusted", "words"),
    [
        ({"addresses": ("127.0.0.2",)}, True, "certificate is valid for 127.0.0.2, not 127.0.0.1"),
        ({"names": ("a",)}, True, "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"),
        ({"addresses": ("127.0.0.1",)}, False, "certificate signed by unknown authority"),
        (
            {"addresses": ("127.0.0.1",), "days": (-10, -5)},
            True,
            "certificate has expired or is not yet valid: current time ",
        ),
    ],
)
def test_who_is_not_trusted_is_sent_nothing(tmp_path: Path, root: Any, how: Any, trusted: bool, words: str) -> None:
    made = Made("a", root, **{"days": (-10, 3000), **how})
    reply, asked = called(GOOD, context(tmp_path, made), root.pem.encode() if trusted else b"")
    assert reply.error.startswith(LEAD + words)
    assert asked == []


def test_what_is_no_answer(tmp_path: Path, root: Any) -> None:
    made = context(tmp_path, Made("a", root, addresses=("127.0.0.1",), days=(-10, 3000)))
    authority = root.pem.encode()
    assert called(b"", made, authority)[0].error == "EOF"
    assert called(GOOD[:-2], made, authority)[0].error == "unexpected EOF"
    assert called(GOOD, None, authority)[0].error == "http: server gave HTTP response to HTTPS client"
    nobody = asyncio.run(_refused())
    assert nobody.error.endswith(": connect: connection refused")


async def _refused() -> Called:
    async with serving(b"", None, []) as port:
        pass
    got: asyncio.Future[Called] = asyncio.get_running_loop().create_future()
    Caller(got.set_result, unix_ms).call(Invoke(8, f"https://127.0.0.1:{port}/", b"{}", b"", 5000))
    return await got
