"""Every kubectl command that the labs use, typed at a whole cluster."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.both]

SLEEPER = "trap 'exit 0' TERM; sleep 3600 & wait"
TWO = """
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  containers:
  - {name: one, image: "busybox:1.37", command: [sh, -c, "echo from one; sleep 3600"]}
  - {name: other, image: "busybox:1.37", command: [sh, -c, "echo from other; sleep 3600"]}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: '1'}\n"


def test_run_and_get(kubectl: Any) -> None:
    assert kubectl("run", "p", "--image=busybox:1.37", "--labels=a=b", "--", "sleep", "3600") == "pod/p created\n"
    assert "condition met" in kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=20s")
    line = kubectl("get", "pod", "p", "-o", "wide", "--no-headers").split()
    assert line[:4] == ["p", "1/1", "Running", "0"]
    assert line[5].startswith("10.244.")
    assert line[6].startswith("lab-worker")
    assert kubectl("get", "pod", "p", "-o", "jsonpath={.metadata.labels.a}") == "b"
    assert (
        kubectl(
            "run",
            "once",
            "-i",
            "--rm",
            "--quiet",
            "--restart=Never",
            "--image=busybox:1.37",
            "--",
            "cat",
            stdin="hello\n",
        )
        == "hello\n"
    )


def test_exec(kubectl: Any) -> None:
    kubectl.pod("p", SLEEPER)
    assert kubectl("exec", "p", "--", "echo", "hi there") == "hi there\n"
    assert kubectl("exec", "-i", "p", "--", "wc", "-l", stdin="a\nb\n").strip() == "2"
    done = kubectl.run("exec", "p", "--", "sh", "-c", "echo bad >&2; exit 3")
    assert (done.returncode, done.stderr) == (3, "bad\ncommand terminated with exit code 3\n")


def test_exec_with_a_terminal(kubectl: Any) -> None:
    kubectl.pod("p", SLEEPER)
    with kubectl.terminal("exec", "-it", "p", "--", "sh") as shell:
        shell.until("/ # ")
        shell.type("echo $((6 * 7))\n")
        shell.until("\r\n42\r\n")
        shell.until("/ # ")
        shell.type("sleep 100\n")
        time.sleep(0.3)
        shell.type("\x03")
        shell.until("/ # ")
        shell.type("exit 4\n")
        assert shell.end() == 4


def test_logs(kubectl: Any) -> None:
    kubectl("apply", "-f", "-", stdin=TWO)
    kubectl("wait", "--for=condition=Ready", "pod/two", "--timeout=20s")
    assert kubectl("logs", "two", "-c", "other") == "from other\n"
    lines = kubectl("logs", "two", "--all-containers", "--prefix").splitlines()
    assert sorted(lines) == [
        "[pod/two/one] from one",
        "[pod/two/other] from other",
    ]  # kubectl asks in the order of a Go map
    done = kubectl.run("logs", "two", "-c", "none")
    assert (done.returncode, done.stderr) == (1, "error: container none is not valid for pod two out of: one, other\n")


def test_logs_follow(kubectl: Any) -> None:
    kubectl.pod("p", "n=0; while true; do echo line $n; n=$((n + 1)); sleep 0.2; done")
    with kubectl.begin("logs", "-f", "p", "--tail=1") as logs:
        seen = logs.until("line 8\n")
        assert "line 7\n" in seen
    assert len(kubectl("logs", "p", "--tail=2").splitlines()) == 2
    assert kubectl("logs", "p", "--timestamps", "--tail=1").split()[0].endswith("Z")


def test_logs_previous(kubectl: Any) -> None:
    kubectl("run", "p", "--image=busybox:1.37", "--", "sh", "-c", "echo round; sleep 1; exit 1")
    kubectl.until("get", "pod", "p", "-o", "jsonpath={.status.containerStatuses[0].restartCount}", shows="1")
    kubectl.until("logs", "p", "--previous", shows="round\n")


def test_wait(kubectl: Any) -> None:
    done = kubectl.run("wait", "--for=condition=Ready", "pod/none", "--timeout=1s")
    assert (done.returncode, done.stderr) == (1, 'Error from server (NotFound): pods "none" not found\n')
    kubectl.pod("p", SLEEPER)
    with kubectl.begin("wait", "--for=delete", "pod/p", "--timeout=20s") as waiting:
        time.sleep(0.3)
        kubectl("delete", "pod", "p", "--grace-period=1")
        waiting.until("pod/p condition met")
        assert waiting.end() == 0
    done = kubectl.run("wait", "--for=jsonpath={.data.a}=2", "cm/kube-root-ca.crt", "--timeout=1s")
    assert done.returncode == 1
    assert "timed out waiting for the condition" in done.stderr


def test_port_forward(kubectl: Any) -> None:
    kubectl("run", "web", "--image=nginx:1.30", "--port=80", "--expose")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=20s")
    for target in ("pod/web", "svc/web"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with kubectl.begin("port-forward", target, f"{port}:80") as forward:
            forward.until(f"Forwarding from 127.0.0.1:{port} -> 80\n")
            for _ in range(3):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
                    assert b"Welcome to nginx!" in page.read()


def test_cp(kubectl: Any) -> None:
    kubectl.pod("p", SLEEPER)
    folder = kubectl.folder / "there"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("alpha\n" * 5000)
    (folder / "sub" / "b.txt").write_text("beta\n")
    kubectl("cp", "there", f"{kubectl.namespace}/p:/tmp/here")
    assert kubectl("exec", "p", "--", "cat", "/tmp/here/sub/b.txt") == "beta\n"
    kubectl("exec", "p", "--", "sh", "-c", "echo gamma > /tmp/here/c.txt")
    kubectl("cp", "p:/tmp/here", "back")
    back = kubectl.folder / "back"
    assert (back / "a.txt").read_text() == "alpha\n" * 5000
    assert (back / "c.txt").read_text() == "gamma\n"


def test_edit(kubectl: Any) -> None:
    kubectl("apply", "-f", "-", stdin=MAP)
    script = kubectl.folder / "editor.sh"
    script.write_text("#!/bin/sh\nsed -i 's/^  a:.*/  a: nine/' \"$1\"\n")
    script.chmod(0o755)
    assert kubectl("edit", "cm", "m", EDITOR=str(script)) == "configmap/m edited\n"
    assert kubectl("get", "cm", "m", "-o", "jsonpath={.data.a}") == "nine"
    done = kubectl.run("edit", "cm", "m", EDITOR="true")
    assert done.stdout + done.stderr == "Edit cancelled, no changes made.\n"


def test_attach(kubectl: Any) -> None:
    kubectl(
        "run",
        "p",
        "--image=busybox:1.37",
        "-i",
        "--attach=false",
        "--stdin",
        "--",
        "sh",
        "-c",
        "while read x; do echo got $x; done",
    )
    kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=20s")
    with kubectl.begin("attach", "-i", "p") as attached:
        attached.type("one\n")
        attached.until("got one\n")
        attached.type("two\n")
        attached.until("got two\n")


def test_debug(kubectl: Any) -> None:
    """An ephemeral container runs, or the cluster says clearly that it does not."""
    kubectl.pod("p", SLEEPER)
    done = kubectl.run("debug", "p", "--image=busybox:1.37", "-c", "dbg", "--", "echo", "from the debugger")
    if done.returncode == 0:
        kubectl.until("logs", "p", "-c", "dbg", shows="from the debugger\n")
    else:
        assert "embedded cluster" in done.stderr, done.stderr


def test_get_watch(kubectl: Any) -> None:
    with kubectl.begin("get", "pods", "-w") as watching:
        time.sleep(0.3)
        kubectl("run", "p", "--image=busybox:1.37", "--", "sleep", "3600")
        text = watching.until("Running")
        assert text.index("Pending") < text.index("ContainerCreating") < text.index("Running")


@pytest.fixture
def deployment(kubectl: Any) -> Any:
    """Return kubectl in a namespace with a Deployment `web` of two."""
    kubectl("create", "deployment", "web", "--image=nginx:1.30", "--replicas=2", "--port=80")
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    return kubectl


def test_rollout(deployment: Any) -> None:
    assert deployment("set", "image", "deploy/web", "nginx=nginx:1.31") == "deployment.apps/web image updated\n"
    assert deployment("rollout", "status", "deploy/web", "--timeout=30s").endswith(
        'deployment "web" successfully rolled out\n'
    )
    assert deployment("rollout", "history", "deploy/web").split()[-4:] == ["1", "<none>", "2", "<none>"]
    assert deployment("rollout", "undo", "deploy/web") == "deployment.apps/web rolled back\n"
    assert (
        deployment("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}") == "nginx:1.30"
    )
    assert deployment("rollout", "pause", "deploy/web") == "deployment.apps/web paused\n"
    assert deployment("rollout", "resume", "deploy/web") == "deployment.apps/web resumed\n"
    assert deployment("rollout", "restart", "deploy/web") == "deployment.apps/web restarted\n"
    deployment("rollout", "status", "deploy/web", "--timeout=30s")


def test_scale_and_expose(deployment: Any) -> None:
    assert deployment("scale", "deploy/web", "--replicas=3") == "deployment.apps/web scaled\n"
    deployment("wait", "--for=jsonpath={.status.readyReplicas}=3", "deploy/web", "--timeout=20s")
    assert deployment("expose", "deploy/web", "--port=80") == "service/web exposed\n"
    listed = deployment.until("get", "endpointslices", "-l", "kubernetes.io/service-name=web", shows="10.244.")
    assert "10.244." in listed
    assert deployment("describe", "svc", "web").startswith("Name:")


def test_label_and_annotate(kubectl: Any) -> None:
    kubectl("apply", "-f", "-", stdin=MAP)
    assert kubectl("label", "cm", "m", "a=b") == "configmap/m labeled\n"
    assert kubectl.run("label", "cm", "m", "a=c").returncode == 1
    assert kubectl("label", "cm", "m", "a-") == "configmap/m unlabeled\n"
    assert kubectl("annotate", "cm", "m", "note=x") == "configmap/m annotated\n"


def test_patch(deployment: Any) -> None:
    asked = {
        "strategic": '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","env":[{"name":"A","value":"1"}]}]}}}}',
        "merge": '{"metadata":{"labels":{"by":"merge"}}}',
        "json": '[{"op":"add","path":"/metadata/labels/json","value":"yes"}]',
    }
    for kind, text in asked.items():
        assert deployment("patch", "deploy", "web", "--type", kind, "-p", text) == "deployment.apps/web patched\n"
    found = json.loads(deployment("get", "deploy", "web", "-o", "json"))
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1.30"
    assert found["metadata"]["labels"] == {"app": "web", "by": "merge", "json": "yes"}
    assert deployment("patch", "deploy", "web", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":1}}')
    assert deployment("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}") == "1"


def test_apply(kubectl: Any) -> None:
    assert kubectl("apply", "-f", "-", stdin=MAP) == "configmap/m created\n"
    assert kubectl("apply", "-f", "-", stdin=MAP) == "configmap/m unchanged\n"
    assert kubectl("apply", "-f", "-", stdin=MAP.replace("'1'", "'2'")) == "configmap/m configured\n"
    assert (
        kubectl("apply", "--server-side", "-f", "-", stdin=MAP.replace("m}", "s}"))
        == "configmap/s serverside-applied\n"
    )
    changed = MAP.replace("m}", "s}").replace("'1'", "'2'")
    done = kubectl.run("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=changed)
    assert 'conflict with "kubectl": .data.a' in done.stderr
    done = kubectl.run("diff", "-f", "-", stdin=MAP)
    assert done.returncode == 1
    assert '-  a: "2"\n+  a: "1"' in done.stdout


def test_delete(kubectl: Any) -> None:
    kubectl.pod("p", SLEEPER)
    began = time.monotonic()
    assert kubectl("delete", "pod", "p") == f'pod "p" deleted from {kubectl.namespace} namespace\n'
    assert time.monotonic() - began < 10
    done = kubectl.run("get", "pod", "p")
    assert done.stderr == 'Error from server (NotFound): pods "p" not found\n'


def test_who_am_i(kubectl: Any) -> None:
    assert "kubernetes-admin" in kubectl("auth", "whoami")
    assert kubectl("auth", "can-i", "delete", "nodes") == "yes\n"


def test_looking_around(kubectl: Any) -> None:
    assert "v1.37" in kubectl("version")
    assert "control plane" in kubectl("cluster-info")
    assert "deployments" in kubectl("api-resources")
    assert kubectl("get", "nodes", "-o", "name").split() == [
        "node/lab-control-plane",
        "node/lab-worker",
        "node/lab-worker2",
    ]
    assert "Allocated resources:" in kubectl("describe", "node", "lab-worker")


def test_explain(kubectl: Any) -> None:
    text = kubectl("explain", "pod.spec.restartPolicy")
    assert text.startswith("KIND:       Pod\nVERSION:    v1\n\nFIELD: restartPolicy <string>")
    assert "Restart policy for all containers within the pod." in text
    assert "Possible enum values:" in text


def test_events(kubectl: Any) -> None:
    kubectl.pod("p", SLEEPER)
    reasons = [line.split()[2] for line in kubectl("events", "--for", "pod/p").splitlines()[1:]]
    assert sorted(reasons) == ["Created", "Pulled", "Scheduled", "Started"]  # within a second kubectl's order is chance
    assert "Started" in kubectl("get", "events", "--field-selector", "involvedObject.name=p")
    assert "Events:" in kubectl("describe", "pod", "p")
