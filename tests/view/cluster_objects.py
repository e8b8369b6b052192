"""Plain objects of a cluster, as the API answers them, with as many names as a test wants."""

from __future__ import annotations

HOSTILE = '<script>alert("x")</script>&\'\\"]]>'


def meta(name, owner=None, **more):
    found = {"name": name, "namespace": "lab-01", "uid": f"uid-{name}", **more}
    if owner:
        kind, of = owner
        found["ownerReferences"] = [{"kind": kind, "name": of, "uid": f"uid-{of}", "controller": True}]
    return found


def pod(name, node="lab-worker", owner=None, labels=None, phase="Running", ready=True, cpu=None, deleted=False):
    more = {"labels": labels or {}, **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {})}
    running = phase == "Running"
    state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}} if running else {"waiting": {"reason": "x"}}
    statuses = [{"name": "c", "ready": ready and running, "restartCount": 0, "state": state}] if running else []
    spec = {
        "containers": [
            {"name": "c", "image": "nginx:1.30", **({"resources": {"requests": {"cpu": cpu}}} if cpu else {})}
        ]
    }
    if node:
        spec["nodeName"] = node
    status = {"phase": phase, "containerStatuses": statuses}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta(name, owner, **more), "spec": spec, "status": status}


def node(name, cpu="4", ready="True", cordoned=False):
    status = {"allocatable": {"cpu": cpu}, "conditions": [{"type": "Ready", "status": ready}]}
    spec = {"unschedulable": True} if cordoned else {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": spec,
        "status": status,
    }


def replicated(kind, name, replicas=2, ready=2, owner=None):
    spec = {"replicas": replicas}
    status = {"replicas": replicas, "readyReplicas": ready}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta(name, owner), "spec": spec, "status": status}


def service(name, **selector):
    spec = {"type": "ClusterIP", "clusterIP": "10.96.0.9", "selector": selector, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(name), "spec": spec}


def ingress(name, backend):
    path = {"path": "/", "backend": {"service": {"name": backend, "port": {"number": 80}}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": meta(name),
        "spec": {"rules": [{"http": {"paths": [path]}}]},
    }


def shop():
    """An Ingress to a Service to two Pods of a Deployment, and one Pod of nobody."""
    return [
        ingress("door", "web"),
        service("web", app="web"),
        replicated("Deployment", "web"),
        replicated("ReplicaSet", "web-5d", owner=("Deployment", "web")),
        replicated("ReplicaSet", "web-old", replicas=0, ready=0, owner=("Deployment", "web")),
        *(pod(f"web-5d-{n}", owner=("ReplicaSet", "web-5d"), labels={"app": "web"}) for n in ("a", "b")),
        pod("alone", phase="Pending", node=""),
    ]


def crowd(size):
    """`size` bare Pods and Services, so that none is folded away."""
    return [
        *(service(f"svc-{n:03}", app=f"a{n % 10}") for n in range(size // 5)),
        *(pod(f"pod-{n:03}", labels={"app": f"a{n}"}) for n in range(size - size // 5)),
    ]
