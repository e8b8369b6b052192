"""What goes into a turn of the machine and what comes out.

A turn takes inputs and gives a `Batch`: rows to commit first, then outputs to release. A request that cannot be answered at once
(watch, exec, log -f, port-forward, a wait) is a `Ticket`: it stays open and later turns send on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.core.exposition import Labels, Tally
from kit.embedded.core.store import Row

# --- inputs ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `headers` have lower-case names; `query` keeps repeated keys in order; `identity` is what TLS proved."""

    id: int
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client certificate names: common name ("" when it names nobody), organisations, uid; `digest` is its SHA-256 in hex."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes that arrived on an open ticket; `channel` as in the exec protocols (0 stdin, 4 resize), 0 for plain streams."""

    id: int
    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The client sends no more on this channel."""

    id: int
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Hangup:
    """The client is gone: the ticket is over."""

    id: int


@dataclass(frozen=True, slots=True)
class Dial:
    """A connection arrived on the host's port that stands for `address`:`port` of the cluster (a NodePort, the Ingress)."""

    id: int
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Called:
    """The answer to `Invoke` `id`: status and body, or in `error` why there is none, in the words of Go's HTTP client."""

    id: int
    status: int = 0
    body: bytes = b""
    error: str = ""


Input = Request | Data | End | Hangup | Dial | Called

# --- outputs -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer to a request."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Send `response` for request `id`; it is over. `about` is what it is counted under."""

    id: int
    response: Response
    about: Labels | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """Start the answer of a ticket: status and headers of a chunked body, or with `upgrade` a switch to WebSocket channels.

    `upgrade` "channels" is exec and attach (v5/v4.channel.k8s.io), "ports" is port-forward; "raw" a dialled connection that is accepted.
    """

    id: int
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    upgrade: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Send `data` on a ticket's channel."""

    id: int
    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Finish:
    """End a ticket (or, with `channel`, only that channel of it). `status` is the Status object of exec's error channel;
    `error` a reason for a dialled connection that failed: refused, timeout, no route, reset (of a session too)."""  # fmt: skip

    id: int
    channel: int | None = None
    status: dict[str, Any] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Expose:
    """Open (or with `open=False` close) a port of the host for `name`: connections come back as `Dial` to `address`:`port`."""

    name: str
    address: str
    port: int
    open: bool = True


@dataclass(frozen=True, slots=True)
class Invoke:
    """POST `body` as JSON to an https URL of the host's world; the answer comes back as `Called`. Calls have ids of their own.

    `authority` is the PEM that the server's certificate is checked with (b"": what the host trusts).
    """

    id: int
    url: str
    body: bytes
    authority: bytes
    timeout_ms: int


Output = Answer | Begin | Chunk | Finish | Expose | Invoke


@dataclass(frozen=True, slots=True)
class Batch:
    """What a turn gave: commit `rows`, then release `outputs`; run the next turn at `next_due` (None: nothing is due).

    `done` is False when the budget was spent before all that is due had run. `busy_due` is when anything that is not
    housekeeping is due next: None means quiet. `writes` says whether this turn's inputs change the cluster or run programs.
    """

    rows: Sequence[Row]
    outputs: Sequence[Output]
    next_due: int | None
    busy_due: int | None
    done: bool
    writes: bool


class Ticket:
    """An open request. The API and the nodes send on it; what arrives is handed to the callbacks they set."""

    __slots__ = ("_code", "_out", "about", "headers", "id", "on_close", "on_data", "on_end", "open", "started", "tally")

    def __init__(self, id: int, out: Callable[[Output], None]) -> None:
        self.id = id
        self._out = out
        self.headers: tuple[tuple[str, str], ...] = ()  # what every answer to this request says besides
        self.about: Labels | None = None  # what it is counted under, and by whom
        self.tally: Tally | None = None
        self.open = True
        self.started = False
        self._code = 200
        self.on_data: Callable[[int, bytes], None] = lambda channel, data: None
        self.on_end: Callable[[int], None] = lambda channel: None
        self.on_close: Callable[[], None] = lambda: None

    def answer(self, response: Response) -> None:
        """Answer whole, and end. An answer that was begun can only end."""
        if self.started:
            self.finish()
        elif self.open:
            self.open = False
            if self.headers:
                response = Response(response.status, response.headers + self.headers, response.body)
            if self.tally is not None and self.about is not None:
                self.tally.answered(self.about, response.status)
            self._out(Answer(self.id, response, self.about))

    def begin(self, status: int = 200, headers: tuple[tuple[str, str], ...] = (), upgrade: str = "") -> None:
        """Start the answer; at most once."""
        if self.open and not self.started:
            self.started = True
            self._code = 101 if upgrade else status
            if self.tally is not None and self.about is not None:
                self.tally.began(self.about)
            self._out(Begin(self.id, status, headers + self.headers, upgrade))

    def send(self, data: bytes, channel: int = 0) -> None:
        """Send bytes on a channel."""
        if self.open:
            self._out(Chunk(self.id, channel, data))

    def end_channel(self, channel: int) -> None:
        """Say that nothing more comes on a channel."""
        if self.open:
            self._out(Finish(self.id, channel))

    def finish(self, status: dict[str, Any] | None = None, error: str = "") -> None:
        """End the ticket."""
        if self.open:
            self.open = False
            self._over()
            self._out(Finish(self.id, None, status, error))

    def hangup(self) -> None:
        """Note that the client is gone."""
        if self.open:
            self.open = False
            self._over()
            self.on_close()

    def _over(self) -> None:
        if self.started and self.tally is not None and self.about is not None:
            self.tally.ended(self.about, self._code)
