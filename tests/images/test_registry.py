"""The registry's three answers: the image, does not exist, exists but is not simulated."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import wirebox as wire

from kit.embedded.images import registry
from kit.embedded.images.image import Image
from kit.embedded.images.registry import Missing


def test_every_image_of_the_course_is_there():
    table = tomllib.loads((Path(__file__).parents[2] / "labs" / "images.toml").read_text())
    images = registry()
    for row in table["image"]:
        for tag in (row["tag"], *row["aliases"]):
            found = images.resolve(f"{row['name']}:{tag}")
            assert isinstance(found, Image), found
            assert list(found.ports) == row["ports"]


def test_names_of_one_image_are_one_image():
    images = registry()
    names = (
        "nginx:1.30",
        "library/nginx:1.30",
        "docker.io/nginx:1.30",
        "docker.io/library/nginx:1.30",
        "index.docker.io/library/nginx:1.30",
    )
    assert len({id(images.resolve(name)) for name in names}) == 1
    one = images.resolve("nginx:1.30")
    assert images.resolve(f"nginx@{one.digest}") == images.resolve(f"nginx:9.99@{one.digest}")
    assert images.resolve("nginx:1.30.6").digest == one.digest
    assert images.resolve("nginx:1.31").digest != one.digest


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("ngnix:1.30", "absent", "pull access denied, repository does not exist or may require authorization"),
        ("nginx:9.99", "absent", "docker.io/library/nginx:9.99: not found"),
        ("nginx:1.3O", "absent", "docker.io/library/nginx:1.3O: not found"),
        ("nginx:1.30.7", "absent", "not found"),
        ("guestbook:v3", "absent", "pull access denied"),
        ("registry.k8s.io/nosuch:1", "absent", "registry.k8s.io/nosuch:1: not found"),
        ("k8s.gcr.io/nginx-slim:0.8", "absent", "manifest.v1+prettyjws"),
        ("postgres:17", "unsimulated", "--provider kind"),
        ("ubuntu", "unsimulated", "does not simulate"),
        ("registry.k8s.io/pause:3.10", "unsimulated", "nginx"),
        ("nginx:", "invalid", "invalid reference format"),
        ("nginx:1.30:x", "invalid", "invalid reference format"),
        ("-x", "invalid", "invalid reference format"),
        ("nginx@sha256:12", "invalid", "invalid reference format"),
    ],
)
def test_missing(name, kind, words):
    found = registry().resolve(name)
    assert isinstance(found, Missing)
    assert (found.kind, words in found.message) == (kind, True), found.message


def test_the_words_of_facts(facts):
    """Of the recorded pulls: the refusal of capitals whole, and the failed look-up of a host but for the name server's address."""
    images, seen = registry(), 0
    for case in facts("kubelet.jsonl"):
        if case["id"] not in ("klet-image-upper", "klet-image-otherhost"):
            continue
        name = case["steps"][0]["create"]["spec"]["containers"][0]["image"]
        message = re.sub(r"on [\d.]+:53", "on <nodeIP>:53", images.resolve(name).message)
        said = {event["message"] for event in case["expect"]["events"]}
        assert said & {message, f'Failed to pull image "{name}": {message}'}
        seen += 1
    assert seen == 2


def test_python_tells_its_version_and_refuses_scripts():
    box = wire.Box(wire.Net(), registry().resolve("python:3.13-slim"), argv=["sleep", "3600"])
    assert re.fullmatch(r"Python 3\.13\.\d+\n", box.exec("python3", "-V")[0])
    out, err, code = box.exec("python3", "-c", "print(1)")
    assert (out, code) == ("", 1)
    assert "--provider kind" in err
