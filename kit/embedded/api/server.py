"""The API server: HTTP requests in, answers out, and the same verbs for the cluster's own controllers.

`handle` and `apply` are the two doors; everything behind them is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from kit.embedded.api import (
    apiservices,
    auth,
    bodies,
    components,
    counting,
    direct,
    evictions,
    health,
    impersonation,
    metering,
    monitoring,
    negotiation,
    rbac,
    reviews,
    roles,
    roots,
    router,
    services,
    standing,
    subresources,
    verbs,
)
from kit.embedded.api.answers import indented, refusal, text
from kit.embedded.api.attributes import Attributes, User
from kit.embedded.api.context import Context
from kit.embedded.api.definitions import Definitions
from kit.embedded.api.discovery import Discovery
from kit.embedded.api.flow import Flow
from kit.embedded.api.openapi import OpenApi
from kit.embedded.api.recorder import Recorder
from kit.embedded.api.remembering import remembering
from kit.embedded.api.shift import shifter
from kit.embedded.api.watch import Watchers
from kit.embedded.core.allocators import Addresses, Ports
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Controller
from kit.embedded.core.effects import Answer, Effect, Emit
from kit.embedded.core.exposition import Labels
from kit.embedded.core.ids import Ids
from kit.embedded.core.ports import Network, Nodes, Signer
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Obj, Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Request, Response, Ticket
from kit.embedded.core.waiting import Memo, Parked, Waiting
from kit.errors import Status
from kit.kube import patches, status
from kit.kube.kinds import Registry
from kit.kube.metering import RESOURCES
from kit.kube.rbac import Question

DEPRECATED = {
    "endpoints": ("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",),
    "componentstatuses": ("v1 ComponentStatus is deprecated in v1.19+",),
}
# What is kept nowhere: worked out for each request, or done to something else.
COMPUTED = {
    **reviews.REVIEWS,
    "componentstatuses": components.answer,
    "bindings": evictions.bindings,
    **{resource.group_resource: metering.answer for resource in RESOURCES},
}


class Api:
    """The API of one cluster."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        trace: Trace,
        queue: Queue,
        registry: Registry,
        signer: Signer,
        settings: Settings,
    ) -> None:
        self.context = Context(
            store, clock, ids, trace, queue, registry, signer, settings, addresses=Addresses(), ports=Ports()
        )
        self.watchers = Watchers(self.context)
        self.flow = Flow(store)
        self.discovery = Discovery(self.context)
        self.openapi = OpenApi(self.context)
        self.recorder = Recorder(self.context)
        self.definitions = Definitions(self.context)
        self.definitions.changed += [self.discovery.changed, self.openapi.changed, self.watchers.retire]

    @property
    def nodes(self) -> Nodes | None:
        """The nodes: logs, exec, attach."""
        return self.context.nodes

    @nodes.setter
    def nodes(self, nodes: Nodes) -> None:
        self.context.nodes = nodes

    @property
    def network(self) -> Network | None:
        """The fabric: port-forward and proxies."""
        return self.context.network

    @network.setter
    def network(self, network: Network) -> None:
        self.context.network = network

    # --- HTTP ---

    def handle(self, request: Request, ticket: Ticket) -> bool:
        """Answer a request, now or through its ticket later. True when it may change the cluster or runs programs there."""
        return self._attempt(request, ticket, Memo())

    def _attempt(self, request: Request, ticket: Ticket, memo: Memo) -> bool:
        """Answer a request with what its webhooks said so far; ask them what is missing, and come back."""
        before = self.context.store.revision
        try:
            with remembering(self.context, memo):
                response, writes = self._respond(request, ticket)
        except Waiting as waiting:
            self._ask(waiting, memo, lambda: ticket.open and self._attempt(request, ticket, memo))
            return True
        except Status as error:
            response, writes = _refused(request, error), self.context.store.revision != before
        except RecursionError:
            response, writes = refusal(status.bad_request("the body of the request is nested too deeply")), False
        except Exception as error:  # noqa: BLE001 - models the server's panic handler: one request fails, the cluster goes on
            self.context.trace.add(
                self.context.clock.now, "api", "panic", f"{request.method} {request.path}", repr(error)
            )
            response, writes = refusal(status.internal(f"{type(error).__name__}: {error}")), True
        if response is not None:
            ticket.answer(indented(response) if negotiation.pretty(request) else response)
        return writes

    def _ask(self, waiting: Waiting, memo: Memo, then: Callable[[], object]) -> None:
        if self.context.calls is not None:
            self.context.calls.ask(waiting.questions, memo, then)

    def _respond(self, request: Request, ticket: Ticket) -> tuple[Response | None, bool]:
        user = auth.authenticated(self.context, request)
        if not router.resource_path(request.path):
            return self._elsewhere(request, user, ticket), False
        group, found = router.group_version(request.path)
        if found not in self.context.registry.groups().get(group, ()):
            self._authorize_unknown(request, user, ticket)
            elsewhere = apiservices.unavailable(self.context.store, request.path)
            if elsewhere is not None:
                return elsewhere, False
            if group and group not in self.context.registry.groups():
                return text("404 page not found\n", 404), False
            raise status.unknown_path()
        try:
            to = router.route(self.context.registry, request.method, request.path)
        except Status:
            self._authorize_unknown(request, user, ticket)
            raise
        at = self._attributes(request, to, user, ticket)
        at.warnings += [user.warning] if user.warning else []
        before = self.context.store.revision
        try:
            rbac.authorize(self.context, at)
            self._count(ticket, counting.about(at, applied=patches.APPLY in request.headers.get("content-type", "")))
            self._warn(at)
            return self._served(request, to, at, ticket)
        except Status as error:  # a refusal carries the warnings too
            return _refused(request, error, at.warnings), self.context.store.revision != before

    def _served(
        self, request: Request, to: router.Route, at: Attributes, ticket: Ticket
    ) -> tuple[Response | None, bool]:
        """Answer a request about a resource."""
        custom = to.resource.custom is not None
        if at.verb == "watch":
            if "watch" not in to.resource.verbs:
                raise status.unwatchable(to.resource)
            form = negotiation.accepted(request.headers.get("accept", ""), listing=True, custom=custom)
            self.watchers.start(at, form, ticket)
            return None, False
        if to.subresource:
            return subresources.handle(self.context, at, request, ticket, to.rest)
        form = negotiation.accepted(request.headers.get("accept", ""), listing=to.verb == "list", custom=custom)
        computed = COMPUTED.get(to.resource.group_resource)
        if computed is not None:
            before = self.context.store.revision
            return computed(self.context, at, request), self.context.store.revision != before
        return verbs.HANDLERS[to.verb](self.context, at, request, form), to.verb in verbs.WRITES and not at.dry_run

    def _attributes(self, request: Request, to: router.Route, user: User, ticket: Ticket) -> Attributes:
        """Return what a request about a resource wants, as the user it acts as; Forbidden when it may not act as that one."""
        query = dict(reversed(request.query))  # the first of several wins
        watching = to.verb == "list" and query.get("watch", "0").lower() not in {"false", "0"}
        verb = "watch" if watching else to.verb
        about = _question(to, verb)
        acting = impersonation.acting(self.context.store, user, request, about, to.resource.group_resource)
        ticket.headers = self.flow.headers(acting, about)
        manager, dry_run = bodies.manager(request), "dryRun" in query and not _has_options(request)
        at = Attributes(verb, to.resource, to.namespace, to.name, to.subresource, acting, manager, dry_run, query)
        at.dry_runs = tuple(value for key, value in request.query if key == "dryRun")
        return at

    def _warn(self, at: Attributes) -> None:
        """Say of a deprecated API that it is, and note that somebody asks for it."""
        resource = at.resource
        custom = resource.custom.deprecated if resource.custom else ""
        told = (custom,) if custom else DEPRECATED.get(resource.group_resource, ())
        if told:
            at.warnings += told
            self.context.counts.asked_deprecated(
                (resource.group, resource.version, resource.plural, at.subresource, "")
            )

    def _count(self, ticket: Ticket, about: Labels | None) -> None:
        """Have what becomes of a request counted, which is allowed."""
        self.context.counts.authorizations["allowed"] += 1
        if about is not None:
            ticket.about, ticket.tally = about, self.context.counts

    def _authorize_unknown(self, request: Request, user: User, ticket: Ticket) -> None:
        """Refuse a resource that is not there to a user who could not use it if it were."""
        about = router.unrouted(request.method, request.path)
        named = f"{about.resource}.{about.group}".rstrip(".")
        user = impersonation.acting(self.context.store, user, request, about, named)
        ticket.headers = self.flow.headers(user, about)
        found = rbac.verdict(self.context.store, user, about)
        if not found.allowed:
            raise rbac.denied(user, about, named, found.reason)

    def _elsewhere(self, request: Request, user: User, ticket: Ticket) -> Response:
        path, verb = request.path, request.method.lower()
        user = impersonation.acting(self.context.store, user, request, Question(verb, path=path), "")
        ticket.headers = self.flow.headers(user, Question(verb, path=path))
        rbac.authorize_path(self.context, user, verb, path)
        self._count(ticket, counting.about_path(request, path))
        if path[1:] in health.CHECKS:
            self.context.counts.checks[path[1:]] += 1
        known = (
            apiservices.unavailable(self.context.store, path)
            or self.discovery.answer(request, path)
            or health.answer(request, path)
            or self.openapi.answer(request, path)
            or roots.answer(self.context, request, path)
            or (monitoring.answer(self.context, request, self.watchers.sent()) if path in monitoring.PATHS else None)
        )
        if known is not None:
            return known
        if path.startswith(("/api/", "/apis/", "/version/")):
            raise status.unknown_path()
        return text("404 page not found\n", 404)

    # --- controllers ---

    def apply(self, controller: Controller, effect: Effect) -> Answer | Parked:
        """Carry out a controller's effect as its own user; what is refused is returned, not raised, and so is what must wait."""
        return self._applied(controller, effect, Memo())

    def _applied(self, controller: Controller, effect: Effect, memo: Memo) -> Answer | Parked:
        try:
            with remembering(self.context, memo):
                if isinstance(effect, Emit):
                    self.recorder.emit(controller, effect)
                    return None
                return direct.apply(self.context, controller, effect)
        except Status as error:
            return error
        except Waiting as waiting:
            return Parked(partial(self._continue, controller, effect, memo, waiting))

    def _continue(
        self, controller: Controller, effect: Effect, memo: Memo, waiting: Waiting, then: Callable[[object], None]
    ) -> None:
        """Carry out a parked effect when its webhooks have answered."""

        def again() -> None:
            found = self._applied(controller, effect, memo)
            if isinstance(found, Parked):
                found.then(then)
            else:
                then(found)

        self._ask(waiting, memo, again)

    # --- beginning, continuing, jumping ---

    def create_at_start(self, obj: Obj) -> Obj:
        """Make one of the objects a cluster begins with, as the API server itself."""
        return direct.create_at_start(self.context, obj)

    def stand(self) -> None:
        """Make what the control plane keeps besides, once its namespaces are there."""
        standing.keep(self.context)

    def begin(self) -> None:
        """Keep the roles and bindings that every API server makes for itself."""
        roles.keep(self.context)
        apiservices.keep(self.context)

    def restored(self) -> None:
        """Take up what the objects of the journal hold: addresses and ports; and make what an older version had not."""
        roles.keep(self.context)
        apiservices.keep(self.context)
        services.restored(self.context)
        standing.keep(self.context)
        self.definitions.serve()

    def shift(self, delta_ms: int) -> Callable[[str, Obj], Obj]:
        """Return what moves every time of an object back by `delta_ms` (whole seconds)."""
        return shifter(self.context.registry, delta_ms)

    def jumped(self) -> None:
        """Forget what holds times as text."""
        self.recorder.forget()


def _refused(request: Request, error: Status, warnings: Sequence[str] = ()) -> Response:
    """Return a refusal in the form the client takes; where it takes none, in JSON as people read it."""
    media = negotiation.refusal_media(request.headers.get("accept", ""))
    response = refusal(error, media=media or negotiation.JSON, warnings=warnings)
    return response if media else indented(response)


def _question(to: router.Route, verb: str) -> Question:
    """Return what a route is about; a namespace lies in itself."""
    namespace = to.name if to.resource.group_resource == "namespaces" else to.namespace
    return Question(verb, to.resource.group, to.resource.plural, to.subresource, namespace, to.name)


def _has_options(request: Request) -> bool:
    """Return whether a DELETE brings its options in its body: those of the query then count for nothing."""
    return request.method == "DELETE" and bool(request.body)
