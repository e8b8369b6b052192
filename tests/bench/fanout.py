"""Watch fan-out: a hundred watchers of one ConfigMap that changes a hundred times in a second."""

from __future__ import annotations

import selectors
import time

from stage import Client, Row, arrived, lab

WATCHERS = 100
EVENTS = 100
MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = "application/merge-patch+json"


def measure():
    """The lag is how long after the last change's answer the last watcher has its event."""
    with lab() as one:
        client = Client(one.environment["KUBECONFIG"])
        client.call("POST", MAPS, {"metadata": {"name": "bell"}})
        sockets = [watched(client) for _ in range(WATCHERS)]
        waiting = selectors.DefaultSelector()
        for socket in sockets:
            waiting.register(socket, selectors.EVENT_READ, [0])
        begin = time.perf_counter()
        for number in range(EVENTS):
            client.call("PATCH", f"{MAPS}/bell", {"data": {"mark": f"#{number}"}}, kind=MERGE)
            _drain(waiting, 0)
            time.sleep(max(0.0, begin + (number + 1) / EVENTS - time.perf_counter()))
        rung = time.perf_counter()
        while sum(key.data[0] for key in waiting.get_map().values()) < WATCHERS * EVENTS:
            _drain(waiting, 5)
            if time.perf_counter() - rung > 30:
                raise SystemExit("events are missing")
        lag = time.perf_counter() - rung
        took = time.perf_counter() - begin
        for socket in sockets:
            socket.close()
    yield Row(f"watch: {WATCHERS} watchers x {EVENTS} events at {EVENTS}/s, whole", took, "s", 1.5)
    yield Row("  lag of the last watcher behind the last event", lag * 1000, "ms", 100)


def watched(client):
    """Return a socket on which a watch of the ConfigMap has begun."""
    connection = client.connection()
    connection.request(
        "GET", f"{MAPS}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dbell", headers=client.headers()
    )
    socket = connection.sock
    while b'"ADDED"' not in socket.recv(1 << 16):
        pass
    socket.setblocking(False)
    return socket


def _drain(waiting, seconds):
    """Count the events that have arrived."""
    for key, _ in waiting.select(seconds):
        key.data[0] += arrived(key.fileobj).count(b'"mark":"#')
