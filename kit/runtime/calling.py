"""Webhooks outside the cluster, really called: one POST over HTTPS, in the words of Go's client when it fails.

Only a cluster started with `labkit up --allow-webhook-urls` does this.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from kit.embedded.core.ports import TlsError
from kit.embedded.core.turns import Called, Invoke
from kit.runtime import trust
from kit.runtime.tls import certificates

MAX_BODY = 3 * 1024 * 1024
MODES = {
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network is unreachable",
    errno.ECONNRESET: "connection reset by peer",
}


class Caller:
    """Makes calls in the driver's loop and hands the answers to `feed`; `wall` is the time that certificates are judged at."""

    def __init__(self, feed: Callable[[Called], None], wall: Callable[[], int]) -> None:
        self._feed = feed
        self._wall = wall
        self._running: set[asyncio.Task[None]] = set()

    def call(self, one: Invoke) -> None:
        """Begin a call; its answer is an input of a later turn."""
        task = asyncio.get_running_loop().create_task(self._call(one))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _call(self, one: Invoke) -> None:
        try:
            async with asyncio.timeout(one.timeout_ms / 1000):
                answer = await _posted(one, self._wall())
        except TimeoutError:
            answer = Called(one.id, error="context deadline exceeded")
        except Exception as error:  # noqa: BLE001 - whatever a call meets is its answer, never the driver's end
            answer = Called(one.id, error=str(error) or type(error).__name__)
        self._feed(answer)


async def _posted(one: Invoke, wall_ms: int) -> Called:
    import aiohttp

    session = aiohttp.ClientSession(trust_env=False)
    headers = {"Content-Type": "application/json", "Accept": "application/json, */*"}
    judge = _judge(one, wall_ms)
    with contextlib.suppress(aiohttp.ClientPayloadError):
        async with session:
            try:
                async with session.post(
                    one.url, data=one.body, headers=headers, allow_redirects=False, ssl=judge
                ) as answer:
                    body = await answer.content.read(MAX_BODY)
                    while not answer.content.at_eof() and len(body) < MAX_BODY:
                        body += await answer.content.read(MAX_BODY - len(body))
                    return Called(one.id, answer.status, body)
            except TlsError as error:
                return Called(one.id, error=str(error))
            except aiohttp.ClientConnectorDNSError as error:
                return Called(one.id, error=f"dial tcp: lookup {error.host}: no such host")
            except aiohttp.ClientConnectorSSLError:
                return Called(one.id, error="http: server gave HTTP response to HTTPS client")
            except aiohttp.ClientConnectorError as error:
                why = MODES.get(error.os_error.errno or 0, str(error.os_error))
                return Called(one.id, error=f"dial tcp {error.host}:{error.port}: connect: {why}")
            except aiohttp.ServerDisconnectedError:
                return Called(one.id, error="EOF")
    return Called(one.id, error="unexpected EOF")


def _judge(one: Invoke, wall_ms: int) -> Any:
    """Return what looks at a server's certificate before anything is sent: in Go's words, which OpenSSL's own check has not."""
    import aiohttp

    class Judge(aiohttp.Fingerprint):
        def __init__(self) -> None:
            """Know no fingerprint: the certificate itself is looked at."""

        def check(self, transport: asyncio.Transport) -> None:
            """Raise TlsError for a certificate that is not to be trusted."""
            name = urlsplit(one.url).hostname or ""
            chain = certificates(transport.get_extra_info("ssl_object"))
            found = trust.complaint(chain, one.authority or _host_roots(), name, wall_ms)
            if found:
                transport.abort()
                raise TlsError(found)

    return Judge()


def _host_roots() -> bytes:
    """Return the authorities that this host trusts, as PEM."""
    roots = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(ssl.DER_cert_to_PEM_cert(one) for one in roots).encode()
