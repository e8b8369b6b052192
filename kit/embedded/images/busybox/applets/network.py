"""Applets on connections and interfaces: nc, telnet, ping, traceroute, ip, ifconfig, netstat, route, arp (refused)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.program import (
    Accept,
    Close,
    Connect,
    Errno,
    Listen,
    Local,
    Now,
    Ping,
    Poll,
    Read,
    Resolve,
    Shutdown,
    Sleep,
    Spawn,
    Wait,
    Write,
)
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.applets.identity import find_program
from kit.embedded.images.busybox.applets.processes import duration_ms
from kit.embedded.images.busybox.applets.usages import IP, NC, PING
from kit.embedded.images.busybox.words import natural

Work = Generator[Any, Any, Any]


def _resolve(host: str) -> Generator[Any, Any, str]:
    try:
        found = yield Resolve(host)
        address: str = found[0]
    except (Errno, IndexError):
        raise Fail(f"bad address '{host}'") from None
    return address


def _port(text: str) -> int:
    port = natural(text)
    if port is None or port > 65535:
        raise Fail(f"bad port '{text}'")
    return port


def _connected(host: str, port: int, timeout_ms: int | None) -> Generator[Any, Any, int]:
    address = yield from _resolve(host)
    try:
        fd: int = yield Connect(address, port, timeout_ms)
    except Errno as error:
        if error.name == "ETIMEDOUT" and timeout_ms is not None:
            raise Fail("timed out") from None
        raise Fail(f"can't connect to remote host ({address}): {error}") from None
    return fd


def nc(command: Command) -> Steps:
    """Connect standard input and output with a connection."""
    if "-e" in command.args:  # what follows is the program with its arguments
        at = command.args.index("-e")
        command.args, command.options["run"] = command.args[:at], command.args[at + 1 :]
    words = command.parse("i:w:lp:f:e:N")
    if command.has("f"):
        raise Fail("-f is not simulated")
    wait_ms = int(natural(str(command.options["w"])) or 0) * 1000 if command.has("w") else None
    if command.has("l"):
        return (yield from _serve(command, words))
    if len(words) != 2:
        raise Usage
    fd = yield from _connected(words[0], _port(words[1]), wait_ms)
    if command.has("run"):
        return (yield from _attach(command, fd))
    yield from _pump(fd, wait_ms, half_close=command.has("N"))
    return 0


def _serve(command: Command, words: list[str]) -> Steps:
    """Listen; with -ll for one connection after the other."""
    port = _port(str(command.options.get("p", words[-1] if words else "0")))
    try:
        listener = yield Listen(port)
    except Errno as error:
        raise Fail(f"bind: {error}") from None
    persistent = command.options.get("l", 1) > 1
    while True:
        fd = yield Accept(listener)
        if command.has("run"):
            yield from _attach(command, fd)
        else:
            if not persistent:
                yield Close(listener)
            yield from _pump(fd, None, half_close=True)
        yield Close(fd)
        if not persistent:
            return 0


def _attach(command: Command, fd: int) -> Steps:
    """Run the program of -e on a connection."""
    words: list[str] = command.options["run"]
    if not words:
        raise Usage
    try:
        pid = yield Spawn(
            find_program(command, words[0]), tuple(words), dict(command.ctx.env), command.ctx.cwd, {0: fd, 1: fd, 2: 2}
        )
    except Errno as error:
        raise Fail(f"can't execute '{words[0]}': {error}", 127) from None
    return int((yield Wait(pid))[1])


def _pump(fd: int, wait_ms: int | None, *, half_close: bool) -> Work:
    """Copy both ways until the other end closes (or says nothing for the time of -w)."""
    sources = [0, fd]
    while True:
        ready = yield Poll(tuple(sources), wait_ms if 0 not in sources else None)
        if not ready:
            return
        for source in ready:
            try:
                chunk: bytes = yield Read(source)
            except Errno:
                chunk = b""
            if source == fd:
                if not chunk:
                    return
                yield Write(1, chunk)
            elif chunk:
                yield Write(fd, chunk)
            else:
                sources.remove(0)
                if half_close:
                    yield Shutdown(fd)


def telnet(command: Command) -> Steps:
    """Talk to a port."""
    words = command.parse("al:")
    if not 1 <= len(words) <= 2:
        raise Usage
    fd = yield from _connected(words[0], _port(words[1]) if len(words) > 1 else 23, None)
    command.out(
        f"Connected to {words[0]}\n\nEntering character mode\nEscape character is '^]'.\n\n" if command.ctx.tty else ""
    )
    yield from command.flush()
    yield from _pump(fd, None, half_close=False)
    yield Write(2, b"Connection closed by foreign host\n")
    return 1


def ping(command: Command) -> Steps:
    """Send echo requests."""
    words = command.parse("46c:s:i:At:I:W:w:qp:")
    if len(words) != 1:
        raise Usage
    count = natural(str(command.options.get("c", 0)))
    size = natural(str(command.options.get("s", 56)))
    if count is None or size is None:
        raise Fail(f"invalid number '{command.options.get('c', command.options.get('s'))}'")
    interval = duration_ms(str(command.options.get("i", "1")))
    wait_ms = duration_ms(str(command.options.get("W", "10")))
    address = yield from _resolve(words[0])
    command.out(f"PING {words[0]} ({address}): {size} data bytes\n")
    yield from command.flush()
    if not command.ctx.may("NET_RAW"):
        raise Fail("permission denied (are you root?)")
    deadline = (yield Now()) + duration_ms(str(command.options["w"])) if command.has("w") else None
    sent, times = 0, []
    while (not count or sent < count) and (deadline is None or (yield Now()) < deadline):
        last = count and sent == count - 1
        took = yield Ping(address, wait_ms if last else min(interval, wait_ms))
        if took is not None:
            times.append(float(took))
            if not command.has("q"):
                command.out(f"{size + 8} bytes from {address}: seq={sent} ttl=64 time={took:.3f} ms\n")
        sent += 1
        yield from command.flush()
        if not last and took is not None:
            yield Sleep(max(0, interval - int(took)))
    lost = 100 - 100 * len(times) // max(1, sent)
    command.out(
        f"\n--- {words[0]} ping statistics ---\n{sent} packets transmitted, {len(times)} packets received, {lost}% packet loss\n"
    )
    if times:
        command.out(f"round-trip min/avg/max = {min(times):.3f}/{sum(times) / len(times):.3f}/{max(times):.3f} ms\n")
    return int(not times)


def traceroute(command: Command) -> Steps:
    """Show the way to a host: here one hop, as the node's bridge answers for all."""
    words = command.parse("46FIlnrvf:m:q:p:s:t:w:i:z:")
    if not words:
        raise Usage
    address = yield from _resolve(words[0])
    command.out(f"traceroute to {words[0]} ({address}), 30 hops max, 46 byte packets\n")
    took = yield Ping(address, 5000)
    if took is None:
        command.out("".join(f"{hop:2d}  *  *  *\n" for hop in range(1, 31)))
    else:
        command.out(f" 1  {words[0]} ({address})" + f"  {took:.3f} ms" * 3 + "\n")
    return 0


# --- interfaces ---

LOOPBACK = """1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host 
       valid_lft forever preferred_lft forever
"""  # noqa: W291 - busybox prints the blank
IFCONFIG_LO = """lo        Link encap:Local Loopback  
          inet addr:127.0.0.1  Mask:255.0.0.0
          inet6 addr: ::1/128 Scope:Host
          UP LOOPBACK RUNNING  MTU:65536  Metric:1
          RX packets:8 errors:0 dropped:0 overruns:0 frame:0
          TX packets:8 errors:0 dropped:0 overruns:0 carrier:0
          collisions:0 txqueuelen:1000 
          RX bytes:468 (468.0 B)  TX bytes:468 (468.0 B)

"""  # noqa: W291


def hardware(address: str) -> str:
    """Return a link address made of an IPv4 address."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def _network(address: str) -> tuple[str, str, str]:
    """Return (gateway, network, broadcast) of a Pod's address."""
    head = address.rsplit(".", 1)[0]
    return f"{head}.1", f"{head}.0", f"{head}.255"


def ip(command: Command) -> Steps:
    """Show addresses, links and routes; changing them is refused."""
    words = [word for word in command.args if word not in ("-4", "-o", "-f", "inet")]
    what = words[0] if words else ""
    kind = next((name for name in ("address", "route", "link", "neigh", "rule") if what and name.startswith(what)), "")
    if not kind:
        raise Usage
    if len(words) > 1 and words[1] not in ("show", "list", "ls", "dev"):
        if words[1] in ("add", "del", "set", "flush", "change", "replace"):
            raise Fail("RTNETLINK answers: Operation not permitted", 2)
        raise Usage
    address = (yield Local(None))[0]
    gateway, network, broadcast = _network(address)
    only = words[-1] if len(words) > 1 and words[-1] in ("lo", "eth0") else ""
    if len(words) > 2 and not only:
        raise Fail(f"can't find device '{words[-1]}'")
    if kind == "route":
        command.out(f"default via {gateway} dev eth0 \n{network}/24 via {gateway} dev eth0  src {address} \n")
        command.out(f"{gateway} dev eth0 scope link  src {address} \n")
    elif kind in ("address", "link"):
        eth = (
            f"2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue qlen 1000\n"
            f"    link/ether {hardware(address)} brd ff:ff:ff:ff:ff:ff\n"
            f"    inet {address}/24 brd {broadcast} scope global eth0\n       valid_lft forever preferred_lft forever\n"
        )
        shown = ("" if only == "eth0" else LOOPBACK) + ("" if only == "lo" else eth)
        if kind == "link":
            shown = "".join(
                line for line in shown.splitlines(keepends=True) if "inet" not in line and "valid_lft" not in line
            )
        command.out(shown)
    elif kind == "neigh":
        command.out(f"{gateway} dev eth0 lladdr {hardware(gateway)} used 0/0/0 probes 1 REACHABLE\n")
    else:
        command.out("0:\tfrom all lookup local \n32766:\tfrom all lookup main \n32767:\tfrom all lookup default \n")
    return 0


def ifconfig(command: Command) -> Steps:
    """Show interfaces; changing them is refused."""
    words = [word for word in command.args if word != "-a"]
    if len(words) > 1:
        raise Fail("SIOCSIFADDR: Operation not permitted")
    if words and words[0] not in ("lo", "eth0"):
        raise Fail(f"{words[0]}: error fetching interface information: Device not found")
    address = (yield Local(None))[0]
    if not words or words[0] == "eth0":
        command.out(
            f"eth0      Link encap:Ethernet  HWaddr {hardware(address).upper()}  \n"
            f"          inet addr:{address}  Bcast:{_network(address)[2]}  Mask:255.255.255.0\n"
            "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n"
            "          RX packets:0 errors:0 dropped:0 overruns:0 frame:0\n"
            "          TX packets:0 errors:0 dropped:0 overruns:0 carrier:0\n"
            "          collisions:0 txqueuelen:1000 \n          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n\n"
        )
    if not words or words[0] == "lo":
        command.out(IFCONFIG_LO)
    return 0


def route(command: Command) -> Steps:
    """Show the routing table."""
    address = (yield Local(None))[0]
    gateway, network, _ = _network(address)
    command.out(
        "Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n"
    )
    rows = (("0.0.0.0" if "-n" in command.args else "default", gateway, "0.0.0.0", "UG"), (network, gateway, "255.255.255.0", "UG"),
            (gateway, "0.0.0.0", "255.255.255.255", "UH"))  # fmt: skip
    for destination, via, mask, flags in rows:
        command.out(f"{destination:<15} {via:<15} {mask:<15} {flags:<5} 0      0        0 eth0\n")
    return 0


def refused(command: Command) -> Steps:
    """Say that this applet is not simulated."""
    command.parse("")
    raise Fail("not simulated")
    yield


APPLETS: dict[str, Any] = table((
    ("nc", nc, NC),
    ("telnet", telnet, "telnet [-a] [-l USER] HOST [PORT]"),
    ("ping", ping, PING),
    ("traceroute", traceroute, "traceroute [-46FIlnrv] [-f 1ST_TTL] [-m MAXTTL] [-q PROBES] [-p PORT] HOST [BYTES]"),
    ("ip", ip, IP),
    ("ifconfig", ifconfig, "ifconfig [-a] [IFACE] [ADDRESS]"),
    ("route", route, "route [-ne]"),
    ("netstat", refused, "netstat"),
    ("arp", refused, "arp"),
    ("vi", refused, "vi [-c CMD] [-R] [-H] [FILE]..."),
))  # fmt: skip
