"""`labkit lab` from start to end, without a browser: the page, a kernel, a terminal with kubectl, and how fast the second start is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from jupyter import LABKIT, Jupyter, fresh_environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A fresh HOME whose learner's folder is in it."""
    folder = tmp_path_factory.mktemp("home")
    env = fresh_environment(folder, LABKIT_FOLDER=str(folder / "work"))
    yield env
    subprocess.run([LABKIT, "down", "--delete"], env=env, check=True, capture_output=True)


@pytest.fixture(scope="module")
def lab(home):
    """JupyterLab of a first `make lab`."""
    server = Jupyter(home)
    yield server
    server.stop()


def names(text):
    return [line.split()[0] for line in text.splitlines() if line.startswith("lab-")]


NODES = ["lab-control-plane", "lab-worker", "lab-worker2"]


def test_the_page_answers(lab):
    assert "<title>JupyterLab</title>" in lab.ask("/lab")
    first = min(path.name for path in Path(lab_folder(lab)).glob("0*.ipynb"))
    assert lab.ask(f"/api/contents/{first}?content=0")["type"] == "notebook"


def lab_folder(lab):
    line = next(line for line in lab.output if "your labs are in" in line)
    return line.strip().rpartition(" ")[2]


def test_a_terminal_has_kubectl_and_the_cluster(lab):
    terminal = lab.terminal()
    assert names(terminal.run("kubectl get nodes")) == NODES
    assert terminal.run("command -v labkit").strip().endswith(str(LABKIT))
    assert "LABKIT_PROVIDER" not in terminal.run("env"), (
        "the folder remembers the provider: it may be changed in a cell"
    )
    terminal.close()


def test_a_kernel_has_kubectl_and_the_cluster(lab):
    kernel = lab.notebook("scratch.ipynb")
    assert names(kernel.run("!kubectl get nodes")) == NODES
    assert "lab-01" in kernel.run("import kit\nlab = kit.lab('01')\nprint(lab)")
    assert "No resources found in lab-01 namespace" in kernel.run("!kubectl get services")
    kernel.close()


def test_our_settings_are_the_defaults(lab):
    news = lab.ask("/lab/api/settings/@jupyterlab/apputils-extension:notification")["schema"]["properties"]
    assert (news["fetchNews"]["default"], news["checkForUpdates"]["default"]) == ("false", False)
    widgets = lab.ask("/lab/api/settings/@jupyter-widgets/jupyterlab-manager:plugin")["schema"]["properties"]
    assert widgets["saveState"]["default"] is True


def test_an_edited_notebook_stays(home, lab):
    folder = Path(lab_folder(lab))
    mine = folder / "01_pods.ipynb"
    document = json.loads(mine.read_text(encoding="utf-8"))
    document["cells"].append({"cell_type": "markdown", "id": "mine", "metadata": {}, "source": "my note"})
    mine.write_text(json.dumps(document), encoding="utf-8")
    lab.stop()
    subprocess.run([LABKIT, "down"], env=home, check=True, capture_output=True)

    again = Jupyter(home)
    try:
        again.ask("/lab")
        nodes = [str(LABKIT.with_name("kubectl")), "--kubeconfig", kubeconfig(home), "get", "nodes"]
        assert names(subprocess.run(nodes, env=home, check=True, capture_output=True, text=True).stdout) == NODES
        again.notebook("01_pods.ipynb").close()
    finally:
        again.stop()
    assert "my note" in mine.read_text(encoding="utf-8")


def kubeconfig(env):
    return subprocess.run([LABKIT, "kubeconfig"], env=env, check=True, capture_output=True, text=True).stdout.strip()
