"""Validating and mutating webhooks: which are asked about a request, and what becomes of it when they can't be.

Models k8s.io/apiserver/pkg/admission/plugin/webhook/{generic/webhook.go,validating/dispatcher.go} and util/webhook/client.go. No webhook is
reached: programs of this cluster speak no TLS, and it opens no connections to the outside. What the API server would meet on its way to
the Service is said in its own words, and failurePolicy decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.plugins import policyrequests
from kit.embedded.api.plugins.policyrequests import Asked
from kit.embedded.core.store import Key, Obj
from kit.kube import status
from kit.kube.admission.rules import About

VALIDATING = "validatingwebhookconfigurations.admissionregistration.k8s.io"
MUTATING = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
SLICES = "endpointslices.discovery.k8s.io"
OUTSIDE = "this embedded cluster calls no webhooks outside itself; a kind cluster does (--provider kind)"
INSIDE = "this embedded cluster does not call webhooks that Pods serve; a kind cluster does (--provider kind)"
LOOPBACK = ("127.", "localhost", "[::1]")

Hook = Mapping[str, Any]


def mutate(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Ask the mutating webhooks; raise what failurePolicy Fail makes of one that can't be asked."""
    _ask(context, at, obj, old, MUTATING)
    return obj


def check(context: Context, at: Attributes, obj: Obj | None, old: Obj | None) -> None:
    """Ask the validating webhooks; raise what failurePolicy Fail makes of one that can't be asked."""
    _ask(context, at, obj, old, VALIDATING)


def _ask(context: Context, at: Attributes, obj: Obj | None, old: Obj | None, kind: str) -> None:
    if not context.store.count(kind):
        return
    asked = policyrequests.asked(context, at, obj, old)
    if asked.about.exempt:
        return
    for hook, about in _concerned(context, asked, kind):
        fails = (hook.get("failurePolicy") or "Fail") == "Fail"
        if not _wanted(at, hook, asked, about, fails=fails):
            continue
        why = f'failed calling webhook "{hook["name"]}": failed to call webhook: {_obstacle(context, hook)}'
        if fails:
            raise status.internal(why)
        at.warnings.append(f"{why}; failurePolicy is Ignore: the request goes on without it")


def _concerned(context: Context, asked: Asked, kind: str) -> Iterator[tuple[Hook, About]]:
    """Return the webhooks whose rules and selectors are about a request, in the API server's order."""
    for configuration in sorted(context.store.list(kind), key=lambda one: str(one["metadata"]["name"])):
        for hook in configuration.get("webhooks") or ():
            match = {**hook, "resourceRules": hook.get("rules") or ()}
            about = policyrequests.meant(asked, match) if match["resourceRules"] else None
            if about is not None:
                yield hook, about


def _wanted(at: Attributes, hook: Hook, asked: Asked, about: About, *, fails: bool) -> bool:
    """Return whether the match conditions of a webhook hold; refuse the request when that can't be told and it must be asked."""
    if not hook.get("matchConditions"):
        return True
    from kit.kube.admission.expressions import STEPS, Evaluation, Form, unmet
    from kit.kube.cel.engine import Budget, RunError

    evaluation = Evaluation(policyrequests.values(asked, about), Form(), Budget(STEPS))
    try:
        return unmet(hook["matchConditions"], evaluation) is None
    except RunError as error:
        if fails:
            raise status.forbidden(at.resource, policyrequests.called(asked), str(error)) from None
        return False


def _obstacle(context: Context, hook: Hook) -> str:
    """Return why the API server does not reach a webhook."""
    client = hook["clientConfig"]
    timeout = f"?timeout={hook.get('timeoutSeconds', 10)}s"
    if client.get("url"):
        parts = urlsplit(client["url"])
        port = parts.port or 443
        refused = f"dial tcp {parts.hostname}:{port}: connect: connection refused"
        why = refused if parts.netloc.startswith(LOOPBACK) else OUTSIDE
        return f'Post "{client["url"]}{timeout}": {why}'
    service = client["service"]
    port = service.get("port") or 443
    url = f"https://{service['name']}.{service['namespace']}.svc:{port}{service.get('path') or '/'}{timeout}"
    return f'Post "{url}": {_no_way(context, service, port)}'


def _no_way(context: Context, service: Mapping[str, Any], port: int) -> str:
    """Return what stops a connection to a Service."""
    name, space = service["name"], service["namespace"]
    found = context.store.get(Key("services", space, name))
    if found is None:
        return f'service "{name}" not found'
    if all(one["port"] != port for one in found["spec"].get("ports") or ()):
        return f'no service port {port} found for service "{name}"'
    if not _ready(context, space, name):
        return f"dial tcp {found['spec'].get('clusterIP')}:{port}: connect: connection refused"
    return INSIDE


def _ready(context: Context, namespace: str, name: str) -> bool:
    """Return whether a Service leads anywhere."""
    return any(
        (endpoint.get("conditions") or {}).get("ready", True)
        for one in context.store.list(SLICES, namespace)
        if (one["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name
        for endpoint in one.get("endpoints") or ()
    )
