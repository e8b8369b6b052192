"""`labkit doctor --install kind`: the kind command into the kit's own folder, because somebody asked for it, and verified."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from kit.errors import Refused, Unavailable
from kit.providers.failures import STAY
from kit.providers.kindrelease import Release, release
from kit.runtime import state

MIRROR = "LABKIT_KIND_MIRROR"
TIMEOUT_S, PIECE, LARGEST = 30, 1 << 20, 64 << 20


def kind_file() -> Path:
    """Return where the kit's own kind command is, when it was installed."""
    return state.user_state() / "bin" / "kind"


def kind(progress: Callable[[str], None], env: Mapping[str, str] | None = None, wanted: Release | None = None) -> Path:
    """Download kind, verify it, and put it in place at once; one that is there and right is left alone."""
    wanted = wanted or release()
    target, url = kind_file(), wanted.url((os.environ if env is None else env).get(MIRROR, ""))
    if target.is_file() and _sha256(target) == wanted.sha256:
        return target
    state.private_folder(target.parent.parent)
    state.private_folder(target.parent)
    progress(f"downloading kind {wanted.version} from {url}")
    handle, name = tempfile.mkstemp(prefix=".kind-", dir=target.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in _pieces(url):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        found = _sha256(fresh)
        if found != wanted.sha256:
            raise Refused(
                f"what {url} sent is not kind {wanted.version}: its SHA-256 is {found}, not {wanted.sha256}",
                "it was thrown away; try another network, or install kind with your system's packages (brew, apt)",
            )
        fresh.chmod(0o755)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return target


def _pieces(url: str) -> list[bytes]:
    """Return what a URL sends; Unavailable when it can't be had, or is far too large for what it should be."""
    found, size = [], 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the table's https, or a mirror named in words
            while piece := answer.read(PIECE):
                found.append(piece)
                size += len(piece)
                if size > LARGEST:
                    raise Unavailable(f"{url} sends more than {LARGEST >> 20} MiB", f"is it the right mirror? {STAY}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "reason", error) if not isinstance(error, urllib.error.HTTPError) else error
        raise Unavailable(
            f"kind could not be downloaded from {url}: {why}",
            f"without a network, bring a kind command and name it in LABKIT_KIND, or set {MIRROR}; {STAY}",
        ) from error
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
