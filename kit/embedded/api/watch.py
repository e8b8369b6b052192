"""Watches: from a revision or from the present state on, each event encoded once for all who see it in the same form.

Models k8s.io/apiserver/pkg/endpoints/handlers/watch.go and pkg/storage/cacher.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

from kit.embedded.api import forms, negotiation, reading, selecting
from kit.embedded.api.answers import written
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.conversion import listed
from kit.embedded.api.negotiation import PACKED, PARTIAL, PARTIAL_LIST, PROTOBUF, TABLE, Accepted
from kit.embedded.api.remembering import remembering
from kit.embedded.core.exposition import Labels
from kit.embedded.core.queue import Entry
from kit.embedded.core.store import Event, Obj, Record
from kit.embedded.core.turns import Ticket
from kit.embedded.core.waiting import Memo, Waiting
from kit.errors import Status
from kit.kube import protowriting, status
from kit.kube.gojson import encode

BOOKMARK_MS = 60_000
INITIAL_END = "k8s.io/initial-events-end"


class TooOld(Status):
    """The events a watch asks for are no longer kept: its one event is this ERROR."""


class Watch:
    """One open watch."""

    def __init__(self, at: Attributes, form: Accepted, ticket: Ticket) -> None:
        self.at = at
        self.form = form
        self.ticket = ticket
        self.matches = selecting.matcher(at)
        labels, fields = at.query.get("labelSelector", ""), at.query.get("fieldSelector", "")
        self.selection: tuple[str, ...] = (at.resource.group_resource, at.namespace, at.name, labels, fields)
        self.unwritable = form.kind == PARTIAL_LIST  # no event is a list: the first ends the stream
        self.headed = form.kind != TABLE  # a Table's columns are sent with the first event only
        self.since = 0
        self.sent = 0
        self.entries: list[Entry] = []
        self.waiting: deque[tuple[str, Record]] = (
            deque()
        )  # events that a webhook has yet to convert, and those behind them

    def sees(self, event: Event) -> str:
        """Return ADDED, MODIFIED, DELETED as this watch sees an event, "" when it does not."""
        if event.revision <= self.since:  # it asked for what comes after a revision of the future
            return ""
        if self.at.namespace and event.key.namespace != self.at.namespace:
            return ""
        before = event.old is not None and self.matches(event.old.obj)
        after = event.type != "DELETED" and self.matches(event.record.obj)
        if after:
            return "MODIFIED" if before else "ADDED"
        return "DELETED" if before else ""


class Watchers:
    """All open watches, by resource; a listener of the store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._open: dict[str, dict[int, Watch]] = {}
        context.store.listeners.append(self._notify)

    def start(self, at: Attributes, form: Accepted, ticket: Ticket) -> None:
        """Begin a watch: what is asked for of the past at once, the rest as it happens."""
        watch = Watch(at, form, ticket)
        reading.check_options(at.query, watch=True)
        negotiation.check_stream(form)
        try:
            past, over = list(self._past(watch)), False
        except TooOld as error:
            past, over = [_event(form, "ERROR", encode(error.body()).encode())], True
        if (watch.unwritable and past) or reading.integer(at.query.get("timeoutSeconds", "")) < 0:
            past, over = [], True
        ticket.begin(200, (("Cache-Control", "no-cache, private"), ("Content-Type", form.stream)))
        for line in past:
            ticket.send(line)
        watch.sent = len(past)
        if over:
            ticket.finish()
        if not ticket.open:
            self._count(watch)
            return
        self._open.setdefault(at.key.resource, {})[ticket.id] = watch
        ticket.on_close = lambda: self._close(watch)
        self._clock(watch)

    def _past(self, watch: Watch) -> Iterator[bytes]:
        """Yield what a watch is sent first; an expired revision is an ERROR event, after which the watch goes on nowhere."""
        query = watch.at.query
        text = query.get("resourceVersion", "")
        try:
            since = reading.version(text)
        except ValueError as error:
            raise status.plain_error(f'resourceVersion: Invalid value: "{text}": {error}') from None
        initial = query.get("sendInitialEvents") in {"true", "1"}
        if since > self._context.store.revision:
            if initial:
                raise status.too_large_version(since, self._context.store.revision)
            watch.since = since
            watch.selection += (text,)
            return
        if initial or since == 0:
            yield from self._present(watch)
            if initial and _bookmarks(watch):
                yield self._bookmark(watch, {INITIAL_END: "true"})
            return
        try:
            events = list(self._context.store.since(watch.at.key.resource, since))
        except Status as error:
            raise TooOld(error.reason, error.message) from None
        for event in events:
            kind = watch.sees(event)
            if kind:
                yield self._line(watch, kind, _record(event, kind))

    def _present(self, watch: Watch) -> Iterator[bytes]:
        items = self._context.store.items(watch.at.key.resource, watch.at.namespace or None)
        found = [record for _, record in items if watch.matches(record.obj)]
        for record in listed(watch.at.resource, found):
            yield self._line(watch, "ADDED", record)

    def _notify(self, event: Event) -> None:
        watches = self._open.get(event.key.resource)
        if not watches:
            return
        shared: dict[tuple[str, Accepted, str, str, bool], bytes] = {}
        seen: dict[tuple[str, ...], str] = {}  # watches of one selection see the same
        for watch in list(watches.values()):
            kind = seen.get(watch.selection)
            if kind is None:
                kind = seen[watch.selection] = watch.sees(event)
            if not kind:
                continue
            if watch.unwritable:
                self._end(watch)
                continue
            custom = watch.at.resource.custom
            if custom is not None and custom.convert is not None:
                self._queue(watch, kind, _record(event, kind))
                continue
            form, query = watch.form, watch.at.query
            same = (kind, form, watch.at.resource.api_version, query.get("includeObject", ""), watch.headed)
            line = shared.get(same)
            if line is None:
                line = shared[same] = self._line(watch, kind, _record(event, kind))
            watch.headed = True
            watch.sent += 1
            watch.ticket.send(line)

    def _queue(self, watch: Watch, kind: str, record: Record) -> None:
        """Send an event when the webhook has converted it, and not before those that came earlier."""
        watch.waiting.append((kind, record))
        if len(watch.waiting) == 1:
            self._go_on(watch, Memo())

    def _go_on(self, watch: Watch, memo: Memo) -> None:
        """Send what waits, as far as it is converted."""
        calls = self._context.calls
        while watch.waiting and watch.ticket.open:
            kind, record = watch.waiting[0]
            try:
                with remembering(self._context, memo):
                    line = self._line(watch, kind, record)
            except Waiting as waiting:
                if calls is not None:
                    calls.ask(waiting.questions, memo, lambda memo=memo: self._go_on(watch, memo))  # type: ignore[misc]
                return
            except Status as error:
                watch.ticket.send(_event(watch.form, "ERROR", encode(error.body()).encode()))
                self._end(watch)
                return
            watch.waiting.popleft()
            watch.headed, memo = True, Memo()
            watch.sent += 1
            watch.ticket.send(line)

    def _line(self, watch: Watch, kind: str, record: Record) -> bytes:
        if watch.form == PACKED:
            return protowriting.event(kind, forms.packed(watch.at.resource, record))
        return b"" if watch.unwritable else _event(watch.form, kind, self._body(watch, record))

    def _body(self, watch: Watch, record: Record) -> bytes:
        form, at = watch.form, watch.at
        record = listed(at.resource, [record])[0]
        if form.kind == TABLE:
            meta = {"resourceVersion": record.obj["metadata"]["resourceVersion"]}
            columns = not watch.headed
            watch.headed = True
            return encode(forms.tabled(self._context, at, form, [record.obj], meta, columns=columns)).encode()
        if form.kind == PARTIAL:
            return encode(forms.partial(record.obj, form.version)).encode()
        return forms.encoded(at.resource, record)

    def _bookmark(self, watch: Watch, annotations: dict[str, str] | None = None) -> bytes:
        """Return a BOOKMARK: an empty object of the kind that carries the present revision."""
        meta: Obj = {"resourceVersion": str(self._context.store.revision)}
        if annotations:
            meta["annotations"] = annotations
        resource, form = watch.at.resource, watch.form
        obj: Obj = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": meta}
        if form.kind == TABLE:
            obj = {
                "kind": TABLE,
                "apiVersion": f"meta.k8s.io/{form.version}",
                "metadata": meta,
                "columnDefinitions": None,
                "rows": None,
            }
        elif form.kind:
            obj = {"kind": PARTIAL, "apiVersion": f"meta.k8s.io/{form.version}", "metadata": meta}
        return _event(form, "BOOKMARK", encode(obj).encode())

    def _clock(self, watch: Watch) -> None:
        """Let a watch end and send bookmarks when their time comes."""
        queue, now = self._context.queue, self._context.clock.now
        text = watch.at.query.get("timeoutSeconds", "")
        if text:
            ends = now + max(0, reading.integer(text)) * 1000
            watch.entries.append(queue.put(ends, lambda: self._end(watch), housekeeping=True))
        if _bookmarks(watch):
            self._remind(watch)

    def _remind(self, watch: Watch) -> None:
        def send() -> None:
            watch.sent += 1
            watch.ticket.send(self._bookmark(watch))
            self._remind(watch)

        due = self._context.clock.now + BOOKMARK_MS
        watch.entries = [entry for entry in watch.entries if entry.run is not None]
        watch.entries.append(self._context.queue.put(due, send, housekeeping=True))

    def retire(self) -> None:
        """End the watches of kinds that are no longer served (their definition is gone), with a last bookmark."""
        registry = self._context.registry
        for watches in list(self._open.values()):
            for watch in list(watches.values()):
                resource = watch.at.resource
                if registry.by_path(resource.group, resource.version, resource.plural) is None:
                    if _bookmarks(watch):
                        watch.sent += 1
                        watch.ticket.send(self._bookmark(watch))
                    self._end(watch)

    def _end(self, watch: Watch) -> None:
        self._close(watch)
        watch.ticket.finish()

    def _close(self, watch: Watch) -> None:
        for entry in watch.entries:
            self._context.queue.cancel(entry)
        if self._open.get(watch.at.key.resource, {}).pop(watch.ticket.id, None) is not None:
            self._count(watch)

    def _count(self, watch: Watch) -> None:
        self._context.counts.events[_counted(watch)] += watch.sent

    def sent(self) -> Counter[Labels]:
        """Return how many events the open watches have been sent, by group, version and resource."""
        out: Counter[Labels] = Counter()
        for watch in (watch for watches in self._open.values() for watch in watches.values()):
            out[_counted(watch)] += watch.sent
        return out


def _event(form: Accepted, kind: str, obj: bytes) -> bytes:
    """Return an event as it is sent: a line of JSON, or a frame of protobuf."""
    if form.media == PROTOBUF:
        return protowriting.event(kind, written(obj, PROTOBUF))
    return b"".join((b'{"type":"', kind.encode(), b'","object":', obj, b"}\n"))


def _record(event: Event, kind: str) -> Record:
    """Return what an event shows: an object that left the selection is shown as it was, at the new revision."""
    if kind != "DELETED" or event.type == "DELETED" or event.old is None:
        return event.record
    old = event.old.obj
    meta = {**old["metadata"], "resourceVersion": event.record.obj["metadata"]["resourceVersion"]}
    return Record({**old, "metadata": meta}, event.revision)


def _counted(watch: Watch) -> Labels:
    resource = watch.at.resource
    return resource.group, resource.version, resource.plural


def _bookmarks(watch: Watch) -> bool:
    return watch.at.query.get("allowWatchBookmarks") in {"true", "1"}
