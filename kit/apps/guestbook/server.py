"""The guestbook's edge: sockets, database connection, signals. `guestbook serve` runs the app, `guestbook probe URL` asks for ever."""

import asyncio
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

sys.path.insert(0, str(Path(__file__).parent))
import handler  # type: ignore[import-not-found]

BANNER = Path("/etc/guestbook/banner.txt")
CONFIG = handler.settings(os.environ, socket.gethostname())
STATE = handler.State()


def say(line: str) -> None:
    """Write a line into the log at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def ask_database(commands: list[list[str]]) -> tuple[list[object], str]:
    """Send commands to redis -> their replies, and "" or what went wrong."""
    if not commands:
        return [], ""
    login = [["AUTH", CONFIG.db_password]] if CONFIG.db_password else []
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(CONFIG.db_host, CONFIG.db_port)
            try:
                replies = []
                for command in [*login, *commands]:
                    writer.write(handler.encode_command(command))
                    replies.append(await read_reply(reader))
            finally:
                writer.close()
    except asyncio.IncompleteReadError:
        return [], "connection closed"
    except (OSError, TimeoutError) as error:
        return [], handler.problem_of(error)
    errors = [str(reply) for reply in replies if isinstance(reply, ValueError)]
    return replies[len(login) :], errors[0] if errors else ""


async def read_reply(reader: asyncio.StreamReader) -> object:
    """Read one reply of redis; an error is returned as a `ValueError`."""
    line = (await reader.readuntil(b"\r\n"))[:-2].decode(errors="replace")
    mark, text = line[0], line[1:]
    if mark == "*":
        return [await read_reply(reader) for _ in range(int(text))]
    if mark == "$":
        return (await reader.readexactly(int(text) + 2))[:-2].decode(errors="replace") if text != "-1" else ""
    return ValueError(text) if mark == "-" else int(text) if mark == ":" else text


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request and close."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in head[1:])}
    body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode(errors="replace")
    url = urlsplit(target)
    request = handler.Request(method, url.path, dict(parse_qsl(url.query)), body)
    replies, problem = await ask_database(handler.database_commands(request))
    banner = BANNER.read_text() if BANNER.is_file() else ""
    response = handler.respond(request, CONFIG, STATE, banner, replies, problem)
    if response.then == "burn":
        end = time.process_time() + response.seconds
        while time.process_time() < end:
            await asyncio.sleep(0)
    elif response.then == "wait":
        await asyncio.sleep(response.seconds)
    writer.write(handler.encode_response(request, response, CONFIG))
    await writer.drain()
    writer.close()
    say(handler.log_line(request, response))
    if response.then == "exit":
        os._exit(1)
    elif response.then == "hang":
        time.sleep(10**6)  # this blocks the whole server, as a deadlock would


async def serve() -> None:
    """Run until SIGTERM, then let requests under way finish."""
    running: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve_one(reader, writer))
        running.add(task)
        await asyncio.wait([task])
        running.discard(task)
        task.exception()  # a broken request is nobody else's business

    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    server = await asyncio.start_server(accept, "0.0.0.0", CONFIG.port)
    say(f"guestbook {CONFIG.version} listens on {CONFIG.port}, database {CONFIG.db_host}:{CONFIG.db_port}")
    await stopped.wait()
    say("SIGTERM: finishing")
    server.close()
    if running:
        await asyncio.wait(running)


def probe(url: str) -> None:
    """Ask `url` twice a second; print time, status and answering Pod."""
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 -- the URL is the operator's
                status, pod = str(answer.status), answer.headers.get("X-Pod", "-")
        except urllib.error.HTTPError as error:
            status, pod = str(error.code), error.headers.get("X-Pod", "-")
        except OSError as error:
            status, pod = handler.problem_of(getattr(error, "reason", error)).replace(" ", "-"), "-"
        say(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {status} {pod}")
        time.sleep(0.5)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    probe(sys.argv[2]) if sys.argv[1:2] == ["probe"] else asyncio.run(serve())
