"""The learner's way in a real browser: JupyterLab on lab 01, the live map, a check that turns green, both themes, a hub's address.

With `LABKIT_SCREENSHOTS=1` the pictures under docs/img are taken anew.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "cli"))
from browsing import SAMPLE, Browser
from jupyter import LABKIT, Jupyter, fresh_environment

TESTS = Path(__file__).parent.parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
KUBECTL = str(LABKIT.with_name("kubectl"))
IMAGES = TESTS.parent / "docs" / "img"
LAB = "01_pods.ipynb"
# JupyterLab's own, none of them ours; each is a whole complaint.
ALLOWED = ()
# Every cell is in the page, not only those in sight.
SETTINGS = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The environment of a newcomer, with a cluster of their own."""
    folder = tmp_path_factory.mktemp("home")
    config = folder / "config" / "labconfig"
    config.mkdir(parents=True)
    (config / "default_setting_overrides.json").write_text(json.dumps(SETTINGS))
    env = fresh_environment(folder, LABKIT_FOLDER=str(folder / "work"), JUPYTER_CONFIG_PATH=str(config.parent))
    yield env
    subprocess.run([LABKIT, "down", "--delete"], env=env, check=True, capture_output=True)


@pytest.fixture(scope="module")
def jupyter(home):
    server = Jupyter(home)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    window = Browser(tmp_path_factory.mktemp("profile"), viewport={"width": 1280, "height": 1000})
    yield window
    window.close()


@pytest.fixture
def kubectl(home):
    """Run kubectl as in a terminal beside the browser."""
    path = subprocess.run([LABKIT, "kubeconfig"], env=home, check=True, capture_output=True, text=True).stdout.strip()

    def run(*words):
        line = [KUBECTL, "--kubeconfig", path, "--namespace", "lab-01", *words]
        return subprocess.run(line, env=home, check=True, capture_output=True, text=True).stdout

    return run


@pytest.fixture(autouse=True)
def quiet(request):
    """After every test: the console is free of errors, and nothing was asked of another machine."""
    yield
    if "browser" in request.fixturenames:
        window = request.getfixturevalue("browser")
        assert [text for text in window.complaints if not any(known in text for known in ALLOWED)] == []
        assert window.strangers == []


def solution():
    """Return the solved cell of X1.1, from the solutions."""
    cells = json.loads((TESTS.parent / "solutions" / LAB).read_text(encoding="utf-8"))["cells"]
    return next("".join(c["source"]) for c in cells if "redis:8" in "".join(c["source"]) and c["cell_type"] == "code")


def picture(name, page, **options):
    if os.environ.get("LABKIT_SCREENSHOTS"):
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=IMAGES / f"{name}.png", **options)


def top(browser, index):
    """Scroll a cell to the top, as a learner does."""
    browser.cell(index).evaluate("cell => cell.scrollIntoView()")


def box(browser, name):
    return browser.page.locator(f'.kit-box[aria-label^="{name}"]')


def started(browser, jupyter):
    """Open lab 01 and run its first cell; return the index of each cell by its text."""
    browser.open(jupyter, LAB)
    where = {source: index for index, source in enumerate(browser.sources())}
    assert "lab-01" in browser.words(0)
    return where


def test_the_check_turns_green_and_the_map_shows_it(browser, jupyter, kubectl):
    where = started(browser, jupyter)
    check = where['lab.check("X1.1")']
    assert "TODO" in browser.words(check)
    browser.insert(check, "lab.graph()")
    kubectl("create", "deployment", "web", "--image=nginx:1.30", "--replicas=3")
    kubectl("expose", "deployment", "web", "--port=80")
    box(browser, "Service web").wait_for()
    assert box(browser, "Pod db").count() == 0
    browser.run(check - 1, solution())
    box(browser, "Pod db").wait_for()
    kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=30s")
    assert "PASS" in browser.words(check)
    browser.page.locator('.kit-box[data-state="good"][aria-label^="Pod db"]').wait_for()
    top(browser, check - 2)
    assert box(browser, "Pod web").count() == 3
    picture("lab-01", browser.page)


def test_a_deleted_pod_leaves_the_map(browser, kubectl):
    shown = box(browser, "Pod db")
    shown.wait_for()
    kubectl("delete", "pod", "db", "--wait=false", "--grace-period=0", "--force")
    begun = time.monotonic()
    shown.wait_for(state="detached", timeout=3000)
    assert time.monotonic() - begun < 3
    assert "Pod db removed" in browser.page.locator(".kit-said").first.inner_text()


def moved(browser, kubectl, name):
    """Let a Pod come in above `Pod zz` and return the places at which that was seen."""
    kubectl("run", "zz", "--image=nginx:1.30")
    kubectl("wait", "--for=condition=Ready", "pod/zz", "--timeout=30s")
    browser.page.locator('.kit-box[data-state="good"][aria-label^="Pod zz"]').wait_for()
    browser.page.wait_for_timeout(600)  # where it stands now, it stays
    browser.page.evaluate(SAMPLE, "Pod zz")
    kubectl("run", name, "--image=nginx:1.30")
    box(browser, f"Pod {name}").wait_for()
    browser.page.wait_for_timeout(600)
    seen = browser.page.evaluate("window.kitSeen")
    kubectl("delete", "pod", "zz", name, "--now")
    box(browser, "Pod zz").wait_for(state="detached")
    assert seen[0] < seen[-1]
    return seen


def test_boxes_move_smoothly(browser, kubectl):
    seen = moved(browser, kubectl, "aa")
    assert len(seen) > 4 and seen == sorted(seen)


def test_boxes_jump_when_less_motion_is_wanted(browser, kubectl):
    browser.page.emulate_media(reduced_motion="reduce")
    assert len(moved(browser, kubectl, "ab")) == 2
    browser.page.emulate_media(reduced_motion="no-preference")


def test_the_map_is_usable_by_keyboard_and_ear(browser):
    drawing = browser.page.locator(".kit-picture svg").first
    heard = drawing.aria_snapshot()
    assert re.match(r'- list "Namespace lab-01, \d+ objects":', heard), heard
    assert 'listitem "Deployment web, 3/3 ready"' in heard
    assert drawing.locator('[tabindex="0"]').count() == 1
    drawing.locator('[tabindex="0"]').focus()
    labels = []
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"):
        browser.page.keyboard.press(key)
        labels.append(browser.page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert labels[0] == labels[2] != labels[1] and None not in labels
    assert drawing.locator('[tabindex="0"]').count() == 1


@pytest.fixture(scope="module")
def axe():
    """The text of axe-core, as the dev dependency `axe-playwright-python` carries it."""
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def violations(browser, axe, within):
    """Return what axe finds serious inside our widgets."""
    browser.page.evaluate(axe)
    found = browser.page.evaluate("(where) => axe.run({include: [[where]]}, {resultTypes: ['violations']})", within)
    assert found["passes"], "axe looked at nothing"
    return [
        (rule["id"], rule["help"], [node["html"][:200] for node in rule["nodes"]][:3])
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]


def test_the_board_and_the_dark_theme(browser, jupyter, axe):
    where = {source: index for index, source in enumerate(browser.sources())}
    board = where["lab.board()"]
    browser.run(board)
    shown = browser.cell(board).locator(".kit-picture svg")
    shown.wait_for()
    assert "Node lab-worker" in shown.aria_snapshot()
    top(browser, board - 1)
    picture("board", browser.page)
    assert violations(browser, axe, ".kit-picture") == []
    light = colours(browser)
    browser.page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    browser.page.wait_for_selector('[data-jp-theme-light="false"]', state="attached")
    browser.page.wait_for_timeout(800)
    assert colours(browser) != light
    top(browser, where['lab.check("X1.1")'] - 2)
    picture("dark", browser.page)
    assert violations(browser, axe, ".kit-picture") == []
    browser.page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    browser.page.wait_for_selector('[data-jp-theme-light="true"]', state="attached")


def colours(browser):
    """Return the ink of the first name and the first frame."""
    look = "(what) => { const s = getComputedStyle(document.querySelector(what)); return s.fill + s.stroke; }"
    return [browser.page.evaluate(look, what) for what in (".kit-picture .kit-name", ".kit-picture .kit-box > rect")]


def test_the_parsons_board_by_keyboard(browser, axe):
    """Keys that come while the kernel is busy mean what the learner saw when they pressed them."""
    last = len(browser.sources()) - 1
    browser.insert(
        last, 'import kit.widgets as w\nw.ParsonsBoard(["kind: Pod", "metadata:"], lambda text: "got " + text)'
    )
    cell = browser.cell(last + 1)
    pool, chosen = cell.locator("select").first, cell.locator("select").nth(1)
    pool.wait_for()
    browser.begin(last + 1, "import threading\nthreading.Event().wait(2)")
    pool.focus()
    browser.page.keyboard.press("ArrowDown")
    browser.page.keyboard.press("ArrowDown")
    cell.get_by_role("button", name="take").focus()
    browser.page.keyboard.press("Enter")
    chosen.locator("option", has_text="metadata:").wait_for(state="attached")
    cell.get_by_role("button", name="Apply").focus()
    browser.page.keyboard.press("Enter")
    cell.locator("pre", has_text="got metadata:").wait_for()
    assert cell.locator("select").evaluate_all("all => all.map((one) => one.labels[0].innerText)") == [
        "Lines to choose from",
        "Your manifest",
    ]
    assert violations(browser, axe, ".kit-board") == []


def test_under_the_address_of_a_hub(browser, home, jupyter, kubectl):
    hub = Jupyter(home, "--ServerApp.base_url=/user/bob/")
    try:
        assert hub.base.endswith("/user/bob")
        where = started(browser, hub)
        browser.insert(where["lab.board()"], "lab.graph()")
        kubectl("run", "bob", "--image=nginx:1.30")
        box(browser, "Pod bob").first.wait_for()
        kubectl("delete", "pod", "bob", "--now")
        box(browser, "Pod bob").first.wait_for(state="detached", timeout=3000)
        browser.page.goto("about:blank")
    finally:
        hub.stop()
