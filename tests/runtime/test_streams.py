"""WebSockets: exec and port-forward as kubectl and the Python client speak them."""

from __future__ import annotations

import json
import struct

import pytest
import websocket as client

from kit.runtime import spdy, websocket
from kit.runtime.spdy import Framer

EXEC = "/api/v1/namespaces/a/pods/p/exec?command=cat&stdin=true&stdout=true"
FORWARD = "/api/v1/namespaces/a/pods/p/portforward"


def dial(running, path, *protocols, **options):
    socket = client.WebSocket(sslopt={"context": running.context})
    running.opened.append(_Closing(socket))
    socket.connect(
        f"wss://127.0.0.1:{running.port}{path}", timeout=10, subprotocols=list(protocols), suppress_origin=True,
        header=[f"Authorization: Bearer {running.credentials.token_text}"], **options,
    )  # fmt: skip
    return socket


class _Closing:
    def __init__(self, socket):
        self.close = socket.shutdown


@pytest.mark.parametrize("offer, chosen", [(["v5.channel.k8s.io", "v4.channel.k8s.io"], 5), (["v4.channel.k8s.io"], 4)])
def test_exec_carries_channels_and_ends_with_a_status(running, offer, chosen):
    socket = dial(running, EXEC, *offer)
    assert socket.getsubprotocol() == f"v{chosen}.channel.k8s.io"
    assert socket.recv() == b"\x01"
    socket.send_binary(b"\x00hello")
    assert socket.recv() == b"\x01hello"
    if chosen == 5:
        socket.send_binary(b"\xff\x00")
        status = socket.recv()
        assert (status[0], json.loads(status[1:])["status"]) == (3, "Success")
        assert socket.recv_frame().opcode == client.ABNF.OPCODE_CLOSE


def test_an_exec_whose_node_goes_off_breaks_off(running):
    socket = dial(running, EXEC, "v5.channel.k8s.io")
    assert socket.recv() == b"\x01"
    socket.send_binary(b"\x00break")
    with pytest.raises(client.WebSocketConnectionClosedException):  # no closing frame came
        socket.recv_frame()


def test_large_input_arrives_whole(running):
    socket = dial(running, EXEC, "v5.channel.k8s.io")
    socket.recv()
    socket.send_binary(b"\x00" + b"x" * 200_000)
    assert socket.recv() == b"\x01" + b"x" * 200_000


def test_pings_are_answered(running):
    socket = dial(running, EXEC, "v5.channel.k8s.io")
    socket.recv()
    socket.ping(b"abc")
    frame = socket.recv_frame()
    assert (frame.opcode, frame.data) == (client.ABNF.OPCODE_PONG, b"abc")


@pytest.mark.parametrize("protocols", [["channel.k8s.io"], ["v3.channel.k8s.io", "base64.channel.k8s.io"], []])
def test_old_protocols_are_refused_in_words(running, protocols):
    with pytest.raises(client.WebSocketBadStatusException) as refused:
        dial(running, EXEC, *protocols)
    assert refused.value.status_code == 400
    assert "v5.channel.k8s.io, v4.channel.k8s.io" in json.loads(refused.value.resp_body)["message"]
    assert running.machine.tickets == {}


def test_a_client_that_goes_ends_the_exec(running):
    socket = dial(running, EXEC, "v5.channel.k8s.io")
    socket.recv()
    socket.close()
    for _ in range(200):
        if running.machine.gone:
            break
        running.call("GET", "/x")
    assert len(running.machine.gone) == 1


def test_port_forward_in_channels(running):
    socket = dial(running, FORWARD + "?ports=80&ports=9", "v5.channel.k8s.io", "v4.channel.k8s.io")
    assert socket.getsubprotocol() == "v4.channel.k8s.io"
    assert [socket.recv() for _ in range(4)] == [
        bytes([n]) + struct.pack("<H", port) for n, port in ((0, 80), (1, 80), (2, 9), (3, 9))
    ]
    assert socket.recv() == b"\x03connection refused"
    socket.send_binary(b"\x00GET /")
    assert socket.recv() == b"\x00GET /"


def test_port_forward_in_channels_needs_a_port(running):
    with pytest.raises(client.WebSocketBadStatusException) as refused:
        dial(running, FORWARD, "v4.channel.k8s.io")
    assert refused.value.status_code == 400


def test_port_forward_in_spdy_as_kubectl_does(running):
    socket = dial(running, FORWARD, "SPDY/3.1+portforward.k8s.io")
    peer, frames = Framer(), []

    def until(wanted):
        while not any(wanted(frame) for frame in frames):
            frames.extend(peer.feed(socket.recv()))
        return next(frame for frame in frames if wanted(frame))

    socket.send_binary(
        peer.syn_stream(1, {"streamtype": "error", "port": "80", "requestid": "0"}) + peer.data(1, b"", fin=True)
    )
    socket.send_binary(peer.syn_stream(3, {"streamtype": "data", "port": "80", "requestid": "0"}))
    assert until(lambda frame: frame.stream == 3).kind == spdy.SYN_REPLY
    socket.send_binary(peer.data(3, b"ping"))
    assert until(lambda frame: frame.kind is None and frame.data).data == b"ping"
    socket.send_binary(peer.ping(7))
    assert until(lambda frame: frame.kind == spdy.PING).stream == 7
    socket.send_binary(peer.data(3, b"", fin=True))
    assert until(lambda frame: frame.kind is None and frame.fin and frame.stream == 3)
    socket.send_binary(peer.syn_stream(5, {"streamtype": "error", "port": "9", "requestid": "1"}))
    socket.send_binary(peer.syn_stream(7, {"streamtype": "data", "port": "9", "requestid": "1"}))
    assert until(lambda frame: frame.kind is None and frame.stream == 5 and frame.data).data == b"connection refused"


def test_garbage_in_the_tunnel_closes_it(running):
    socket = dial(running, FORWARD, "SPDY/3.1+portforward.k8s.io")
    socket.send_binary(b"\x80\x02\x00\x01\x00\x00\x00\x00")
    assert socket.recv_frame().opcode == client.ABNF.OPCODE_CLOSE


def test_frames_survive_any_cut():
    sender, receiver = Framer(), Framer()
    sent = b"".join(
        sender.syn_stream(number, {"streamtype": "data", "port": str(number), "requestid": "1"})
        + sender.data(number, b"x" * number)
        for number in range(1, 40, 2)
    )
    frames = [frame for byte in sent for frame in receiver.feed(bytes([byte]))]
    assert [frame.headers["port"] for frame in frames if frame.kind == spdy.SYN_STREAM] == [
        str(n) for n in range(1, 40, 2)
    ]
    assert [len(frame.data) for frame in frames if frame.kind is None] == list(range(1, 40, 2))


def test_websocket_messages_survive_any_cut_and_fragments():
    key = b"\x01\x02\x03\x04"

    def frame(first, data):
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        return bytes([first]) + size + key + websocket.mask(key, data)

    sent = frame(0x02, b"ab") + frame(0x89, b"p") + frame(0x80, b"cd") + frame(0x82, b"z" * 1000)
    reader = websocket.Reader()
    messages = [message for byte in sent for message in reader.feed(bytes([byte]))]
    assert [(message.opcode, message.data) for message in messages] == [(9, b"p"), (2, b"abcd"), (2, b"z" * 1000)]


@pytest.mark.parametrize(
    "sent",
    [b"\x82\x01a", b"\xc2\x81....", b"\x80\x81....x", b"\x8b\x80....", b"\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00"],
)
def test_broken_frames_are_refused(sent):
    with pytest.raises(websocket.Broken):
        websocket.Reader().feed(sent)
