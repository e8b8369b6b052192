"""The image `python`: it tells its version and refuses to run scripts, which would be the learner's code on the host."""

from __future__ import annotations

from kit.embedded.core.filesystem import build
from kit.embedded.core.inodes import Dir, File, Link, Node
from kit.embedded.core.program import Context, Program, Steps, Write
from kit.embedded.images.busybox.image import devices, shell_files
from kit.embedded.images.curl import curl_files
from kit.embedded.images.image import Image
from kit.embedded.images.registry import Family

REFUSAL = (
    "python3: the embedded cluster does not run Python programs; "
    "on a kind cluster (labkit up --provider kind) this image is the real one\n"
)
PASSWD = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
LINES = {"3.13": 9, "3.14": 2, "3.12": 12, "3.11": 14, "3.10": 19, "3.9": 25}


def python_program(version: str) -> Program:
    """Return the program `python3` of one version."""

    def run(ctx: Context) -> Steps:
        if ctx.argv[1:2] in (["-V"], ["--version"]):
            yield Write(1, f"Python {version}\n".encode())
            return 0
        yield Write(2, REFUSAL.encode())
        return 1

    return run


def python(tag: str, version: str) -> Image:
    """Return the image `python:tag`."""
    program = File(b"\x7fELF", 0o755, program=python_program(version))
    files: dict[str, bytes | str | Node | None] = {
        **shell_files(without=frozenset(("wget", "vi", "nslookup", "ping"))),
        **devices(),
        **(
            curl_files() if not {"slim", "alpine"} & set(tag.split("-")) else {}
        ),  # the whole ones stand on buildpack-deps
        "/tmp": Dir(mode=0o1777),  # noqa: S108 -- a path in the container
        "/root": Dir(mode=0o700),
        "/proc": None,
        "/etc/passwd": PASSWD,
        "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
        "/etc/hosts": "127.0.0.1\tlocalhost\n",
        "/usr/local/bin/python3": program,
        "/usr/local/bin/python": Link("python3"),
    }
    env = {
        "PATH": "/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHON_VERSION": version,
    }
    return Image("python", tag, build(files), command=("python3",), env=env, size=45_000_000)


FAMILY = Family(
    "python",
    python,
    LINES,
    {"latest": "3.14.2", "3": "3.14.2", "slim": "3.14.2", "3-slim": "3.14.2"},
    ("-slim", "-alpine", "-bookworm", "-slim-bookworm", "-trixie", "-slim-trixie"),
)
