"""Descriptions for `kubectl explain`, read from the client's sources without importing them."""

from __future__ import annotations

import subprocess
import sys

from kit.runtime.descriptions import definitions, described

SOURCE = '''
class V1Thing(BaseModel):
    """Thing"""
    node_name: Optional[str] = Field(default=None, serialization_alias="nodeName", description="Where it is.")
    kind: Optional[str] = Field(default=None, description="What it is.")
    plain: int = 3
    def __init__(self): pass
'''


def test_fields_are_found_by_their_name_in_json():
    assert list(described(SOURCE)) == [
        ("V1Thing", "", "Thing"),
        ("V1Thing", "nodeName", "Where it is."),
        ("V1Thing", "kind", "What it is."),
    ]


def test_classes_of_the_client_are_found_by_definition():
    known = definitions()
    assert known["V1PodSpec"] == ["io.k8s.api.core.v1.PodSpec"]
    assert known["V1ObjectMeta"] == ["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]
    assert known["EventsV1Event"] == ["io.k8s.api.events.v1.Event"]


def test_the_cache_is_made_without_importing_the_client(tmp_path):
    code = (
        "import sys, pathlib; from kit.runtime import descriptions; n = descriptions.make(pathlib.Path(sys.argv[1]));"
        "assert n > 1500 and not {'kubernetes', 'pydantic'} & set(sys.modules), (n, 'kubernetes' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "d.json")], check=True)
    from kit.runtime import state

    found = state.load(tmp_path / "d.json")
    assert found["io.k8s.api.core.v1.PodSpec.containers"].startswith("List of containers belonging to the pod.")
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.ownerReferences" in found
