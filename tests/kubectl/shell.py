"""The real kubectl, called as a person calls it: plain, with a terminal, or left running."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

BINARY = Path(sys.executable).parent / "kubectl"
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Kubectl:
    """kubectl on one cluster, in one namespace. Called with words it returns what was printed."""

    handle: Any
    folder: Path
    namespace: str = "default"

    def inside(self, namespace: str) -> Kubectl:
        """Make a namespace and return kubectl in it."""
        made = replace(self, namespace=namespace)
        made("create", "namespace", namespace)
        made.until("get", "serviceaccount", "default", shows="default")
        return made

    @property
    def environment(self) -> dict[str, str]:
        """The variables kubectl runs under."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.handle.kubeconfig),
            "TERM": "dumb",
            "LANG": "C.UTF-8",
        }

    def argv(self, *words: str) -> list[str]:
        """Return the whole command."""
        return [str(BINARY), "-n", self.namespace, *words]

    def run(self, *words: str, stdin: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever comes of it."""
        return subprocess.run(
            self.argv(*words), env={**self.environment, **variables}, cwd=self.folder, capture_output=True, text=True, input=stdin or "",
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip

    def __call__(self, *words: str, stdin: str | None = None, **variables: str) -> str:
        """Run a command that must succeed."""
        done = self.run(*words, stdin=stdin, **variables)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def until(self, *words: str, shows: str) -> str:
        """Run a command again and again until it shows a text."""
        end = time.monotonic() + PATIENCE_S
        while True:
            done = self.run(*words)
            if shows in done.stdout:
                return done.stdout
            assert time.monotonic() < end, (words, shows, done.stdout, done.stderr)
            time.sleep(0.1)

    def begin(self, *words: str) -> Running:
        """Start a command and let it run."""
        child = subprocess.Popen(
            self.argv(*words),
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert child.stdout is not None
        return Running(child, child.stdout.fileno())

    def terminal(self, *words: str) -> Running:
        """Start a command with a terminal of its own."""
        mine, its = pty.openpty()
        child = subprocess.Popen(
            self.argv(*words),
            env=self.environment,
            cwd=self.folder,
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        return Running(child, mine, mine)

    def pod(self, name: str, script: str, *more: str) -> None:
        """Run a Pod of busybox and wait until it is Ready."""
        self("run", name, "--image=busybox:1.37", *more, "--", "sh", "-c", script)
        self("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=20s")


class Running:
    """A command that runs on."""

    def __init__(self, child: subprocess.Popen[bytes], out: int, into: int | None = None) -> None:
        self.child, self.out, self.seen = child, out, ""
        self._into = into

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                pipe.close()
        if self._into is not None:
            os.close(self._into)

    def until(self, text: str) -> str:
        """Read until a text was seen; all that was seen since the last time."""
        end = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            ready, _, _ = select.select([self.out], [], [], max(0.0, end - time.monotonic()))
            assert ready, (text, self.seen)
            try:
                data = os.read(self.out, 65536)
            except OSError:  # a terminal whose other side is gone
                data = b""
            assert data, ("ended", text, self.seen)
            self.seen += data.decode()
        head, mark, self.seen = self.seen.partition(text)
        return head + mark

    def type(self, text: str) -> None:
        """Write to the command."""
        if self._into is not None:
            os.write(self._into, text.encode())
            return
        assert self.child.stdin is not None
        self.child.stdin.write(text.encode())
        self.child.stdin.flush()

    def end(self) -> int:
        """Wait for its end; its exit code."""
        return self.child.wait(PATIENCE_S)
