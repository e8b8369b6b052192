"""Records what a real curl prints for many command lines against a small server: writes curl_lines.json beside it.

Run by hand where curl is installed: python tests/images/record_curl.py. The server's answers are `answer`, which the tests use too.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

PORT = 18999
HERE = Path(__file__).parent
METER = re.compile(r"(\r *\d+ +\S+ +\d+ +\S+ +\d+ +\S+) [^\r\n]*")
WORDS = (
    ("Couldn't connect to server", "Could not connect to server"),  # before 8.12
    ("not supported or disabled in libcurl", "not supported"),  # before 8.6
)
LINES = r"""
curl -s U/
curl -s U/echo
curl -sS U
curl -s "U?a=b"
curl -s U/echo#frag
curl -s 127.0.0.1:18999/status/200-Z
curl -si U/
curl -sI U/
curl -sf U/status/404-Not-Found
curl -sSf U/status/404-Not-Found
curl -sif U/status/500-Bad
curl -sS --fail-with-body U/status/404-Not-Found
curl -s -o /dev/null -w '%{http_code}\n' U/
curl -s -o /dev/null -w '%{http_code} %{response_code} %{size_download} %{url_effective} %{remote_ip} %{remote_port}\n' U/
curl -s -o /dev/null -w '%{content_type}\t%{num_redirects} %{http_version} %{method} %{num_headers} %{size_header}\n' U/
curl -s -o /dev/null -w '%{size_request} %{size_upload} %{num_connects} %{exitcode} %{url} %{urlnum} [%{redirect_url}] [%{errormsg}]\n' U/
curl -s -w '%{nosuch} 100%% \q \\n %{header_json' U/
curl -s -w '[%header{server}]' U/zero
curl -s -L -o /dev/null -w '%{http_code} %{url_effective} %{num_redirects} %{size_download} %{num_connects}\n' U/moved
curl -s -w '%{http_code} %{redirect_url}\n' U/moved
curl -s -w '%{redirect_url}\n' U/moved307
curl -s -w '%{http_code} %{exitcode} %{remote_ip}|\n' http://127.0.0.1:1/
printf '%%{http_code}\\n' > fmt; curl -s -w '@fmt' U/
curl -s -d a=1 U/echo
curl -s -d a=1 -d b=2 U/echo
curl -s --data-raw @x U/echo
printf 'a\nb\n' > f; curl -s -d @f U/echo; curl -s --data-binary @f U/echo
echo hi | curl -s -d @- U/echo
curl -s --json '{"a":1}' U/echo
curl -s --json '{"a":' --json '1}' -X PATCH U/echo
curl -s --data-urlencode 'q=a b&c' U/echo
curl -s --data-urlencode 'a b/~x' U/echo
curl -s --data-urlencode '=a b' U/echo
printf 'x y' > f; curl -s --data-urlencode n@f U/echo; curl -s --data-urlencode @f U/echo
curl -s -G -d a=1 -d 'b=2' U/echo
curl -s -G --data-urlencode 'a=x y' 'U/echo?z=1'
curl -s -X DELETE U/echo
curl -s -X POST U/echo
curl -s -X PUT -d x U/echo
curl -s -X HEAD U/status/200-OK
curl -s -H 'X-A: 1' -H 'Accept:' -H 'X-E;' -H 'Host: other' U/echo
curl -s -H 'User-Agent: me' -H 'Content-Type: text/x' -d 1 U/echo
printf 'X-F: 1\nX-G: 2\n' > h; curl -s -H @h U/echo
curl -s -A '' U/echo
curl -s -A agent -e http://ref U/echo
curl -s -u user:pass U/echo
curl -s http://user:pass@127.0.0.1:18999/echo
curl -s -b a=b -b c=d U/echo
printf hello > f; curl -s -T f -H 'Expect:' U/echo
curl -sL U/moved
curl -sLi U/moved
curl -sLI U/moved
curl -sL -d a=1 U/moved301
curl -sL -d a=1 U/moved307
curl -sL -d a=1 -X POST U/moved301
curl -sSL --max-redirs 2 U/loop
curl -sSL U/loop | tail -1
curl -sS U/empty
curl -sS U/badchunk
curl -s U/chunked
curl -si U/chunked
curl -s U/tilclose
curl -s -i U/none
curl -s -i U/notmodified
curl -sS U/nothttp
curl -sS http://127.0.0.1:1/
curl -sS foo://x
curl --nosuch U
curl -y
curl -d
curl --data
curl -m abc U
curl --max-time
curl --retry x U
curl
curl -sX
curl -so
curl -sI -d a=1 U/echo
curl -I -d a=1 U/echo
curl -sSo out U/; cat out
curl -sSO U/status/200-OK; ls
curl -sS -o a -o b U/ U/echo; cat a b
curl -s U/ U/chunked
curl -s U/ http://127.0.0.1:1/
curl -s http://127.0.0.1:1/ U/
curl -s --fail-early http://127.0.0.1:1/ U/
curl -s 'U/status/{200-A,404-B}'
curl -s 'U/echo?[1-3]' | grep GET
curl -s 'U/echo?[01-05:2]' | grep GET
curl -s 'U/echo?[a-c]' | grep GET
curl -sS 'U/['
curl -sS 'U/{a'
curl -s -g 'U/echo?{a}' | head -1
curl -sSfL -XPOST -ofile U/; cat file
curl -s -- U/
curl -sS --url U/
curl -s -D - U/ -o /dev/null
curl -s -D heads U/; cat heads
curl -s --resolve web:18999:127.0.0.1 http://web:18999/echo
curl U/
curl U/chunked
curl -o /dev/null U/big
curl -I U/
curl -d a=1 U/echo
curl -f U/status/404-X
curl http://127.0.0.1:1/
curl -L U/moved
curl U/ U/
curl -sS --retry 1 --retry-connrefused http://127.0.0.1:1
curl -sS --retry 2 U/status/503-X
curl -s --retry 1 -f U/status/503-X
curl -s --create-dirs -o a/b/c U/; cat a/b/c
curl -s --output-dir . -o q U/; cat q
curl -s U/../echo
curl -s 'U/a/../echo?x=../y'
curl -s U/./echo
curl -sk U/
curl -s U/ > /dev/full
curl -sSN U/
curl -4s U/
curl --silent --show-error --location U/moved
curl -s --request-target '*' -X OPTIONS U/echo
"""


def answer(request: bytes) -> bytes:
    """Return the server's answer to a whole request."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ", 2)
    path = target.partition("?")[0]

    def reply(status: str, text: bytes, *more: str, kind: str = "text/plain") -> bytes:
        lines = [f"HTTP/1.1 {status}", "Server: test", f"Content-Type: {kind}", *more]
        lines += [f"Content-Length: {len(text)}", "Connection: close", "", ""]
        return "\r\n".join(lines).encode() + (b"" if method == "HEAD" else text)

    pages = {
        "/": reply("200 OK", b"hello\n"),
        "/echo": reply("200 OK", "\n".join([line, *headers, "", ""]).encode() + body + b"\n"),
        "*": reply("200 OK", f"{line}\n".encode()),
        "/moved": reply("302 Found", b"go away\n", "Location: /"),
        "/moved301": reply("301 Moved Permanently", b"go away\n", "Location: /echo"),
        "/moved307": reply("307 Temporary Redirect", b"go away\n", "Location: echo?x=1"),
        "/loop": reply("302 Found", b"round\n", "Location: /loop"),
        "/zero": reply("200 OK", b""),
        "/big": reply("200 OK", b"x" * 250000),
        "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n world\n\r\n0\r\n\r\n",
        "/badchunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "/tilclose": b"HTTP/1.1 200 OK\r\n\r\nuntil the end\n",
        "/short": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this",
        "/empty": b"",
        "/none": b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "/notmodified": b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n",
        "/nothttp": b"hello there\r\n",
    }
    if path.startswith("/status/"):
        return reply(path[8:].replace("-", " "), f"it is {path[8:]}\n".encode())
    return pages.get(path) if path in pages else reply("404 Not Found", b"no such page\n", kind="text/html")  # type: ignore[return-value]


def whole(data: bytes) -> bool:
    """Say whether a request is there with all of its body."""
    head, end, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


def normal(text: bytes) -> str:
    """Return output without what differs from run to run and from version to version."""
    shown = METER.sub(r"\1 ~", text.decode())
    for old, new in WORDS:
        shown = shown.replace(old, new)
    return re.sub(r"curl/[\d.]+", "curl/<version>", re.sub(r"after \d+ ms", "after <ms> ms", shown))


def command(line: str) -> str:
    """Return a line of LINES as it is run."""
    return re.sub(r"\bU(?=[/?#\s'\"]|$)", f"http://127.0.0.1:{PORT}", line)


def _serve(connection: socket.socket) -> None:
    data = b""
    while not whole(data) and (more := connection.recv(65536)):
        data += more
    connection.sendall(answer(data))
    connection.shutdown(socket.SHUT_WR)
    connection.close()


def _listen(listener: socket.socket) -> None:
    while True:
        threading.Thread(target=_serve, args=(listener.accept()[0],), daemon=True).start()


def main() -> None:
    """Record all lines."""
    listener = socket.create_server(("127.0.0.1", PORT))
    threading.Thread(target=_listen, args=(listener,), daemon=True).start()
    recorded = []
    for line in LINES.strip().splitlines():
        with tempfile.TemporaryDirectory() as folder:
            ran = subprocess.run(["sh", "-c", command(line)], cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)  # fmt: skip
        recorded.append(
            {"line": line, "stdout": normal(ran.stdout), "stderr": normal(ran.stderr), "code": ran.returncode}
        )
    (HERE / "curl_lines.json").write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")
    print(f"{len(recorded)} lines recorded")


if __name__ == "__main__":
    main()
