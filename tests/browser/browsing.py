"""Chromium on a JupyterLab: opens notebooks, runs cells, and remembers what the page asked for and complained about."""

from __future__ import annotations

import shutil
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IDLE = """() => {
  const kernel = window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel;
  return kernel && kernel.status === 'idle' && kernel.connectionStatus === 'connected';
}"""
RUN = """async ([index, source]) => {
  const panel = window.jupyterapp.shell.currentWidget, book = panel.content;
  book.activeCellIndex = index;
  if (source !== null) book.activeCell.model.sharedModel.setSource(source);
  await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
INSERT = """async (index) => {
  window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
  await window.jupyterapp.commands.execute('notebook:insert-cell-below');
}"""
SOURCES = (
    """() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map((c) => c.sharedModel.getSource())"""
)
OUTPUT = """(index) => {
  const found = window.jupyterapp.shell.currentWidget.content.model.cells.get(index).outputs, out = [];
  for (let i = 0; i < found.length; i++) out.push(found.get(i).toJSON());
  return out;
}"""
# Every position of a box, frame by frame, as long as the page lives.
SAMPLE = """(name) => {
  const seen = (window.kitSeen = []);
  const look = () => {
    const box = document.querySelector(`.kit-box[aria-label^="${name},"]`);
    if (box) { const y = new DOMMatrix(getComputedStyle(box).transform).f; if (seen.at(-1) !== y) seen.push(y); }
    requestAnimationFrame(look);
  };
  look();
}"""


class Browser:
    """One window with a profile of its own."""

    def __init__(self, profile, **options):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        assert program, "Chromium is missing: `make system` says how to get it"
        self._playwright = sync_playwright().start()
        self._context = self._playwright.chromium.launch_persistent_context(
            str(profile), executable_path=program, headless=True, args=FLAGS, **options
        )
        self._context.set_default_timeout(30_000)
        self.page = self._context.pages[0]
        self.complaints = []
        self.strangers = []
        self._context.on("request", self._asked)
        self.page.on("websocket", self._asked)
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))

    def _asked(self, request):
        address = urlsplit(request.url)
        if address.hostname not in ("127.0.0.1", "localhost", None):
            self.strangers.append(request.url)

    def _said(self, message):
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def open(self, jupyter, name):
        """Open a notebook in JupyterLab; its kernel is idle when this returns."""
        jupyter.ask("/api")  # a server names its address a moment before it listens; this asks again
        self.page.goto(f"{jupyter.base}/lab/tree/{name}?token={jupyter.token}&reset")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Notebook .jp-Cell")
        self.page.wait_for_function(IDLE)

    def sources(self):
        """Return the text of every cell."""
        return self.page.evaluate(SOURCES)

    def run(self, index, source=None):
        """Run a cell, with another text when one is given, and return its outputs."""
        self.page.evaluate(RUN, [index, source])
        outputs = self.page.evaluate(OUTPUT, index)
        failed = [output for output in outputs if output["output_type"] == "error"]
        assert not failed, failed
        return outputs

    def insert(self, below, source):
        """Insert a cell and run it."""
        self.page.evaluate(INSERT, below)
        return self.run(below + 1, source)

    def begin(self, below, source):
        """Insert a cell and run it, without waiting for its end."""
        self.page.evaluate(INSERT, below)
        self.page.evaluate(f"([index, source]) => {{ ({RUN})([index, source]); }}", [below + 1, source])

    def words(self, index, source=None):
        """Run a cell and return what it shows as plain text."""
        outputs = self.run(index, source)
        parts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs]
        return "".join(part if isinstance(part, str) else "".join(part) for part in parts)

    def cell(self, index):
        """Return the locator of a cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def close(self):
        """Close the window."""
        self._context.close()
        self._playwright.stop()
