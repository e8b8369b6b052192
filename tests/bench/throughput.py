"""The API over HTTPS with eight clients at once: requests a second, beside the real API server's in the same run."""

from __future__ import annotations

import re
import selectors

from stage import arrived, beside, timed

CLIENTS = 8
RUNS = 3
BAR = 2.0  # of the real one's time for a request
MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def measure():
    """Show the time a request takes of the whole; its inverse is the throughput."""
    for row in beside(lambda client: client.call("POST", MAPS, _map("one")), _rates, BAR):
        yield row._replace(what=f"{row.what} ({1000 / row.value:.0f}/s)")


def _rates(client):
    """Yield the ms per request of each verb, several times."""
    for run in range(RUNS):
        for what, requests in _requests(client, run).items():
            seconds = timed(lambda requests=requests: answer(client, requests))
            yield {f"{CLIENTS} at once: {what}": 1000 * seconds / len(requests)}


def _requests(client, run):
    return {
        "get a ConfigMap": [client.raw("GET", f"{MAPS}/one")] * 1000,
        "create a ConfigMap": [client.raw("POST", MAPS, _map(f"map-{run}-{n}")) for n in range(600)],
        "patch one of eight ConfigMaps (merge)": [
            client.raw("PATCH", f"{MAPS}/map-{run}-{n % CLIENTS}", {"data": {"key": f"{n}"}}, kind=MERGE) for n in range(600)
        ],
    }  # fmt: skip


def answer(client, requests):
    """Send the requests over eight connections, one at a time on each, until all are answered; a failure ends the run."""
    todo, waiting, left = iter(requests), selectors.DefaultSelector(), len(requests)
    for _ in range(min(CLIENTS, left)):
        connection = client.connection()
        connection.connect()
        connection.sock.setblocking(False)
        waiting.register(connection.sock, selectors.EVENT_READ, bytearray())
        connection.sock.sendall(next(todo))
    while left:
        for key, _ in waiting.select(60):
            key.data.extend(arrived(key.fileobj))
            if not _whole(key.data):
                continue
            if key.data[9:10] != b"2":
                raise SystemExit(key.data.decode(errors="replace"))
            key.data.clear()
            left -= 1
            if (request := next(todo, None)) is not None:
                key.fileobj.sendall(request)
    for key in list(waiting.get_map().values()):
        key.fileobj.close()
    waiting.close()


def _whole(data):
    """Tell whether an answer has arrived in full: by its length, else by its last chunk."""
    head, end, body = bytes(data).partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return bool(end) and (len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n"))


def _map(name):
    return {"metadata": {"name": name}, "data": {"key": "value"}}
