"""The rest of kubectl's commands on a whole cluster: forms of output, nodes, access, and what goes around the API."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.both]

SLEEPER = "trap 'exit 0' TERM; sleep 3600 & wait"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, labels: {of: us}}\ndata: {a: '%s'}\n"
WORKER = "lab-worker2"


@pytest.fixture
def maps(kubectl: Any) -> Any:
    """Return kubectl in a namespace with three ConfigMaps: a2, b1, c3."""
    for name, value in (("a", 2), ("b", 1), ("c", 3)):
        kubectl("create", "-f", "-", stdin=MAP % (f"{name}{value}", value))
    return kubectl


@pytest.fixture
def web(kubectl: Any) -> Any:
    """Return kubectl in a namespace with a ready Deployment `web` of two."""
    kubectl("create", "deployment", "web", "--image=nginx:1.30", "--replicas=2", "--port=80")
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    return kubectl


@pytest.fixture
def worker(live: Any) -> Iterator[str]:
    """Return a node's name; it is put in order afterwards."""
    yield WORKER
    live("uncordon", WORKER)
    live.run("taint", "node", WORKER, "a-")


def test_forms_of_get(maps: Any) -> None:
    ours = ("get", "cm", "-l", "of=us")
    assert maps(*ours, "-o", "name").split() == ["configmap/a2", "configmap/b1", "configmap/c3"]
    assert maps(*ours, "--sort-by=.data.a", "-o", "name").split() == ["configmap/b1", "configmap/a2", "configmap/c3"]
    rows = [line.split() for line in maps(*ours, "--sort-by=.data.a").splitlines()]
    assert [row[0] for row in rows] == ["NAME", "b1", "a2", "c3"]
    columns = maps(*ours, "-o", "custom-columns=NAME:.metadata.name,A:.data.a").splitlines()
    assert [line.split() for line in columns] == [["NAME", "A"], ["a2", "2"], ["b1", "1"], ["c3", "3"]]
    assert maps(*ours, "-o", "jsonpath={range .items[*]}{.data.a};{end}") == "2;1;3;"
    assert maps(*ours, "-o", "go-template={{len .items}}") == "3"
    assert "a: '1'" not in maps("get", "cm", "b1", "-o", "yaml")
    assert maps("get", "cm", "b1", "-o", "yaml").startswith('apiVersion: v1\ndata:\n  a: "1"\nkind: ConfigMap\n')
    assert maps("get", "cm", "--field-selector=metadata.name=b1", "--no-headers").split()[:2] == ["b1", "1"]
    assert maps("get", "cm", "b1", "--show-labels", "-L", "of").split()[-2:] == ["us", "of=us"]
    one_by_one = maps(*ours, "--chunk-size=1", "-o", "name").split()
    assert one_by_one == ["configmap/a2", "configmap/b1", "configmap/c3"]


def test_get_all(web: Any) -> None:
    web("expose", "deploy/web", "--port=80")
    names = {line.split()[0].rsplit("-", 2)[0] for line in web("get", "all", "--no-headers").splitlines()}
    assert {"deployment.apps/web", "service/web"} <= names
    assert any(line.startswith("pod/web-") for line in web("get", "all", "-A", "-o", "name").splitlines())


def test_describe(web: Any) -> None:
    web("expose", "deploy/web", "--port=80")
    text = web("describe", "deploy", "web")
    assert "Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in text
    assert re.search(r"Normal +ScalingReplicaSet .* Scaled up replica set web-\w+ from 0 to 2", text)
    web.until("describe", "svc", "web", shows="10.244.")
    pods = web("describe", "pods", "-l", "app=web")
    assert pods.count("Controlled By:  ReplicaSet/web-") == 2
    node = web("describe", "node", WORKER)
    assert "disk=ssd" in node
    assert "Non-terminated Pods:" in node


def test_replace(maps: Any) -> None:
    assert maps("replace", "-f", "-", stdin=MAP % ("a2", 9)) == "configmap/a2 replaced\n"
    assert maps("get", "cm", "a2", "-o", "jsonpath={.data.a}") == "9"
    before = maps("get", "cm", "a2", "-o", "jsonpath={.metadata.uid}")
    replaced = maps("replace", "--force", "-f", "-", stdin=MAP % ("a2", 8))
    assert replaced == f'configmap "a2" deleted from {maps.namespace} namespace\nconfigmap/a2 replaced\n'
    assert maps("get", "cm", "a2", "-o", "jsonpath={.metadata.uid}") != before
    done = maps.run("replace", "-f", "-", stdin=MAP % ("none", 1))
    assert done.stderr == 'Error from server (NotFound): error when replacing "STDIN": configmaps "none" not found\n'


def test_diff(maps: Any) -> None:
    maps("apply", "-f", "-", stdin=MAP % ("a2", 2))
    done = maps.run("diff", "-f", "-", stdin=MAP % ("a2", 2))
    assert (done.returncode, done.stdout) == (0, "")
    done = maps.run("diff", "-f", "-", stdin=MAP % ("a2", 5))
    assert done.returncode == 1
    assert '-  a: "2"\n+  a: "5"' in done.stdout
    assert maps("get", "cm", "a2", "-o", "jsonpath={.data.a}") == "2"


def test_set_and_autoscale(web: Any) -> None:
    assert web("set", "env", "deploy/web", "COLOR=blue") == "deployment.apps/web env updated\n"
    assert (
        web("set", "resources", "deploy/web", "--requests=cpu=50m")
        == "deployment.apps/web resource requirements updated\n"
    )
    container = json.loads(web("get", "deploy", "web", "-o", "json"))["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "COLOR", "value": "blue"}]
    assert container["resources"]["requests"] == {"cpu": "50m"}
    assert (
        web("autoscale", "deploy/web", "--max=4", "--cpu=50%") == "horizontalpodautoscaler.autoscaling/web autoscaled\n"
    )
    assert web("get", "hpa", "web", "-o", "jsonpath={.spec.maxReplicas}") == "4"


def test_logs_of_many(web: Any) -> None:
    for pod in web("get", "pods", "-o", "name").split():
        web("exec", pod, "--", "sh", "-c", "echo from $HOSTNAME > /proc/1/fd/1")
    lines = web("logs", "-l", "app=web", "--tail=1", "--prefix").splitlines()
    assert sorted(re.sub(r"web-\w+-\w+", "POD", line) for line in lines) == ["[pod/POD/nginx] from POD"] * 2
    done = web.run("logs", "deploy/web", "--tail=1")
    assert done.stdout.startswith("from web-")
    assert re.match(r"Found 2 pods, using pod/web-\w+-\w+\n", done.stderr)


def test_exec_into_a_deployment(web: Any) -> None:
    assert web("exec", "deploy/web", "-c", "nginx", "--", "cat", "/etc/hostname").startswith("web-")
    done = web.run("exec", "deploy/web", "--", "nosuchprogram")
    assert done.returncode == 1
    assert '"nosuchprogram": executable file not found in $PATH' in done.stderr


def test_run_with_a_terminal(kubectl: Any) -> None:
    words = ("run", "t", "-it", "--rm", "--quiet", "--restart=Never", "--image=busybox:1.37", "--", "sh")
    with kubectl.terminal(*words) as shell:
        shell.type("echo $((6 * 7))\n")
        shell.until("\r\n42\r\n")
        shell.type("exit\n")
        assert shell.end() == 0
    assert kubectl("get", "pods", "-o", "name") == ""


def test_wait_for_what_is_not_there_yet(kubectl: Any) -> None:
    with kubectl.begin("wait", "--for=create", "cm/late", "--timeout=20s") as waiting:
        kubectl("create", "cm", "late")
        waiting.until("configmap/late condition met")
        assert waiting.end() == 0


def test_deleting_leaves_or_takes_what_is_owned(web: Any) -> None:
    assert web("delete", "deploy", "web", "--cascade=orphan").startswith('deployment.apps "web" deleted')
    (owned,) = web("get", "rs", "-o", "name").split()
    assert len(web("get", "pods", "-o", "name").split()) == 2
    web("delete", owned, "--cascade=foreground")
    assert web("get", "pods", "-o", "name") == ""


def test_cordon_and_uncordon(kubectl: Any, worker: str) -> None:
    assert kubectl("cordon", worker) == f"node/{worker} cordoned\n"
    assert kubectl("get", "node", worker, "--no-headers").split()[1] == "Ready,SchedulingDisabled"
    assert kubectl("cordon", worker) == f"node/{worker} already cordoned\n"
    assert kubectl("uncordon", worker) == f"node/{worker} uncordoned\n"


def test_taint(kubectl: Any, worker: str) -> None:
    assert kubectl("taint", "node", worker, "a=b:NoExecute") == f"node/{worker} tainted\n"
    assert "Taints:             a=b:NoExecute" in kubectl("describe", "node", worker)
    kubectl(
        "run", "p", "--image=busybox:1.37", f'--overrides={{"spec":{{"nodeName":"{worker}"}}}}', "--", "sleep", "60"
    )
    kubectl("wait", "--for=delete", "pod/p", "--timeout=45s")
    assert kubectl("taint", "node", worker, "a-") == f"node/{worker} untainted\n"


def test_drain(kubectl: Any, worker: str) -> None:
    kubectl("create", "deployment", "d", "--image=busybox:1.37", "--replicas=2", "--", "sh", "-c", SLEEPER)
    kubectl("rollout", "status", "deploy/d", "--timeout=30s")
    where = ("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}")
    assert worker in kubectl(*where)
    bare = kubectl.run("drain", worker, "--pod-selector=run=bare")
    assert bare.returncode == 0, bare.stderr
    kubectl("uncordon", worker)
    kubectl(
        "run",
        "bare",
        "--image=busybox:1.37",
        f'--overrides={{"spec":{{"nodeName":"{worker}"}}}}',
        "--",
        "sh",
        "-c",
        SLEEPER,
    )
    kubectl("wait", "--for=condition=Ready", "pod/bare", "--timeout=20s")
    refused = kubectl.run("drain", worker, "--ignore-daemonsets")
    assert refused.returncode == 1
    assert "cannot delete Pods that declare no controller (use --force to override): " in refused.stderr
    assert f"{kubectl.namespace}/bare" in refused.stderr  # beside those that other tests may have left there
    done = kubectl("drain", worker, "--ignore-daemonsets", "--force", "--timeout=45s")
    assert "pod/bare evicted" in done
    assert done.endswith(f"node/{worker} drained\n")
    kubectl("rollout", "status", "deploy/d", "--timeout=30s")
    assert worker not in kubectl(*where)


def test_access(kubectl: Any) -> None:
    robot = f"system:serviceaccount:{kubectl.namespace}:robot"
    kubectl("create", "serviceaccount", "robot")
    asked = ("auth", "can-i", "list", "pods", "--as", robot)
    done = kubectl.run(*asked)
    assert (done.returncode, done.stdout) == (1, "no\n")
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl("create", "rolebinding", "robots", "--role=reader", f"--serviceaccount={kubectl.namespace}:robot")
    assert kubectl(*asked) == "yes\n"
    assert re.search(r"(?m)^pods +\[\] +\[\] +\[get list\]$", kubectl("auth", "can-i", "--list", "--as", robot))
    token = kubectl("create", "token", "robot", "--duration=1h").strip()
    assert token.count(".") == 2
    plain = json.loads(kubectl("config", "view", "--minify", "--flatten", "--raw", "-o", "json"))
    plain["users"][0]["user"] = {"token": token}
    config = kubectl.folder / "robot.json"
    config.write_text(json.dumps(plain))
    where = ("--kubeconfig", str(config))
    assert re.search(rf"(?m)^Username +{robot}$", kubectl("auth", "whoami", *where))
    refused = kubectl.run("get", "nodes", *where)
    assert f'nodes is forbidden: User "{robot}" cannot list resource "nodes"' in refused.stderr


def test_proxy(web: Any) -> None:
    web("expose", "deploy/web", "--port=80")
    with web.begin("proxy", "--port=0") as proxy:
        text = proxy.until("\n")
        port = re.search(r"Starting to serve on 127\.0\.0\.1:(\d+)", text)
        assert port
        base = f"http://127.0.0.1:{port[1]}"
        with urllib.request.urlopen(f"{base}/api/v1/namespaces/{web.namespace}/services/web", timeout=10) as answer:
            assert json.load(answer)["metadata"]["name"] == "web"
        path = f"{base}/api/v1/namespaces/{web.namespace}/services/web/proxy/"
        with urllib.request.urlopen(path, timeout=10) as page:
            assert b"Welcome to nginx!" in page.read()


def test_what_the_server_has(kubectl: Any) -> None:
    versions = kubectl("api-versions").split()
    assert {"v1", "apps/v1", "batch/v1", "networking.k8s.io/v1"} <= set(versions)
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert json.loads(kubectl("get", "--raw", "/version"))["major"] == "1"
    namespaced = kubectl("api-resources", "--namespaced=false", "-o", "name").split()
    assert "nodes" in namespaced
    assert "pods" not in namespaced
    assert kubectl("explain", "deployment.spec.replicas").startswith("GROUP:      apps\nKIND:       Deployment\n")


def test_config(kubectl: Any) -> None:
    current = kubectl("config", "current-context").strip()
    assert current in kubectl("config", "get-contexts", "-o", "name").split()
    assert "certificate-authority-data: DATA+OMITTED" in kubectl("config", "view")
    shown = json.loads(kubectl("config", "view", "--minify", "--flatten", "--raw", "-o", "json"))
    other = kubectl.folder / "other.json"
    other.write_text(json.dumps(shown))
    where = ("--kubeconfig", str(other))
    kubectl("config", "set-context", "--current", "--namespace=elsewhere", *where)
    assert kubectl("config", "view", "-o", "jsonpath={.contexts[0].context.namespace}", *where) == "elsewhere"
    kubectl("config", "set-context", "second", f"--cluster={shown['clusters'][0]['name']}", *where)
    assert kubectl("config", "use-context", "second", *where) == 'Switched to context "second".\n'
    assert kubectl("config", "current-context", *where) == "second\n"


def test_create_makes_what_it_shows(kubectl: Any) -> None:
    made = {
        ("configmap", "c", "--from-literal=a=1"): "configmap/c",
        ("secret", "generic", "s", "--from-literal=p=w"): "secret/s",
        ("service", "nodeport", "n", "--tcp=80:80"): "service/n",
        ("ingress", "i", "--rule=lab.example/*=n:80"): "ingress.networking.k8s.io/i",
        ("quota", "q", "--hard=pods=9"): "resourcequota/q",
        ("poddisruptionbudget", "b", "--selector=app=x", "--min-available=1"): "poddisruptionbudget.policy/b",
        ("job", "j", "--image=busybox:1.37", "--", "true"): "job.batch/j",
        ("cronjob", "k", "--image=busybox:1.37", "--schedule=0 3 * * *", "--", "true"): "cronjob.batch/k",
    }
    for words, name in made.items():
        at = words.index("--") if "--" in words else len(words)
        plan = json.loads(kubectl("create", *words[:at], "--dry-run=client", "-o", "json", *words[at:]))
        assert kubectl("create", *words) == f"{name} created\n"
        found = json.loads(kubectl("get", name, "-o", "json"))
        assert covers(found.get("spec", {}), plan.get("spec", {})), name
        assert found.get("data") == plan.get("data"), name


def covers(found: Any, wanted: Any) -> bool:
    """Say whether all that is wanted was found; what is null or empty is not wanted."""
    if isinstance(wanted, dict):
        return all(covers(found.get(key), value) for key, value in wanted.items() if value not in (None, {}, ""))
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(covers, found, wanted))
    return bool(found == wanted)
