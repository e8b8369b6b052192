"""What people ask of containers: logs, exec, attach; and what a container leaves as its last words."""

from __future__ import annotations

import pytest
from world import Stub, sh

from kit.errors import Status


def test_logs(world):
    world.pod("p", sh("echo one; warn two; sleep 2; echo three; sleep 3; exit 1"))
    world.run(1000)
    follow = world.log(follow=True)
    assert follow.data() == b"one\ntwo\n" and follow.finish is None
    assert world.log(tailLines=1).data() == b"two\n"
    assert world.log(limitBytes=5).data() == b"one\nt"
    stamped = world.log(timestamps=True).data().split(b"\n")[0]
    assert stamped.startswith(b"2026-01-01T00:00:00.") and stamped.endswith(b"Z one")
    with pytest.raises(Status) as error:
        world.log(previous=True)
    assert error.value.message == 'previous terminated container "c" in pod "p" not found'
    world.run(5000)
    assert follow.data() == b"one\ntwo\nthree\n" and follow.finish is not None
    assert world.log(previous=True).data() == b"one\ntwo\nthree\n"
    world.run(6000)
    assert "terminated" in world.status()["state"]
    assert world.log(previous=True).data().startswith(b"unable to retrieve container logs for containerd://")


def test_exec(world):
    world.pod("p", sh("trap 0; sleep 999"))
    world.run(1000)

    def run(argv):
        stub = Stub()
        world.nodes.execute(world.get(), "c", argv, {"stdout": True, "stderr": True}, stub.ticket)
        world.run(200)
        return stub

    good = run(["sh", "-c", "echo out; warn err"])
    assert (good.data(1), good.data(2), good.finish.status) == (
        b"out\n",
        b"err\n",
        {"metadata": {}, "status": "Success"},
    )
    assert good.outputs[0].upgrade == "channels"
    bad = run(["sh", "-c", "exit 7"])
    assert bad.finish.status["reason"] == "NonZeroExitCode" and bad.finish.status["details"]["causes"] == [
        {"reason": "ExitCode", "message": "7"}
    ]
    missing = run(["nosuch"])
    assert missing.finish.status["message"].startswith(
        "Internal error occurred: Internal error occurred: error executing command in container: "
        "failed to exec in container: failed to start exec"
    )
    piped = Stub()
    world.nodes.execute(world.get(), "c", ["sh", "-c", "stdin"], {"stdin": True, "stdout": True}, piped.ticket)
    world.run(10)
    piped.ticket.on_data(0, b"abc")
    world.run(10)
    assert piped.data(1) == b"ABC" and piped.finish is None
    piped.ticket.on_end(0)
    world.run(10)
    assert piped.finish.status["status"] == "Success"
    shown = Stub()
    world.nodes.execute(world.get(), "c", ["sh", "-c", "stdin"], {"stdin": True, "tty": True}, shown.ticket)
    world.run(10)
    shown.ticket.on_data(0, b"hX\x7fi\r\x04")
    world.run(10)
    assert shown.data(1) == b"hX\b \bi\r\nHI\r\n" and shown.finish is not None
    world.pod("w", {"image": "box:9"})
    world.run(1000)
    with pytest.raises(Status) as error:
        world.nodes.execute(world.get("w"), "c", ["sh"], {}, Stub().ticket)
    assert (error.value.reason, error.value.message) == ("", 'container not found ("c")')
    with pytest.raises(Status) as error:
        world.nodes.attach(world.get("w"), "c", {}, Stub().ticket)
    assert error.value.message == "container c not found in pod w_default"


def test_attach(world):
    world.pod("p", sh("stdin; exit 3", stdin=True, stdinOnce=True), restartPolicy="Never")
    world.run(1000)
    stub = Stub()
    world.nodes.attach(world.get(), "c", {"stdin": True, "stdout": True}, stub.ticket)
    stub.ticket.on_data(0, b"hi\n")
    world.run(20)
    stub.ticket.on_end(0)
    world.run(1000)
    assert stub.data(1) == b"HI\n"
    assert stub.finish is not None
    assert world.status()["state"]["terminated"]["exitCode"] == 3


def test_termination_messages(world):
    world.pod("p", sh("write /dev/termination-log mine; exit 1"), restartPolicy="Never")
    world.pod(
        "q", sh("echo last words; exit 1", terminationMessagePolicy="FallbackToLogsOnError"), restartPolicy="Never"
    )
    world.run(2000)
    assert world.status("p")["state"]["terminated"]["message"] == "mine"
    assert world.status("q")["state"]["terminated"]["message"] == "last words\n"
