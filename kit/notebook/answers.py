"""What `lab.http` and `lab.watch` return: plain values with a text that is the same run after run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kit.checks.phrases import reasons
from kit.checks.probes import is_ready
from kit.checks.reasons import value_at
from kit.client.watch import Change
from kit.course.i18n import say

_SHOWN_LINES = 30


@dataclass(frozen=True)
class HttpAnswer:
    """One HTTP answer, or the way in which none came: `error` is refused, timeout, no route, NXDOMAIN, reset, protocol or certificate."""

    url: str
    status: int = 0
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    error: str = ""
    seconds: float = 3
    lang: str = "en"

    @property
    def ok(self) -> bool:
        """Tell whether a 2xx answer came."""
        return 200 <= self.status < 300

    def __repr__(self) -> str:
        if self.error:
            where = urlsplit(self.url).netloc
            return say(f"http.{self.error}", self.lang, where=where, seconds=f"{self.seconds:g}")
        lines = self.text.rstrip().splitlines()
        more = [f"… {len(lines) - _SHOWN_LINES} more lines"] if len(lines) > _SHOWN_LINES else []
        return "\n".join([f"{self.status} {self.reason}".rstrip(), *lines[:_SHOWN_LINES], *more])


@dataclass(frozen=True)
class Changes:
    """What changed while we watched, in order."""

    changes: Sequence[Change]

    def __repr__(self) -> str:
        return "\n".join(_line(change) for change in self.changes) or "nothing changed"


def _line(change: Change) -> str:
    item = change.object
    words = [change.type.ljust(8), f"{item['kind'].lower()}/{item['metadata']['name']}"]
    if item["kind"] == "Pod":
        state = reasons(item)[:1] or [str(value_at(item, "status.phase") or "")]
        words += [*state, "Ready" if is_ready(item) else "not Ready"]
    return "  ".join(word for word in words if word)
