"""The system calls of the network: listen, accept, connect, names, ping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.embedded.core import program as p
from kit.embedded.core.ports import Tls
from kit.embedded.core.program import Errno
from kit.embedded.net.secure import Stream
from kit.embedded.net.wires import Address, End
from kit.embedded.node.descriptors import BLOCKED, Blocked, ListenSocket, Socket
from kit.embedded.node.processes import Process


def listen(process: Process, call: p.Listen) -> int:
    """Carry out Listen. EACCES for a port below 1024 as a user: containers run with net.ipv4.ip_unprivileged_port_start=0, so never."""
    return process.open(ListenSocket(process.container.host.listen(call.port, call.address)))


def accept(process: Process, call: p.Accept) -> int | Blocked:
    """Carry out Accept."""
    description = process.at(call.fd)
    if not isinstance(description, ListenSocket):
        raise Errno("EINVAL")
    backlog = description.listener.backlog
    if not backlog:
        description.wait(process)
        return BLOCKED
    return process.open(Socket(backlog.popleft()))


def connect(process: Process, call: p.Connect) -> Blocked:
    """Carry out Connect."""
    token = process.token

    def done(result: End | str) -> None:
        if process.token != token or process.exit_code is not None:
            if isinstance(result, End):
                result.abort()
        elif isinstance(result, End):
            process.complete(token, process.open(Socket(result)))
        else:
            process.fail(token, result)

    attempt = process.container.world.fabric.connect(
        process.container.host, call.address, call.port, done, call.timeout_ms
    )
    process.cancel = attempt.cancel
    return BLOCKED


def shutdown(process: Process, call: p.Shutdown) -> None:
    """Carry out Shutdown."""
    _end(process, call.fd).shutdown()


def peer(process: Process, call: p.Peer) -> Address:
    """Carry out Peer."""
    return _end(process, call.fd).remote


def local(process: Process, call: p.Local) -> Address:
    """Carry out Local."""
    if call.fd is None:
        return process.container.host.address, 0
    description = process.at(call.fd)
    if isinstance(description, ListenSocket):
        return description.listener.address, description.listener.port
    return _end(process, call.fd).local


def _end(process: Process, fd: int) -> Stream:
    return _socket(process, fd).end


def _socket(process: Process, fd: int) -> Socket:
    description = process.at(fd)
    if not isinstance(description, Socket):
        raise Errno("EINVAL")
    return description


def secure(process: Process, call: p.Secure) -> Blocked:
    """Carry out Secure."""
    socket, token, tls = _socket(process, call.fd), process.token, _tls(process)
    if not isinstance(socket.end, End):
        raise Errno("EINVAL")
    wall = process.container.clock.wall()
    channel = tls.server(call.pick) if call.pick is not None else tls.client(call.name, call.authority, wall)
    socket.secure(channel, server=call.pick is not None, ready=lambda why: process.complete(token, why))
    process.container.queue.put(process.container.clock.now, socket.pump)
    return BLOCKED


def flaw(process: Process, call: p.Flaw) -> str:
    """Carry out Flaw."""
    return _tls(process).flaw(call.pair)


def _tls(process: Process) -> Tls:
    tls = process.container.world.fabric.tls
    if tls is None:
        raise Errno("ENOSYS")
    return tls


def resolve(process: Process, call: p.Resolve) -> Blocked:
    """Carry out Resolve."""
    token, container = process.token, process.container
    hosts, resolver = container.names()

    def done(result: list[str] | str) -> None:
        if isinstance(result, str):
            process.fail(token, result)
        else:
            process.complete(token, result)

    container.world.fabric.resolve(container.host, call.name, hosts, resolver, done)
    return BLOCKED


def query(process: Process, call: p.Query) -> Blocked:
    """Carry out Query."""
    token, container = process.token, process.container
    server = call.server or next(iter(container.names()[1].servers), "")

    def done(answer: p.Answer | None) -> None:
        if answer is None:
            process.fail(token, "ETIMEDOUT")
        else:
            process.complete(token, answer)

    container.world.fabric.query(container.host, call.name, call.kind, server, done)
    return BLOCKED


def ping(process: Process, call: p.Ping) -> Blocked:
    """Carry out Ping."""
    token, container = process.token, process.container
    container.world.fabric.ping(
        container.host, call.address, call.timeout_ms, lambda took: process.complete(token, took)
    )
    return BLOCKED


HANDLERS: dict[type, Callable[[Process, Any], Any]] = {
    p.Listen: listen, p.Accept: accept, p.Connect: connect, p.Shutdown: shutdown, p.Peer: peer, p.Local: local, p.Resolve: resolve,
    p.Query: query, p.Ping: ping, p.Secure: secure, p.Flaw: flaw,
}  # fmt: skip
