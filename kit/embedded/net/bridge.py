"""A ticket joined to a connection: port-forwards and dialled ports."""

from __future__ import annotations

from kit.embedded.core.program import Errno
from kit.embedded.core.turns import Ticket
from kit.embedded.net.wires import End


class Bridge:
    """Carries bytes both ways between a ticket (channel 0) and an end; half-closes are passed on."""

    def __init__(self, ticket: Ticket) -> None:
        self._ticket = ticket
        self._end: End | None = None
        self._waiting = bytearray()
        self._ended = False
        self._told = False
        ticket.on_data = self._from_client
        ticket.on_end = self._client_ended
        ticket.on_close = self._client_gone

    def join(self, end: End) -> None:
        """Begin to carry."""
        if not self._ticket.open:
            end.close()
            return
        self._end = end
        end.watch = self._pump
        self._pump()

    def _from_client(self, channel: int, data: bytes) -> None:
        if channel == 0:
            self._waiting += data
            self._pump()

    def _client_ended(self, channel: int) -> None:
        if channel == 0:
            self._ended = True
            self._pump()

    def _client_gone(self) -> None:
        if self._end is not None:
            self._end.close()

    def _pump(self) -> None:
        end = self._end
        if end is None:
            return
        try:
            self._upwards(end)
            self._downwards(end)
        except Errno:
            end.close()
            self._ticket.finish(error="reset")
            return
        if self._told and end.shut:
            end.close()
            self._ticket.finish()

    def _upwards(self, end: End) -> None:
        if self._waiting and not end.shut:
            del self._waiting[: end.send(bytes(self._waiting))]
        if self._ended and not self._waiting and not end.shut:
            end.shutdown()

    def _downwards(self, end: End) -> None:
        while not self._told and (data := end.recv()) is not None:
            if data:
                self._ticket.send(data)
            else:
                self._told = True
                self._ticket.end_channel(0)
