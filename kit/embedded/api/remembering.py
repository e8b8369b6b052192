"""Work of the API that may have to wait for webhooks: done with a memo, and done again when their answers are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kit.embedded.api.context import Context
from kit.embedded.core.waiting import Memo, Redrawn

CONFIGURATIONS = (
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
)


@contextmanager
def remembering(context: Context, memo: Memo) -> Iterator[None]:
    """Do what follows with a memo; where no webhook is configured nothing is remembered, which costs nothing."""
    asks = context.converting or any(context.store.count(kind) for kind in CONFIGURATIONS)
    if context.calls is None or not asks:
        yield
        return
    before = context.memo, context.ids
    context.memo, context.ids = memo, Redrawn(context.ids, memo.drawn)
    try:
        yield
    finally:
        context.memo, context.ids = before
