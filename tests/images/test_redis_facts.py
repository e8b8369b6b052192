"""The recorded answers of redis and redis-cli, played in order on the real runtime."""

from __future__ import annotations

import re

import pytest
import wirebox as wire

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import Dir, Mount
from kit.embedded.images import registry

# What was sent between the recorded cases, as the later answers tell; only its effect counts.
BETWEEN = {8: ["INCR n", "INCRBY n 5"], 11: ["SET k v1", "APPEND k xx"], 16: ["DEL k"], 19: ["MSET a 1 b 2"], 34: ["SET f 1"],
           45: ["RPUSH l two three"], 56: ["HSET h f v g w"]}  # fmt: skip
# Not simulated: scripts, streams, HyperLogLog, geography; and a list of slow commands, which depends on the machine.
REFUSED = ("EVAL", "XADD", "PFADD", "GEOADD")
MACHINE = "redis-resp-161-slowlog-len"


@pytest.fixture
def server():
    box = wire.Box(wire.Net(), registry().resolve("redis:8"), hostname="redis")
    box.tree.write("/etc/hosts", b"127.0.0.1\tlocalhost\n10.244.1.2\tredis\n")
    return box


def escaped(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def request(case) -> bytes:
    if "argv" in case:
        parts = [arg.encode() for arg in case["argv"]]
        return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), case["send"].encode())


def normal(text: str) -> str:
    text = re.sub(r"(master_replid2?:)[0-9a-f]{40}", r"\1<id>", text)
    return re.sub(r"(\$2\r\nid\r\n:)\d+", r"\1<clientid>", text)


def test_replies(facts, server):
    server.send(6379, b"FLUSHALL\r\nSET n 10\r\n")
    wrong, count, refused = [], 0, 0
    for case in facts("redis.jsonl"):
        if "reply" not in case["expect"]:
            continue
        reply, closed = server.send(6379, request(case))
        count += 1
        if case.get("argv", [""])[0] in REFUSED:
            refused += 1
            assert b"is not simulated by the embedded cluster" in reply
            continue
        if case["id"] == MACHINE:
            refused += 1
            assert reply == b":0\r\n"
            continue
        if (normal(escaped(reply)), bool(closed)) != (case["expect"]["reply"], bool(case["expect"].get("closed"))):
            wrong.append((case["id"], normal(escaped(reply)), closed, case["expect"]))
        for line in BETWEEN.get(case["order"], ()):
            server.send(6379, f"{line}\r\n".encode())
    print(f"redis replies: {count - refused - len(wrong)}/{count}")
    assert wrong == []


def test_cli(facts):
    """The lines of redis-cli, in order, in one container. `redis -h redis` goes by the hosts file; redis' own pids are left out."""
    box = wire.Box(wire.Net(), registry().resolve("redis:8"), hostname="redis")
    box.tree.write("/etc/hosts", b"127.0.0.1\tlocalhost\n10.244.1.2\tredis\n")
    box.tree.write("/etc/resolv.conf", b"nameserver 10.96.0.10\n")
    box.send(6379, b"CONFIG SET requirepass pw\r\n")
    wrong, count = [], 0
    for case in facts("redis.jsonl"):
        if "command" not in case:
            continue
        if case["id"] == "redis-cli-ping":
            box.send(6379, b'AUTH pw\r\nCONFIG SET requirepass ""\r\nFLUSHALL\r\nSET a 1\r\nSET k v\r\n')
        found = box.exec("sh", "-c", case["command"], ms=70_000)
        expect = case["expect"]
        count += 1
        if shown(found[0]) != shown(expect["stdout"]) or (found[1], found[2]) != (expect["stderr"], expect["code"]):
            wrong.append((case["id"], found, expect))
        if case["id"] == "redis-cli-service":
            box.send(6379, b"DEL l\r\nRPUSH l a b c\r\n")
    print(f"redis-cli: {count - len(wrong)}/{count}")
    for one in wrong:
        print(one)
    assert wrong == []


def shown(text: str) -> str:
    """Leave out what differs from run to run: pids, times and the order of KEYS (a hash table's)."""
    if re.fullmatch(r'(\d\) "\w"\n)+', text):
        return "".join(sorted(re.findall(r'"\w"', text)))
    return re.sub(r"\d+:M \d\d \w+ \d{4} [\d:.]+ ", "<pid>:M <time> ", text)


def test_data_outlives_the_container_by_snapshot_or_log():
    """With nothing said the data is saved on SIGTERM; killed, only what the append-only log has is there again."""
    image = registry().resolve("redis:8")
    for argv, signal, survives in (
        ([], 15, b"$1\r\n1\r\n"),
        ([], 9, b"$-1\r\n"),
        (["--appendonly", "yes"], 9, b"$1\r\n1\r\n"),
    ):
        volume = Dir(owner=object())
        for turn in range(2):
            tree = Tree(image.root)
            tree.mount(Mount("/data", volume))
            box = wire.Box(wire.Net(), image, argv=["redis-server", *argv], tree=tree)
            if turn == 0:
                box.send(6379, b"SET a 1\r\nRPUSH l x y\r\nSET e 1 EX 100\r\n")
                box.signal(signal)
                assert box.exits == [0 if signal == 15 else 137]
        assert box.send(6379, b"GET a\r\n")[0] == survives
        if survives != b"$-1\r\n":
            assert box.send(6379, b"LRANGE l 0 -1\r\nTTL e\r\n")[0] == b"*2\r\n$1\r\nx\r\n$1\r\ny\r\n:100\r\n"


def test_expiry_runs_on_cluster_time(server):
    server.send(6379, b"SET gone 1 EX 10\r\n")
    server.net.run(9_000)
    assert server.send(6379, b"EXISTS gone\r\n")[0] == b":1\r\n"
    server.net.run(2_000)
    assert server.send(6379, b"EXISTS gone\r\n")[0] == b":0\r\n"


def test_a_message_reaches_a_subscriber(server):
    end = server.connect(6379)
    server.talk(end, b"SUBSCRIBE news\r\n")
    assert server.send(6379, b"PUBLISH news hi\r\n")[0] == b":1\r\n"
    assert server.talk(end, b"")[0] == b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"


def test_watch_aborts_a_transaction(server):
    end = server.connect(6379)
    server.talk(end, b"WATCH w\r\nMULTI\r\nSET w 1\r\n")
    server.send(6379, b"SET w 2\r\n")
    assert server.talk(end, b"EXEC\r\n")[0] == b"*-1\r\n"


def test_a_password_of_the_command_line():
    box = wire.Box(
        wire.Net(),
        registry().resolve("redis:8"),
        argv=[*registry().resolve("redis:8").entrypoint, "--requirepass", "pw"],
    )
    assert box.send(6379, b"GET a\r\n")[0].startswith(b"-NOAUTH")
    assert box.exec("redis-cli", "ping", env={"REDISCLI_AUTH": "pw"})[0] == "PONG\n"
