"""Services, their endpoints and names: what is true of them on every cluster."""

from __future__ import annotations

from typing import Any

import pytest
from shapes import SLEEP, pod

pytestmark = pytest.mark.both


def service(name: str, app: str, port: int = 80, **spec: Any) -> dict[str, Any]:
    body = {"selector": {"app": app}, "ports": [{"port": port, "targetPort": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": body}


def endpoints(world: Any, name: str) -> list[str]:
    slices = world.objects.list("endpointslice", labels=f"kubernetes.io/service-name={name}")
    found = [e for s in slices for e in s.get("endpoints") or [] if e["conditions"]["ready"]]
    return sorted(address for e in found for address in e["addresses"])


def test_name_address_and_endpoints(world: Any) -> None:
    world.objects.create(pod("web", image="nginx:1.30"))
    world.objects.create(pod("box", command=SLEEP))
    world.objects.create(service("front", "web"))
    web, _ = world.ready("web"), world.ready("box")
    world.until(lambda: endpoints(world, "front") == [web["status"]["podIP"]])
    ip = world.objects.get("service", "front")["spec"]["clusterIP"]
    world.until(
        lambda: "Welcome to nginx!" in world.run("box", "wget", "-q", "-O", "-", "-T", "3", "http://front/").stdout
    )
    assert "Welcome to nginx!" in world.run("box", "wget", "-q", "-O", "-", "-T", "3", f"http://{ip}/").stdout


def test_no_endpoints_refuses_wrong_name_is_unknown(world: Any) -> None:
    world.objects.create(pod("box", command=SLEEP))
    world.objects.create(service("empty", "nobody"))
    world.ready("box")
    world.until(lambda: "refused" in world.run("box", "wget", "-q", "-O", "-", "-T", "3", "http://empty/").stderr)
    assert "bad address" in world.run("box", "wget", "-q", "-O", "-", "-T", "3", "http://nosuch/").stderr


def test_unready_pods_get_no_traffic(world: Any) -> None:
    probe = {"httpGet": {"path": "/ready", "port": 80}, "periodSeconds": 1, "failureThreshold": 1}
    world.objects.create(pod("web", image="nginx:1.30", readinessProbe=probe))
    world.objects.create(service("front", "web"))
    world.until(lambda: world.pod("web")["status"]["phase"] == "Running")
    assert endpoints(world, "front") == []
    world.run("web", "sh", "-c", "echo ok > /usr/share/nginx/html/ready")
    world.ready("web")
    world.until(lambda: len(endpoints(world, "front")) == 1)


def test_headless_names_every_pod(world: Any) -> None:
    world.objects.create(pod("web", image="nginx:1.30"))
    world.objects.create(pod("box", command=SLEEP))
    world.objects.create(service("all", "web", clusterIP="None"))
    web, _ = world.ready("web"), world.ready("box")
    world.until(
        lambda: (
            web["status"]["podIP"]
            in world.run("box", "nslookup", f"all.{world.objects.namespace}.svc.cluster.local").stdout
        )
    )
