"""What curl tells about a transfer: the progress meter, the variables of --write-out, warnings. Models lib/progress.c, tool_writeout.c."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from kit.embedded.images.curl.options import ELSEWHERE
from kit.embedded.images.webclient import Head

COLUMNS = 79
TITLE = (
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n"
    "                                 Dload  Upload   Total   Spent    Left  Speed\n"
)
NEVER = "--:--:--"
UNITS = ((100_000, 1, ""), (10_000 << 10, 1 << 10, "k"))


@dataclass(slots=True)
class Facts:
    """What is known of a transfer; times are ms since it began."""

    began: int = 0
    url: str = ""
    effective: str = ""
    method: str = ""
    scheme: str = ""
    head: Head | None = None
    remote: tuple[str, int] = ("", 0)
    local: tuple[str, int] = ("", 0)
    times: dict[str, int] = field(default_factory=dict)
    expected: int | None = None
    received: int = 0
    sent: int = 0
    headers: int = 0
    requested: int = 0
    redirects: int = 0
    connects: int = 0
    moved_to: str = ""
    file: str = ""
    number: int = 0
    code: int = 0
    error: str = ""

    @property
    def status(self) -> int:
        """The status of the last answer, 0 without one."""
        return (self.head.status or 0) if self.head else 0

    def speed(self, amount: int) -> int:
        """Return bytes per second over the whole time."""
        return amount * 1000 // max(1, self.times.get("total", 0))


def warning(text: str) -> str:
    """Return a warning, broken into lines of a terminal."""
    width, out = COLUMNS - len("Warning: "), ""
    while len(text) > width:
        cut = text.rfind(" ", 0, width)
        cut = cut if cut > 0 else width - 1
        out += f"Warning: {text[: cut + 1]}\n"
        text = text[cut + 1 :]
    return f"{out}Warning: {text}\n"


def meter(facts: Facts, spent_ms: int) -> str:
    """Return the meter's line, which goes over the one before."""
    total = facts.expected if facts.expected is not None else facts.received
    percent = facts.received * 100 // total if total else 0
    down = facts.received * 1000 // max(1, spent_ms)
    up = facts.sent * 1000 // max(1, spent_ms)
    sent = 100 if facts.sent else 0
    all_in_all, done = total + facts.sent, facts.received + facts.sent
    share = done * 100 // all_in_all if all_in_all else 0
    left = (total - facts.received) // down if down else 0
    whole = total // down if down else 0
    return (
        f"\r{share:3} {_size(all_in_all)}  {percent if facts.expected else 0:3} {_size(facts.received)}  {sent:3} {_size(facts.sent)}  "
        f"{_size(down)}  {_size(up)} {_clock(whole)} {_clock(spent_ms // 1000)} {_clock(left)} {_size(down + up)}"
    )


def _size(amount: int) -> str:
    for limit, unit, letter in UNITS:
        if amount < limit:
            return f"{amount // unit:{5 - len(letter)}}{letter}"
    if amount < 100 << 20:
        return f"{amount >> 20:2}.{(amount % (1 << 20)) // ((1 << 20) // 10)}M"
    return f"{amount >> 20:4}M"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:2}:{seconds // 60 % 60:02}:{seconds % 60:02}" if seconds > 0 else NEVER


def _time(name: str) -> Callable[[Facts], str]:
    return lambda facts: f"{facts.times.get(name, 0) / 1000:.6f}"


VARIABLES: dict[str, Callable[[Facts], str]] = {
    "http_code": lambda facts: f"{facts.status:03}",
    "response_code": lambda facts: f"{facts.status:03}",
    "http_connect": lambda facts: "000",
    "http_version": lambda facts: facts.head.lines[0][5:8] if facts.head else "0",
    "content_type": lambda facts: (facts.head.get("content-type") or "") if facts.head else "",
    "errormsg": lambda facts: facts.error,
    "exitcode": lambda facts: str(facts.code),
    "filename_effective": lambda facts: facts.file,
    "local_ip": lambda facts: facts.local[0],
    "local_port": lambda facts: str(facts.local[1]),
    "remote_ip": lambda facts: facts.remote[0],
    "remote_port": lambda facts: str(facts.remote[1]),
    "method": lambda facts: facts.method,
    "num_connects": lambda facts: str(facts.connects),
    "num_headers": lambda facts: str(len(facts.head.headers)) if facts.head else "0",
    "num_redirects": lambda facts: str(facts.redirects),
    "redirect_url": lambda facts: facts.moved_to,
    "scheme": lambda facts: facts.scheme,
    "size_download": lambda facts: str(facts.received),
    "size_header": lambda facts: str(facts.headers),
    "size_request": lambda facts: str(facts.requested),
    "size_upload": lambda facts: str(facts.sent),
    "speed_download": lambda facts: str(facts.speed(facts.received)),
    "speed_upload": lambda facts: str(facts.speed(facts.sent)),
    "ssl_verify_result": lambda facts: "20" if facts.code == 60 else "0",
    "url": lambda facts: facts.url,
    "url_effective": lambda facts: facts.effective,
    "urlnum": lambda facts: str(facts.number),
    **{f"time_{name}": _time(name)
       for name in ("namelookup", "connect", "appconnect", "pretransfer", "redirect", "starttransfer", "total")},
}  # fmt: skip
UNSHOWN = frozenset(("json", "header_json", "certs", "num_certs", "time_posttransfer", "tls_earlydata"))
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
PLACE = re.compile(r"%%|%header\{([^}]*)\}|%\{([^}]*)\}|\\(.)", re.DOTALL)


def written(form: str, facts: Facts) -> tuple[str, str, str]:
    """Return what --write-out prints on stdout, what on stderr, and what is said of it."""
    texts, where, wrong, last = ["", ""], 0, "", 0
    for found in PLACE.finditer(form):
        texts[where] += form[last : found.start()]
        last = found.end()
        header, name, escape = found[1], found[2], found[3]
        if name in ("stdout", "stderr"):
            where = 0 if name == "stdout" else 1
        elif name == "onerror":
            if not facts.code:
                last = len(form)
                break
        elif name in UNSHOWN:
            wrong += f"curl: --write-out variable '{name}' {ELSEWHERE}\n"
        elif name is not None and name not in VARIABLES:
            wrong += f"curl: unknown --write-out variable: '{name}'\n"
        elif name is not None:
            texts[where] += VARIABLES[name](facts)
        elif header is not None:
            texts[where] += (facts.head.get(header) or "") if facts.head else ""
        elif escape is not None:
            texts[where] += ESCAPES.get(escape, "\\" + escape)
        else:
            texts[where] += "%"
    texts[where] += form[last:]
    return texts[0], texts[1], wrong
