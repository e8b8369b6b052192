"""The control surface `/kit/v1`: what a simulated cluster can do and Kubernetes' API has no word for.

It is on the API's port with the API's credentials, for `system:masters` only (the administrator's token, or a client certificate with
that organisation), and absent from discovery. Errors are Status objects. All times are integers of milliseconds.

    GET    /kit/v1/version             {"provider": "embedded", "version", "kubernetes"}
    GET    /kit/v1/clock               {"mode", "speed", "now_ms", "epoch_ms", "quiet"}
    POST   /kit/v1/clock               {"advance_ms": N} | {"run_until_ms": N} | {"run": N} | {"speed": X}   -> the clock, when done
    GET    /kit/v1/trace?since=N       {"events": [{"seq", "ms", "actor", "verb", "what", "detail"}], "next"}   seq >= N
    POST   /kit/v1/reset               {"namespaces": [...]}   -> {"namespaces"}, when they are gone; every lease is undone
    POST   /kit/v1/outside             {"method", "url", "headers", "body", "from", "timeout_ms"}
                                       -> {"status", "headers", "body", "error", "said", "took_ms", "hops"}; error is "", "refused",
                                       "timeout", "no route", "NXDOMAIN" ..., said the same in Go's words
    POST   /kit/v1/leases              {"id", "within_ms", "undo": [{"method", "path", "body"?, "headers"?, "query"?}]}
    DELETE /kit/v1/leases?id=X[&undo=false]   ends a lease and undoes what it stands for; without an id, all of them
    GET    /kit/v1/status              {"pid", "ports", "open"}: what `labkit status` shows
    POST   /kit/v1/stop                ends the process in order
    GET    /kit/v1/faults              {"faults": [{"fault", "target"}], "known": [...]}: what is broken on purpose, how things can break
    POST   /kit/v1/faults              {"fault": "node-off", "target": NODE}   a node without power; 400 says what there is
    DELETE /kit/v1/faults?fault=F&target=T    mends it; without parameters, everything
    /kit/v1/checkpoints   501
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

from kit.embedded.core.faults import UnknownFault
from kit.embedded.core.store import Key
from kit.embedded.core.turns import Begin, Response
from kit.errors import Status
from kit.kube.jsonsyntax import too_deep
from kit.runtime.clocks import Realtime, Settled
from kit.runtime.driver import Driver, Machine
from kit.runtime.http import Exchange, json_response

PREFIX = "/kit/v1"
MAX_DEPTH = 100
_MASTERS = "system:masters"
_log = logging.getLogger("kit.runtime")
_GONE_WITHIN_MS = 60_000
_LATER = {
    "checkpoints": "checkpoints are not built yet: this version of the kit can't go back to a stored state",
}


class Controlled(Machine, Protocol):
    """What the control surface asks of the machine, between two turns."""

    trace: Any
    store: Any
    faults: Any

    def outside(self, id: int, spec: Mapping[str, Any]) -> None:
        """Open a ticket that one HTTP request from outside the cluster answers."""
        ...

    def reset(self, namespaces: list[str]) -> None:
        """Undo all leases and delete namespaces without grace."""
        ...

    def lease(self, id: str, within_ms: int, undo: list[Mapping[str, Any]]) -> None:
        """Note how to undo a disturbance."""
        ...

    def release(self, id: str, *, undo: bool) -> bool:
        """End a lease."""
        ...

    def break_(self, fault: str, target: str) -> bool:
        """Break a part of the cluster on purpose. UnknownFault."""
        ...

    def mend(self, fault: str, target: str) -> bool:
        """Mend it."""
        ...


class Control:
    """Answers /kit/v1. `about` is what `version` and `status` say beside the machine's own state."""

    def __init__(
        self, machine: Controlled, driver: Driver, token: str, about: dict[str, Any], stop: Callable[[], None]
    ) -> None:
        self._machine = machine
        self._driver = driver
        self._token = token.encode()
        self._about = about
        self._stop = stop
        self._tasks: set[asyncio.Task[None]] = set()
        self._routes: dict[tuple[str, str], Callable[[dict[str, str], Any], Awaitable[Any]]] = {
            ("GET", "version"): self._version,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._set_clock,
            ("GET", "trace"): self._trace,
            ("POST", "reset"): self._reset,
            ("POST", "outside"): self._outside,
            ("POST", "leases"): self._take_lease,
            ("DELETE", "leases"): self._end_lease,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._break,
            ("DELETE", "faults"): self._mend,
            ("GET", "status"): self._status,
            ("POST", "stop"): self._end,
        }

    def serve(self, exchange: Exchange) -> None:
        """Answer one request, or refuse it: Status 401, 403, 404, 405, 501."""
        self._authorise(exchange)
        name = exchange.path.removeprefix(PREFIX).strip("/")
        if name.split("/")[0] in _LATER:
            raise Status("NotImplemented", _LATER[name.split("/")[0]])
        route = self._routes.get((exchange.method, name))
        if route is None:
            known = {path for _, path in self._routes}
            raise (
                Status("MethodNotAllowed", f"{exchange.method} is not supported on {name}")
                if name in known
                else Status("NotFound", "the server could not find the requested resource")
            )
        task = asyncio.get_running_loop().create_task(self._answer(exchange, route))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _authorise(self, exchange: Exchange) -> None:
        identity = exchange.identity
        if identity is not None and _MASTERS in identity.groups:
            return
        given = exchange.headers.get("authorization", "")
        if not given.startswith("Bearer ") or not hmac.compare_digest(given[7:].strip().encode(), self._token):
            reason = "Forbidden" if given else "Unauthorized"
            raise Status(reason, "the control surface is for the cluster's administrator" if given else "Unauthorized")

    async def _answer(self, exchange: Exchange, route: Callable[[dict[str, str], Any], Awaitable[Any]]) -> None:
        try:
            if deep := too_deep(bytes(exchange.body), MAX_DEPTH):
                raise ValueError(deep)
            body = json.loads(exchange.body) if exchange.body else {}
            if not isinstance(body, dict):
                raise TypeError("the body is not an object")
            result = await route(dict(parse_qsl(exchange.raw_query)), body)
        except Status as error:
            exchange.refuse(error)
        except (ValueError, TypeError, KeyError) as error:
            exchange.refuse(Status("BadRequest", f"the request is not what {exchange.path} takes: {error}"))
        except Exception as error:  # noqa: BLE001 - one request fails, the control surface goes on
            _log.exception("a request to the control surface failed")
            exchange.refuse(Status("InternalError", f"{type(error).__name__}: {error}"))
        else:
            exchange.answer(json_response(200, result))

    # --- what it is ---

    async def _version(self, query: dict[str, str], body: Any) -> Any:
        return {"provider": "embedded", "version": self._about["version"], "kubernetes": self._about["kubernetes"]}

    async def _status(self, query: dict[str, str], body: Any) -> Any:
        return {"pid": os.getpid(), "ports": self._about["ports"], "open": self._driver.open_tickets}

    async def _end(self, query: dict[str, str], body: Any) -> Any:
        asyncio.get_running_loop().call_later(0.05, self._stop)
        return {"stopping": True}

    # --- time ---

    async def _clock(self, query: dict[str, str], body: Any) -> Any:
        clock = self._driver.clock
        return {
            "mode": clock.mode,
            "speed": clock.speed,
            "now_ms": self._machine.now,
            "epoch_ms": self._machine.epoch,
            "quiet": self._driver.quiet(),
        }

    async def _set_clock(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        orders = {"advance_ms": self._advance, "run_until_ms": self._run_until, "run": self._run, "speed": self._speed}
        if len(body) != 1 or (order := orders.get(next(iter(body)))) is None:
            raise ValueError(f"one of {', '.join(orders)} is wanted")
        await order(next(iter(body.values())))
        return await self._clock({}, {})

    async def _advance(self, ms: int) -> None:
        """Jump in whole seconds (times have no fractions), then go the rest of the way as time passes."""
        ms = _natural(ms)
        target = self._machine.now + ms
        whole = ms - ms % 1000 if isinstance(self._driver.clock, Realtime) else ms
        if whole:
            self._driver.jump(whole)
        await self._reached(target)

    async def _run_until(self, ms: int) -> None:
        if isinstance(self._driver.clock, Settled) and ms > self._machine.now:
            clock, further = self._driver.clock, ms - self._machine.now
            self._driver.do(lambda: clock.jump(further), writes=False)
        await self._reached(_natural(ms))

    async def _run(self, ms: int) -> None:
        """Run to quiet, or `ms` at most."""
        target = self._machine.now + _natural(ms)
        clock = self._driver.clock
        if isinstance(clock, Settled):
            self._driver.do(lambda: clock.run(ms), writes=False)
            await self._driver.until(lambda: clock.idle() or self._machine.now >= target)
        else:
            await self._driver.until(lambda: self._driver.quiet() or self._machine.now >= target)

    async def _speed(self, factor: float) -> None:
        clock = self._driver.clock
        if not isinstance(clock, Realtime):
            raise Status("BadRequest", f"a {clock.mode} cluster has no speed: only writes and run-until move its time")
        if not 0 <= float(factor) <= 1000:
            raise ValueError("a speed between 0 and 1000 is wanted")
        clock.speed = float(factor)
        self._driver.do(lambda: None, writes=False)

    async def _reached(self, ms: int) -> None:
        await self._driver.until(lambda: self._machine.now >= ms and self._driver.level())

    # --- what happened, and what is to be undone ---

    async def _trace(self, query: dict[str, str], body: Any) -> Any:
        since = max(1, int(query.get("since") or 0))
        steps = self._machine.trace.since(since - 1)
        return {
            "events": [step._asdict() for step in steps],
            "next": steps[-1].seq + 1 if steps else max(since, self._machine.trace.seq + 1),
        }

    async def _reset(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        names = [str(name) for name in body.get("namespaces") or []]
        self._driver.do(lambda: self._machine.reset(names))
        limit = self._machine.now + _GONE_WITHIN_MS
        await self._driver.until(lambda: not self._remaining(names) or self._machine.now >= limit)
        if left := self._remaining(names):
            raise Status("Timeout", f"still there after a minute of cluster time: {', '.join(left)}")
        return {"namespaces": names}

    def _remaining(self, names: list[str]) -> list[str]:
        return [name for name in names if self._machine.store.get(Key("namespaces", "", name)) is not None]

    async def _take_lease(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        id, within, undo = str(body["id"]), _natural(body["within_ms"]), list(body["undo"])
        self._driver.do(lambda: self._machine.lease(id, within, undo))
        return {"id": id}

    async def _end_lease(self, query: dict[str, str], body: Any) -> Any:
        undo = query.get("undo", "true") != "false"
        if (id := query.get("id")) is None:
            self._driver.do(lambda: self._machine.reset([]))
            return {"released": True}
        return {"released": bool(self._driver.do(lambda: self._machine.release(id, undo=undo)))}

    async def _faults(self, query: dict[str, str], body: Any) -> Any:
        found = [{"fault": fault, "target": target} for fault, target in self._machine.faults.lasting]
        return {"faults": found, "known": self._machine.faults.names}

    async def _break(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        fault, target = str(body["fault"]), str(body["target"])
        try:
            begun = self._driver.do(lambda: self._machine.break_(fault, target))
        except UnknownFault as error:
            raise Status("BadRequest", str(error)) from None
        return {"fault": fault, "target": target, "begun": bool(begun)}

    async def _mend(self, query: dict[str, str], body: Any) -> Any:
        wanted = [(query["fault"], query["target"])] if query else self._machine.faults.lasting
        mended = [self._driver.do(lambda one=one: self._machine.mend(*one)) for one in wanted]  # type: ignore[misc]
        return {"mended": sum(map(bool, mended))}

    async def _outside(self, query: dict[str, str], body: dict[str, Any]) -> Any:
        wanted: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        id = self._driver.ticket(_Once(wanted))
        self._driver.do(lambda: self._machine.outside(id, body))
        return await wanted


class _Once:
    """A sink for one JSON answer."""

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self._future = future

    def answer(self, response: Response) -> None:
        value = json.loads(response.body)
        if self._future.done():
            return
        if response.status >= 400:
            self._future.set_exception(Status(value.get("reason", ""), value.get("message", ""), code=response.status))
        else:
            self._future.set_result(value)

    def begin(self, begin: Begin) -> None:
        """Nothing is streamed."""

    def chunk(self, channel: int, data: bytes) -> None:
        """Nothing is streamed."""

    def finish(self, channel: int | None, status: Mapping[str, Any] | None, error: str) -> None:
        if not self._future.done():
            self._future.set_exception(Status("InternalError", error or "the request ended without an answer"))


def _natural(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a number of milliseconds")
    return value
