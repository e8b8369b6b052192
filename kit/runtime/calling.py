"""Webhooks outside the cluster, really called: one POST over HTTPS, in the words of Go's client when it fails.

Only a cluster started with `labkit up --allow-webhook-urls` does this.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ssl
from collections.abc import Callable

from kit.embedded.core.turns import Called, Invoke

MAX_BODY = 3 * 1024 * 1024
MODES = {
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network is unreachable",
    errno.ECONNRESET: "connection reset by peer",
}


class Caller:
    """Makes calls in the driver's loop and hands the answers to `feed`."""

    def __init__(self, feed: Callable[[Called], None]) -> None:
        self._feed = feed
        self._running: set[asyncio.Task[None]] = set()

    def call(self, one: Invoke) -> None:
        """Begin a call; its answer is an input of a later turn."""
        task = asyncio.get_running_loop().create_task(self._call(one))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _call(self, one: Invoke) -> None:
        try:
            async with asyncio.timeout(one.timeout_ms / 1000):
                answer = await _posted(one)
        except TimeoutError:
            answer = Called(one.id, error="context deadline exceeded")
        except Exception as error:  # noqa: BLE001 - whatever a call meets is its answer, never the driver's end
            answer = Called(one.id, error=str(error) or type(error).__name__)
        self._feed(answer)


async def _posted(one: Invoke) -> Called:
    import aiohttp

    trust = ssl.create_default_context(cadata=one.authority.decode() or None)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust), trust_env=False)
    headers = {"Content-Type": "application/json", "Accept": "application/json, */*"}
    with contextlib.suppress(aiohttp.ClientPayloadError):
        async with session:
            try:
                async with session.post(one.url, data=one.body, headers=headers, allow_redirects=False) as answer:
                    body = await answer.content.read(MAX_BODY)
                    while not answer.content.at_eof() and len(body) < MAX_BODY:
                        body += await answer.content.read(MAX_BODY - len(body))
                    return Called(one.id, answer.status, body)
            except aiohttp.ClientConnectorCertificateError as error:
                return Called(one.id, error=_untrusted(error.certificate_error))
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


def _untrusted(error: Exception) -> str:
    """Return Go's words for a certificate that is not trusted."""
    lead = "tls: failed to verify certificate: x509: "
    code = getattr(error, "verify_code", 0)
    if code in {18, 19, 20, 21}:
        return f"{lead}certificate signed by unknown authority"
    return f"{lead}{getattr(error, 'verify_message', error)}"
