"""How long the cluster map takes to follow a change among 500 objects: prints {"update_ms": N} as its last line.

From the objects in the kernel to the painted frame: scene and JSON in Python, parsing, drawing and the next frame in Chromium.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "view"))
from browsing import Browser
from cluster_objects import crowd, pod

import kit.widgets.picture
from kit.view import graph

SIZE = 500
ROUNDS = 25
SHOW = """async (text) => {
  const module = await import('data:text/javascript;base64,' + btoa(unescape(encodeURIComponent(text))));
  const heard = {}, state = { scene: { title: '', boxes: [], lines: [], w: 1, h: 1 }, said: '' };
  const model = { get: (key) => state[key], on: (what, act) => { heard[what] = act; }, off: () => {} };
  const el = document.createElement('div');
  document.body.append(el);
  module.default.render({ model, el });
  window.update = (json) => new Promise((done) => {
    const begun = performance.now();
    state.scene = JSON.parse(json);
    heard['change:scene']();
    const painted = new MessageChannel();
    painted.port1.onmessage = () => done(performance.now() - begun);
    requestAnimationFrame(() => painted.port2.postMessage(0));
  });
}"""


def objects(turn, before):
    """Return 500 objects; in every turn one Pod is another one and some have another state. The others are the same dicts, as a watch leaves them."""
    found = list(before)
    for number in range(turn % 7, len(found), 97):
        if found[number]["kind"] == "Pod":
            found[number] = pod(found[number]["metadata"]["name"], ready=bool(turn % 2))
    return [*found, pod(f"pod-{turn * 13 % 400:03}-new")]


def main():
    """Measure and print."""
    here = Path(kit.widgets.picture.__file__).parent
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(profile, viewport={"width": 1400, "height": 1000})
        try:
            browser.page.set_content(f"<style>{(here / 'picture.css').read_text()}</style>")
            browser.page.evaluate(SHOW, (here / "picture.js").read_text())
            kernel, page, memory, before = [], [], graph.Memory(), crowd(SIZE - 1)
            for turn in range(ROUNDS):
                given = objects(turn, before)
                begun = time.perf_counter()
                text = json.dumps(graph.scene(given, "Namespace lab-01", memory).data())
                kernel.append((time.perf_counter() - begun) * 1000)
                page.append(browser.page.evaluate("(text) => window.update(text)", text))
            drawn = browser.page.locator(".kit-box").count()
        finally:
            browser.close()
    assert drawn == SIZE, drawn
    both = [one + other for one, other in zip(kernel[1:], page[1:], strict=True)]
    print(
        f"kernel {statistics.median(kernel[1:]):.1f} ms, browser {statistics.median(page[1:]):.1f} ms, slowest {max(both):.1f} ms"
    )
    print(json.dumps({"update_ms": round(statistics.median(both), 1)}))


if __name__ == "__main__":
    main()
