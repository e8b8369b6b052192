"""The program `curl`: its command line, its transfers one after the other, its retries. Models curl's tool_operate.c."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.program import Context, Errno, IsTty, Now, Program, Sleep, Steps, Write
from kit.embedded.images.curl.build import DEBIAN, HELP, Build
from kit.embedded.images.curl.failure import Failure
from kit.embedded.images.curl.globs import BadGlob, expand
from kit.embedded.images.curl.options import TRY, Line, Wrong, parse
from kit.embedded.images.curl.output import Output
from kit.embedded.images.curl.report import Facts, warning, written
from kit.embedded.images.curl.request import form_of, make
from kit.embedded.images.curl.transfer import Session, Transfer

Work = Generator[Any, Any, Any]
TRANSIENT = (408, 429, 500, 502, 503, 504)
FIRST_WAIT_MS, LONGEST_WAIT_MS = 1000, 600_000
UNNAMED = "curl_response"


def curl_program(build: Build = DEBIAN) -> Program:
    """Return the program `curl` of a build."""

    def run(ctx: Context) -> Steps:
        try:
            return (yield from _main(ctx, build))
        except Wrong as wrong:
            yield Write(2, str(wrong).encode("utf-8", "surrogateescape"))
            return wrong.status
        except Errno as error:
            if error.name == "EPIPE":
                return 23
            raise

    return run


def _main(ctx: Context, build: Build) -> Steps:
    if len(ctx.argv) == 1:
        raise Wrong(TRY)
    line = parse(ctx.argv[1:])
    if line.has("help") or line.has("version"):
        yield Write(1, (HELP if line.has("help") else build.shown()).encode())
        return 0
    if not line.urls:
        raise Wrong(f"curl: (2) no URL specified\n{TRY}")
    request, query = yield from make(line)
    form = yield from form_of(line)
    session = Session(ctx, build, line, request, query, bool((yield IsTty(1))), form)
    code, number = 0, 0
    for index, given in enumerate(line.urls):
        try:
            urls = [given] if line.has("globoff") else list(expand(given))
        except BadGlob as bad:
            yield from _complain(session, Failure(3, str(bad)))
            return 3
        for url in urls:
            code = yield from Fetching(session, index, url, number).run()
            number += 1
            if code and line.has("fail-early"):
                return code
    return code


def _complain(session: Session, failure: Failure) -> Work:
    """Say why a transfer failed, unless -s says not to."""
    if not session.line.has("silent") or session.line.has("show-error"):
        yield from session.say(failure.shown())


class Fetching:
    """One address with all its attempts; the `index`-th -o or -O says where it goes."""

    def __init__(self, session: Session, index: int, url: str, number: int) -> None:
        self.session = session
        self.line: Line = session.line
        self.index = index
        self.url = url
        self.number = number

    def run(self) -> Steps:
        """Try until it succeeds, fails for good, or was tried often enough."""
        left = self.line.number("retry", 0)
        wait = FIRST_WAIT_MS
        began, again = (yield Now()), False
        while True:
            transfer = Transfer(self.session, self.url, (yield from self._output()), self.number, again=again)
            failure: Failure | None = None
            try:
                yield from transfer.run()
            except Failure as found:
                failure = found
                yield from _complain(self.session, failure)
            why = self._passing(transfer.facts, failure) if left else ""
            pause = self.line.ms("retry-delay") or _told(transfer.facts) or wait
            longest = self.line.number("retry-max-time", 0) * 1000
            if not why or (longest and (yield Now()) - began + pause > longest):
                yield from self._write_out(transfer.facts)
                return failure.code if failure else 0
            yield from self._warn(_retrying(why, pause, left))
            left, again = left - 1, True
            yield Sleep(pause)
            wait = min(2 * wait, LONGEST_WAIT_MS)

    def _passing(self, facts: Facts, failure: Failure | None) -> str:
        """Return what is wrong when it may pass, "" when trying again is of no use."""
        if failure is not None and failure.code in (6, 28):
            return "timeout"
        if failure is not None and failure.code == 7 and self.line.has("retry-connrefused"):
            return "connection refused"
        if (failure is None or failure.code == 22) and facts.status in TRANSIENT:
            return "HTTP error"
        return "(retrying all errors)" if failure is not None and self.line.has("retry-all-errors") else ""

    def _output(self) -> Generator[Any, Any, Output]:
        """Return where the answer goes."""
        line, path = self.line, ""
        asked = self.index < len(line.outputs)
        if asked:
            path = line.outputs[self.index] or ""
            if line.outputs[self.index] is None:
                path = self.url.partition("://")[2 if "://" in self.url else 0].partition("?")[0]
                path = path.rpartition("/")[2] if "/" in path else ""
                if not path:
                    yield from self._warn(f'No remote filename, uses "{UNNAMED}"')
                    path = UNNAMED
        if path == "-":
            path = ""
        elif path and line.has("output-dir"):
            path = f"{line.text('output-dir').rstrip('/')}/{path}"
        terminal = self.session.terminal and not asked
        silent, folders = line.has("silent"), line.has("create-dirs")
        return Output(self.session.ctx, path, terminal=terminal, silent=silent, folders=folders)

    def _warn(self, text: str) -> Work:
        if not self.line.has("silent"):
            yield from self.session.say(warning(text))

    def _write_out(self, facts: Facts) -> Work:
        out, err, wrong = written(self.session.form, facts)
        yield from self.session.say(wrong + err)
        if out:
            yield Write(1, out.encode("utf-8", "surrogateescape"))


def _retrying(why: str, pause_ms: int, left: int) -> str:
    seconds = f"{pause_ms / 1000:.3f} second{'' if 1000 <= pause_ms < 2000 else 's'}"
    return f"Problem: {why}. Will retry in {seconds}. {left} {'retry' if left == 1 else 'retries'} left."


def _told(facts: Facts) -> int:
    """Return how long the server asks to wait (Retry-After in seconds), 0 when it does not."""
    text = (facts.head.get("retry-after") or "") if facts.head else ""
    return int(text) * 1000 if text.isascii() and text.isdecimal() else 0
