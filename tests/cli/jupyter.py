"""A JupyterLab that `labkit lab` started, spoken to without a browser: pages, kernels, terminals."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import urllib3
from websocket import create_connection

LABKIT = Path(sys.executable).parent / "labkit"
RUNNING = re.compile(r"(http://(?:127\.0\.0\.1|localhost):\d+(/\S*?))lab\S*\?token=(\w+)")


class Jupyter:
    """The server; `started` is when its command was given."""

    def __init__(self, env, *further, command=(str(LABKIT), "lab")):
        self.started = time.monotonic()
        line = [*command, "--no-browser", "--port", str(_free_port()), *further]
        self.process = subprocess.Popen(
            line, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )
        self.output = []
        # it names its address a moment before it listens
        self.pool = urllib3.PoolManager(
            retries=urllib3.Retry(connect=300, backoff_factor=0.02, backoff_max=0.1, status=0, read=0)
        )
        self.base, self.token = self._address()

    def _address(self):
        for line in self.process.stdout:
            self.output.append(line)
            if found := RUNNING.search(line):
                return found[1].rstrip("/"), found[3]
        raise AssertionError("JupyterLab did not start:\n" + "".join(self.output))

    def elapsed(self):
        return time.monotonic() - self.started

    def ask(self, path, body=None, method=None):
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        answer = self.pool.request(
            method or ("GET" if body is None else "POST"), self.base + path, body=sent, headers=headers
        )
        text = answer.data.decode()
        if answer.status >= 400:
            raise AssertionError(f"{path}: {answer.status} {text}")
        return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text

    def socket(self, path):
        address = self.base.replace("http", "ws", 1) + path
        return create_connection(address, header=[f"Authorization: token {self.token}"], timeout=60)

    def notebook(self, path):
        """Open a notebook as the browser does and return its kernel, idle."""
        wanted = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self.ask("/api/sessions", wanted)["kernel"]["id"]
        return Kernel(self.socket(f"/api/kernels/{kernel}/channels"))

    def terminal(self):
        return Terminal(self.socket(f"/terminals/websocket/{self.ask('/api/terminals', {}, 'POST')['name']}"))

    def stop(self):
        """End it as a closed terminal window does."""
        if self.process.stdout.closed:
            return
        self.pool.clear()
        self.process.terminate()
        self.output += self.process.stdout.readlines()
        self.process.wait(30)
        self.process.stdout.close()


class Kernel:
    """A running kernel."""

    def __init__(self, channel):
        self.channel = channel
        self._send("kernel_info_request", {})
        self._until_idle()

    def run(self, code):
        """Run a cell and return what it printed; an error in it is an error here."""
        self._send("execute_request", {"code": code, "silent": False, "store_history": True, "allow_stdin": False})
        return self._until_idle()

    def close(self):
        self.channel.close()

    def _send(self, kind, content):
        self.message = uuid.uuid4().hex
        header = {
            "msg_id": self.message,
            "msg_type": kind,
            "username": "",
            "session": "s",
            "version": "5.3",
            "date": "",
        }
        document = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.channel.send(json.dumps(document))

    def _until_idle(self):
        text = ""
        while True:
            document = json.loads(self.channel.recv())
            if document["parent_header"].get("msg_id") != self.message:
                continue
            content = document["content"]
            if document["msg_type"] == "error":
                raise AssertionError(f"{content['ename']}: {content['evalue']}")
            if document["msg_type"] == "stream":
                text += content["text"]
            if document["msg_type"] == "status" and content["execution_state"] == "idle":
                return text


class Terminal:
    """A terminal of JupyterLab."""

    def __init__(self, channel):
        self.channel = channel

    def run(self, command):
        """Type a command and return what came until it had ended."""
        self.channel.send(json.dumps(["stdin", f"{command}; echo 'the' 'end'\r"]))
        text = ""
        while "the end" not in text:
            kind, *rest = json.loads(self.channel.recv())
            text += rest[0] if kind == "stdout" else ""
        return text.partition("\n")[2].rpartition("the end")[0].replace("\r", "")

    def close(self):
        self.channel.close()


def fresh_environment(home, **more):
    """Return a newcomer's environment: a home of their own, the system's PATH, nothing of ours."""
    kept = {key: os.environ[key] for key in ("LANG", "TERM", "TMPDIR", "SHELL") if key in os.environ}
    return {**kept, "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", **more}


def _free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]
