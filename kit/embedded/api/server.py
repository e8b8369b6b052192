"""The API server: HTTP requests in, answers out, and the same verbs for the cluster's own controllers.

`handle` and `apply` are the two doors; everything behind them is shared.
"""

from __future__ import annotations

from collections.abc import Callable

from kit.embedded.api import (
    apiservices,
    auth,
    bodies,
    direct,
    health,
    impersonation,
    negotiation,
    rbac,
    reviews,
    roles,
    router,
    services,
    subresources,
    verbs,
)
from kit.embedded.api.answers import encode, refusal, respond, text
from kit.embedded.api.attributes import Attributes, User
from kit.embedded.api.context import Context
from kit.embedded.api.definitions import Definitions
from kit.embedded.api.discovery import Discovery, version
from kit.embedded.api.openapi import OpenApi
from kit.embedded.api.recorder import Recorder
from kit.embedded.api.shift import shifter
from kit.embedded.api.watch import Watchers
from kit.embedded.core.allocators import Addresses, Ports
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Controller
from kit.embedded.core.effects import Answer, Effect, Emit
from kit.embedded.core.ids import Ids
from kit.embedded.core.ports import Network, Nodes, Signer
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Obj, Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Request, Response, Ticket
from kit.errors import Status
from kit.kube import status
from kit.kube.kinds import Registry
from kit.kube.rbac import Question

DEPRECATED = {
    "endpoints": ("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",),
    "componentstatuses": ("v1 ComponentStatus is deprecated in v1.19+",),
}
METRICS = "this embedded cluster does not support /metrics; a kind cluster does (--provider kind)"


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
        before = self.context.store.revision
        try:
            response, writes = self._respond(request, ticket)
        except Status as error:
            media = negotiation.refusal_media(request.headers.get("accept", ""))
            response, writes = refusal(error, media=media), self.context.store.revision != before
        except RecursionError:
            response, writes = refusal(status.bad_request("the body of the request is nested too deeply")), False
        except Exception as error:  # noqa: BLE001 - models the server's panic handler: one request fails, the cluster goes on
            self.context.trace.add(
                self.context.clock.now, "api", "panic", f"{request.method} {request.path}", repr(error)
            )
            response, writes = refusal(status.internal(f"{type(error).__name__}: {error}")), True
        if response is not None:
            ticket.answer(response)
        return writes

    def _respond(self, request: Request, ticket: Ticket) -> tuple[Response | None, bool]:
        user = auth.authenticated(self.context, request)
        if not router.resource_path(request.path):
            return self._elsewhere(request, user), False
        group, found = router.group_version(request.path)
        if found not in self.context.registry.groups().get(group, ()):
            elsewhere = apiservices.unavailable(self.context.store, request.path)
            if elsewhere is not None:
                rbac.authorize_path(self.context, user, request.method.lower(), request.path)
                return elsewhere, False
            if group and group not in self.context.registry.groups():
                return text("404 page not found\n", 404), False
            raise status.unknown_path()
        to = router.route(self.context.registry, request.method, request.path)
        at = self._attributes(request, to, user)
        rbac.authorize(self.context, at)
        at.warnings += DEPRECATED.get(to.resource.group_resource, ())
        if to.resource.custom and to.resource.custom.deprecated:
            at.warnings.append(to.resource.custom.deprecated)
        before = self.context.store.revision
        try:
            return self._served(request, to, at, ticket)
        except Status as error:  # a refusal carries the warnings too
            media = negotiation.refusal_media(request.headers.get("accept", ""))
            return refusal(error, media=media, warnings=at.warnings), self.context.store.revision != before

    def _served(
        self, request: Request, to: router.Route, at: Attributes, ticket: Ticket
    ) -> tuple[Response | None, bool]:
        """Answer a request about a resource."""
        if at.verb == "watch":
            form = negotiation.accepted(request.headers.get("accept", ""), listing=True)
            self.watchers.start(at, form, ticket)
            return None, False
        if to.subresource:
            return subresources.handle(self.context, at, request, ticket, to.rest)
        form = negotiation.accepted(request.headers.get("accept", ""), listing=to.verb == "list")
        review = reviews.REVIEWS.get(to.resource.group_resource)
        if review is not None:
            return review(self.context, at, request), False
        return verbs.HANDLERS[to.verb](self.context, at, request, form), to.verb in verbs.WRITES and not at.dry_run

    def _attributes(self, request: Request, to: router.Route, user: User) -> Attributes:
        """Return what a request about a resource wants, as the user it acts as; Forbidden when it may not act as that one."""
        query = dict(reversed(request.query))  # the first of several wins
        watching = to.verb == "list" and query.get("watch", "0").lower() not in {"false", "0"}
        verb = "watch" if watching else to.verb
        namespace = to.name if to.resource.group_resource == "namespaces" else to.namespace
        about = Question(verb, to.resource.group, to.resource.plural, to.subresource, namespace, to.name)
        acting = impersonation.acting(self.context.store, user, request, about, to.resource.group_resource)
        manager, dry_run = bodies.manager(request), "dryRun" in query and not _has_options(request)
        return Attributes(verb, to.resource, to.namespace, to.name, to.subresource, acting, manager, dry_run, query)

    def _elsewhere(self, request: Request, user: User) -> Response:
        path, verb = request.path, request.method.lower()
        user = impersonation.acting(self.context.store, user, request, Question(verb, path=path), "")
        rbac.authorize_path(self.context, user, verb, path)
        known = (
            apiservices.unavailable(self.context.store, path)
            or self.discovery.answer(request, path)
            or health.answer(request, path)
            or self.openapi.answer(request, path)
        )
        if known is not None:
            return known
        if path.rstrip("/") == "/version":
            if request.method != "GET":
                raise status.method_not_allowed()
            return respond(encode(version(self.context)).encode())
        if path == "/":
            return respond(encode({"paths": self._root_paths()}).encode())
        if path.startswith("/metrics"):
            raise status.not_implemented(METRICS)
        if path.startswith(("/api/", "/apis/", "/version/")):
            raise status.unknown_path()
        return text("404 page not found\n", 404)

    def _root_paths(self) -> list[str]:
        listed = ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]
        for group, versions in self.context.registry.groups().items():
            listed += [f"/apis/{group}"] if group else []
            listed += [f"/apis/{group}/{one}" if group else f"/api/{one}" for one in versions]
        return sorted(listed)

    # --- controllers ---

    def apply(self, controller: Controller, effect: Effect) -> Answer:
        """Carry out a controller's effect as its own user; what is refused is returned, not raised."""
        if isinstance(effect, Emit):
            return self.recorder.emit(controller, effect)
        try:
            return direct.apply(self.context, controller, effect)
        except Status as error:
            return error

    # --- beginning, continuing, jumping ---

    def create_at_start(self, obj: Obj) -> Obj:
        """Make one of the objects a cluster begins with, as the API server itself."""
        return direct.create_at_start(self.context, obj)

    def begin(self) -> None:
        """Keep the roles and bindings that every API server makes for itself."""
        roles.keep(self.context)
        apiservices.keep(self.context)

    def restored(self) -> None:
        """Take up what the objects of the journal hold: addresses and ports; and make what an older version had not."""
        roles.keep(self.context)
        apiservices.keep(self.context)
        services.restored(self.context)
        self.definitions.serve()

    def shift(self, delta_ms: int) -> Callable[[str, Obj], Obj]:
        """Return what moves every time of an object back by `delta_ms` (whole seconds)."""
        return shifter(self.context.registry, delta_ms)

    def jumped(self) -> None:
        """Forget what holds times as text."""
        self.recorder.forget()


def _has_options(request: Request) -> bool:
    """Return whether a DELETE brings its options in its body: those of the query then count for nothing."""
    return request.method == "DELETE" and bool(request.body)
