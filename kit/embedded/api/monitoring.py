"""/metrics and /metrics/slis: the numbers of the API server in Prometheus' words.

Models k8s.io/apiserver/pkg/server/routes/metrics.go. The text is made at the edge, which adds what only it can measure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kit.embedded.api.answers import TEXT
from kit.embedded.api.context import Context
from kit.embedded.api.counting import families, slis
from kit.embedded.core.exposition import Labels
from kit.embedded.core.turns import Request, Response
from kit.kube import status

PATHS = ("/metrics", "/metrics/slis")
UNCACHED = (("Cache-Control", "no-cache, private"),)
ABSENT = "the process that runs this cluster puts no numbers into text: /metrics is not served"
_ESCAPING = re.compile(r"text/plain[^,]*;\s*escaping=(allow-utf-8|underscores|dots|values)\b")


def answer(context: Context, request: Request, watching: Mapping[Labels, int]) -> Response | None:
    """Return the answer at one of the paths, None for others. DELETE begins anew; every other method reads."""
    if request.path not in PATHS:
        return None
    edge = context.exposition
    if edge is None:
        raise status.not_implemented(ABSENT)
    if request.method == "DELETE":
        context.counts.reset()
        edge.reset()
        return Response(200, (*UNCACHED, ("Content-Type", TEXT)), b"metrics reset\n")
    whole = request.path == PATHS[0]
    body = edge.text(families(context, watching) if whole else slis(context.counts), measured=whole)
    found = _ESCAPING.search(request.headers.get("accept", ""))
    media = f"text/plain; version=0.0.4; charset=utf-8; escaping={found[1] if found else 'underscores'}"
    return Response(200, (*UNCACHED, ("Content-Type", media), ("Process-Start-Time-Unix", str(edge.started))), body)
