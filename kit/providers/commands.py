"""Programs of the machine (kind, docker): a list of words, never a shell; a process group of their own, so that an Interrupt
meant for us does not kill them half-way; an environment without what would steer kind behind our back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from kit.errors import Unavailable

MISSING = 127
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_LOOPBACK = ("localhost", "127.", "::1")


@dataclass(frozen=True)
class Ran:
    """How a program ended. kind writes all its words for people to stderr."""

    argv: tuple[str, ...]
    code: int
    stdout: str = ""
    stderr: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.code == 0


def clean(env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` without KUBECONFIG and KIND_*, and without proxies on the loopback: inside a node they would mean the node."""
    return {key: value for key, value in env.items() if not _steers(key, value)}


def run(argv: Sequence[str], *, env: Mapping[str, str], stdin: str = "", timeout_s: float = 60.0) -> Ran:
    """Run a program to its end; one that is not there ends with 127; Unavailable when it takes longer than `timeout_s`."""
    return stream(argv, lambda line: None, env=env, stdin=stdin, timeout_s=timeout_s)


def stream(
    argv: Sequence[str],
    heard: Callable[[str], None],
    *,
    env: Mapping[str, str],
    stdin: str = "",
    timeout_s: float = 60.0,
) -> Ran:
    """Run a program and hand on each line of its stderr as it comes; whatever ends the wait ends the program's group too."""
    try:
        started = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError:
        return Ran(tuple(argv), MISSING, "", f'exec: "{argv[0]}": executable file not found in $PATH')
    except OSError as error:
        return Ran(tuple(argv), MISSING, "", f"{argv[0]}: {error.strerror}")
    with _ended(started):
        return _listen(started, argv, heard, stdin, timeout_s)


def _listen(
    started: subprocess.Popen[str], argv: Sequence[str], heard: Callable[[str], None], stdin: str, timeout_s: float
) -> Ran:
    out: list[str] = []
    assert started.stdin  # noqa: S101 - all three are pipes
    assert started.stderr  # noqa: S101
    late = threading.Timer(timeout_s, _kill, (started, signal.SIGKILL))
    reader = threading.Thread(target=lambda: out.extend(started.stdout or ()), daemon=True)
    late.start()
    reader.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            started.stdin.write(stdin)
            started.stdin.close()
        lines = []
        for line in started.stderr:
            lines.append(line)
            heard(line.rstrip("\n"))
        started.wait()
        reader.join()
    finally:
        expired = not late.is_alive()
        late.cancel()
    if expired and started.returncode == -signal.SIGKILL:
        raise Unavailable(
            f"{' '.join(argv[:3])} did not end within {timeout_s:.0f} s", "labkit doctor looks for the cause"
        )
    return Ran(tuple(argv), started.returncode, "".join(out), "".join(lines))


@contextlib.contextmanager
def _ended(started: subprocess.Popen[str]) -> Iterator[None]:
    """Let nothing of a program behind when its output is no longer awaited (kind leaves a `docker logs -f`)."""
    try:
        yield
    finally:
        if started.poll() is None:
            _kill(started, signal.SIGTERM)
            try:
                started.wait(timeout=5)
            except subprocess.TimeoutExpired:
                _kill(started, signal.SIGKILL)
                started.wait()
        _kill(started, signal.SIGKILL)
        for pipe in (started.stdin, started.stdout, started.stderr):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()


def _kill(started: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(started.pid, number)


def _steers(key: str, value: str) -> bool:
    if key == "KUBECONFIG" or key.startswith("KIND_"):
        return True
    host = (urlsplit(value).hostname or value) if key.lower() in _PROXIES else ""
    return host.startswith(_LOOPBACK)
