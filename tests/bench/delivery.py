"""Watch delivery: from the moment a change is sent until every watcher has its event, beside the real API server's."""

from __future__ import annotations

import selectors
import statistics
import time

from fanout import MAPS, MERGE, watched
from stage import arrived, beside

WATCHERS = (1, 100)
EVENTS = 50
RUNS = 4
BAR = 0.8  # of the real one's


def measure():
    """The median of the last watcher's delay."""
    return beside(lambda client: client.call("POST", MAPS, {"metadata": {"name": "bell"}}), _delays, BAR)


def _delays(client):
    for _ in range(RUNS):
        for count in WATCHERS:
            yield {f"patch sent → event with the last of {count} watchers": _delay(client, count)}


def _delay(client, count):
    ringer = client.connection()
    ringer.connect()
    ringer.sock.setblocking(False)
    sockets = [watched(client) for _ in range(count)]
    delays = [_ring(client, ringer.sock, sockets, f"{count}-{number}.") for number in range(EVENTS)]
    for socket in (ringer.sock, *sockets):
        socket.close()
    return 1000 * statistics.median(delays)


def _ring(client, ringer, sockets, mark):
    """Return the seconds until all watchers have the event; then take the answer."""
    begin = time.perf_counter()
    ringer.sendall(client.raw("PATCH", f"{MAPS}/bell", {"data": {"mark": mark}}, kind=MERGE))
    with selectors.DefaultSelector() as waiting:
        for socket in sockets:
            waiting.register(socket, selectors.EVENT_READ, [b""])
        while waiting.get_map():
            for key, _ in waiting.select(30):
                key.data[0] += arrived(key.fileobj)
                if mark.encode() in key.data[0] and key.data[0].endswith(b"\n"):
                    waiting.unregister(key.fileobj)
        took = time.perf_counter() - begin
        waiting.register(ringer, selectors.EVENT_READ)
        while not arrived(ringer):  # the handshake's own records are no answer
            waiting.select(30)
    return took
