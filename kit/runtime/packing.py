"""Large answers are compressed for a client that takes gzip; what it keeps by an ETag and what is streamed goes as it is.

Models k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/writers.go (negotiateContentEncoding, deferredResponseWriter).
"""

from __future__ import annotations

import zlib

from kit.embedded.core.turns import Response

GZIP_FROM = 128 << 10  # defaultGzipThresholdBytes
LEVEL = 1
_GZIP = 31  # zlib's word for the format
PACKED = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))


def packed(response: Response, encodings: str) -> Response:
    """Return an answer as a client with that Accept-Encoding gets it."""
    if len(response.body) <= GZIP_FROM or not takes_gzip(encodings):
        return response
    if any(name.lower() in {"content-encoding", "etag"} for name, _ in response.headers):
        return response
    packer = zlib.compressobj(LEVEL, wbits=_GZIP)
    return Response(response.status, (*response.headers, *PACKED), packer.compress(response.body) + packer.flush())


def takes_gzip(encodings: str) -> bool:
    """Return whether gzip is named by itself: the API server does not weigh qualities."""
    return any(one.strip() == "gzip" for one in encodings.split(","))
