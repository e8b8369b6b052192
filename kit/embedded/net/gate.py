"""The API server's port on its node: how Pods reach it, by TLS through the Service `kubernetes`. Models crypto/tls and net/http/server.go.

What upgrades a connection (exec, attach, port-forward) is refused here: inside the cluster nobody speaks those protocols.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

import h11

from kit.embedded.core.ports import Tls
from kit.embedded.core.program import Errno
from kit.embedded.core.turns import Answer, Begin, Chunk, Finish, Output, Request, Response, Ticket
from kit.embedded.net.hosts import Host, Listener
from kit.embedded.net.phrases import REASONS
from kit.embedded.net.secure import PLAIN, Secured
from kit.embedded.net.wires import End
from kit.errors import Status
from kit.kube import times

PORT = 6443
MAX_BODY = 3 << 20
MAX_UNSENT = 8 << 20
TOO_BIG = f"Request entity too large: limit is {MAX_BODY}"
UPGRADE = "exec, attach and port-forward out of a Pod are not simulated by the embedded cluster; a kind cluster has them (--provider kind)"
NOT_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

Submit = Callable[[Request, Ticket], object]
Wall = Callable[[], int]


class Gate:
    """Takes the connections to the API server's port and hands their requests to `submit`."""

    def __init__(self, host: Host, tls: Tls, wall: Wall, submit: Submit) -> None:
        self._tls = tls
        self._wall = wall
        self._submit = submit
        self._listener: Listener = host.listen(PORT)
        self._listener.watch = self._accept

    def _accept(self) -> None:
        while self._listener.backlog:
            _Conversation(self._listener.backlog.popleft(), self._tls, self._wall, self._submit)


class _Conversation:
    """One connection: a request, its answer, the next."""

    def __init__(self, end: End, tls: Tls, wall: Wall, submit: Submit) -> None:
        self._wall = wall
        self._submit = submit
        self._wire = h11.Connection(h11.SERVER)
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._ticket: Ticket | None = None
        self._unsent = bytearray()
        self._end = Secured(end, tls.server(lambda name: tls.serving()), server=True, ready=self._ready)
        self._end.pump()

    def _ready(self, why: str) -> None:
        """Go on when the handshake is over."""
        if why == PLAIN:
            self._end.send(NOT_TLS)
        if why:
            self._end.close()
            return
        self._end.watch = self._pump
        self._pump()

    def _pump(self) -> None:
        try:
            self._flush()
            while self._ticket is None and (data := self._end.recv()) is not None:
                self._wire.receive_data(data)
                self._read()
                if not data:
                    break
            if self._ticket is not None and self._end.over:  # as a read in the background finds out there
                self._over()
        except Errno:
            self._over()
        except h11.RemoteProtocolError:
            self._refuse(Status("BadRequest", "the request is not HTTP", code=400))

    def _read(self) -> None:
        while self._ticket is None:
            event = self._wire.next_event()
            if isinstance(event, h11.Request):
                self._head = event
                self._body.clear()
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > MAX_BODY:
                    self._refuse(Status("RequestEntityTooLarge", TOO_BIG))
                    return
            elif isinstance(event, h11.EndOfMessage) and self._head is not None:
                self._serve(self._head)
            elif isinstance(event, h11.ConnectionClosed):
                self._over()
                return
            else:
                return

    def _serve(self, head: h11.Request) -> None:
        """Hand one request on."""
        raw, _, query = head.target.decode("latin-1").partition("?")
        headers = {name.decode("ascii"): value.decode("utf-8", "replace") for name, value in head.headers}
        if "upgrade" in headers:
            self._refuse(Status("NotImplemented", UPGRADE, code=501))
        else:
            self._ticket = Ticket(-1, self._send)
            asked = tuple(parse_qsl(query, keep_blank_values=True))
            method = head.method.decode("ascii")
            self._submit(Request(-1, method, unquote(raw), asked, headers, bytes(self._body)), self._ticket)

    def _refuse(self, error: Status) -> None:
        """Answer with a Status, and close."""
        body = json.dumps(error.body()).encode()
        headers = (("Content-Type", "application/json"), ("Connection", "close"))
        if self._wire.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._whole(Response(error.code, headers, body))
        self._end.close()

    # --- answers ---

    def _send(self, output: Output) -> None:
        """Write what the API sends for the request."""
        try:
            if isinstance(output, Answer):
                self._whole(output.response)
                self._next()
            elif isinstance(output, Begin):
                self._begin(output.status, self._headers(output.headers))
            elif isinstance(output, Chunk):
                self._write(h11.Data(data=output.data))
            elif isinstance(output, Finish) and output.channel is None:
                self._write(h11.EndOfMessage())
                self._next()
        except (h11.LocalProtocolError, Errno):
            self._over()

    def _whole(self, response: Response) -> None:
        kept = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
        headers = self._headers((*kept, ("Content-Length", str(len(response.body)))))
        self._begin(response.status, headers)
        head_only = self._head is not None and self._head.method == b"HEAD"
        if response.body and not head_only and response.status not in (204, 304):
            self._write(h11.Data(data=response.body))
        self._write(h11.EndOfMessage())

    def _begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._write(h11.Response(status_code=status, headers=headers, reason=REASONS.get(status, "").encode()))

    def _headers(self, given: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        return [*given, ("Date", times.http_date(self._wall()))]

    def _write(self, event: h11.Event) -> None:
        self._unsent += self._wire.send(event) or b""
        self._flush()

    def _flush(self) -> None:
        while self._unsent and (taken := self._end.send(bytes(self._unsent))):
            del self._unsent[:taken]
        if len(self._unsent) > MAX_UNSENT:  # a reader that is this far behind is dropped
            self._over()

    def _next(self) -> None:
        """Begin with the next request of the connection, or close it."""
        self._ticket = None
        if self._wire.our_state is h11.DONE and self._wire.their_state is h11.DONE:
            self._wire.start_next_cycle()
            self._read()
        else:
            self._end.close()

    def _over(self) -> None:
        """Let go: the client is gone."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            ticket.hangup()
        self._end.close()
