"""A `Connection` leaves no socket open: closed by hand, by `with`, or with the last that holds it."""

from __future__ import annotations

import gc
import warnings
from typing import Any

from kubernetes import client

from kit.client.connect import connect


def sockets(connection: Any) -> int:
    """Return how many sockets wait for the next request."""
    pools = connection._opened().pools
    keys = pools.keys()  # a container that can't be walked
    return sum(pools[key].pool.qsize() - [*pools[key].pool.queue].count(None) for key in keys)


def test_with_closes(embedded: Any) -> None:
    with connect(embedded.kubeconfig) as connection:
        assert connection.request("GET", "/version").code == 200
        assert sockets(connection) == 1
    assert sockets(connection) == 0
    assert connection.request("GET", "/version").code == 200  # it opens new ones
    connection.close()


def test_who_is_forgotten_leaves_nothing_open(embedded: Any) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        connection = connect(embedded.kubeconfig)
        connection.request("GET", "/version")
        official = connection.official()
        assert client.VersionApi(official).get_code().platform
        del connection, official
        gc.collect()
    assert [str(one.message) for one in seen if issubclass(one.category, ResourceWarning)] == []
