"""Run a command in a container: the exec subresource over a WebSocket, stdout and stderr apart, with the exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from kit.client.connect import Answer, Connection, status_of, unreachable
from kit.errors import Status, Unavailable

_STDIN, _STDOUT, _STDERR, _ERROR = range(4)
_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"]


@dataclass(frozen=True)
class Ran:
    """What a command did: its outputs and its exit code (`error` says why there is none to speak of)."""

    code: int
    stdout: str
    stderr: str
    error: str = ""


def execute(
    connection: Connection,
    pod: str,
    command: Sequence[str],
    *,
    namespace: str | None = None,
    container: str | None = None,
    stdin: bytes | None = None,
    timeout_s: float = 60.0,
) -> Ran:
    """Run `command` in a container of `pod` and return what it did; `Status` when the API server refuses."""
    path = f"/api/v1/namespaces/{namespace or connection.namespace}/pods/{pod}/exec"
    query = [("command", word) for word in command] + [("stdout", "true"), ("stderr", "true")]
    query += [("container", container)] if container else []
    query += [("stdin", "true")] if stdin is not None else []
    socket = open_socket(connection, f"{path}?{urlencode(query)}", _PROTOCOLS, timeout_s)
    try:
        if stdin is not None:
            socket.send_binary(bytes([_STDIN]) + stdin)
            if socket.getsubprotocol() == _PROTOCOLS[0]:
                socket.send_binary(bytes([255, _STDIN]))
        return _finished(_collected(socket, timeout_s, command))
    finally:
        socket.close()


def open_socket(connection: Connection, path: str, protocols: list[str], timeout_s: float) -> Any:
    """Return an open WebSocket to `path` of the API server; a refusal raises `Status`."""
    import websocket

    identity = connection.identity
    url = connection.server.replace("http", "ws", 1) + path
    headers = [f"{name}: {value}" for name, value in {**connection.headers(), "Accept": "*/*"}.items()]
    try:
        return websocket.create_connection(
            url,
            timeout=timeout_s,
            header=headers,
            subprotocols=protocols,
            sslopt=_tls(connection),
            suppress_origin=True,
        )
    except websocket.WebSocketBadStatusException as error:
        body = error.resp_body if isinstance(error.resp_body, bytes) else str(error.resp_body or "").encode()
        raise status_of(Answer(error.status_code, {}, body)) from error
    except (OSError, websocket.WebSocketException) as error:
        raise unreachable(identity.server, error) from error


def _tls(connection: Connection) -> dict[str, Any]:
    identity = connection.identity
    context = identity.trust.context()
    return {"context": context, **({"server_hostname": identity.server_name} if identity.server_name else {})}


def _collected(socket: Any, timeout_s: float, command: Sequence[str]) -> dict[int, bytearray]:
    import websocket

    channels: dict[int, bytearray] = {_STDOUT: bytearray(), _STDERR: bytearray(), _ERROR: bytearray()}
    while True:
        try:
            frame = socket.recv()
        except websocket.WebSocketTimeoutException as error:
            raise Unavailable(
                f"{' '.join(command)!r} gave no output for {timeout_s:g} s", "is it waiting for input?"
            ) from error
        except websocket.WebSocketConnectionClosedException:
            return channels
        data = frame.encode() if isinstance(frame, str) else frame
        if not data:
            if not socket.connected:
                return channels
            continue
        channels.setdefault(data[0], bytearray()).extend(data[1:])
        if data[0] == _ERROR and _is_whole(channels[_ERROR]):
            return channels


def _is_whole(data: bytearray) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True


def _finished(channels: dict[int, bytearray]) -> Ran:
    out, err = (channels[number].decode("utf-8", "replace") for number in (_STDOUT, _STDERR))
    if not channels[_ERROR]:
        return Ran(-1, out, err, "the connection closed before the command ended")
    status = json.loads(channels[_ERROR])
    if status.get("status") == "Success":
        return Ran(0, out, err)
    causes = (status.get("details") or {}).get("causes") or []
    for cause in causes:
        if cause.get("reason") == "ExitCode":
            return Ran(int(cause["message"]), out, err)
    if status.get("reason") in {"InternalError", ""} or not status.get("reason"):
        return Ran(126, out, err, status.get("message", ""))
    raise Status(status["reason"], status.get("message", ""), code=status.get("code"))
