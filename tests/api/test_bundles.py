"""ClusterTrustBundles: names that say their signer, and PEM that holds certificates and nothing else, in the real words."""

from __future__ import annotations

from typing import Any

import pytest

BUNDLES = "/apis/certificates.k8s.io/v1/clustertrustbundles"
PEM = "-----BEGIN {0}-----\n{1}\n-----END {0}-----\n"
ONE = PEM.format("CERTIFICATE", "MAMCAQE=")
NONE = 'spec.trustBundle: Invalid value: "<value omitted>": '


@pytest.mark.parametrize(
    "name,signer,bundle,why",
    [
        ("x", "", ONE, ""),
        ("a.b:c:x", "a.b/c", ONE + "junk", ""),
        ("x:y", "", ONE, 'metadata.name: Invalid value: "x:y": ClusterTrustBundle without signer name must not have ":" in its name'),
        (
            "x", "a.b/c", ONE,
            'metadata.name: Invalid value: "x": ClusterTrustBundle for signerName a.b/c must be named with prefix a.b:c:',
        ),
        (
            "bad:x", "bad", ONE,
            "spec.signerName: Invalid value: \"bad\": must be a fully qualified domain and path of the form 'example.com/signer-name'",
        ),
        ("x", "", "", f"{NONE}at least one trust anchor must be provided"),
        ("x", "", "junk", f"{NONE}at least one trust anchor must be provided"),
        ("x", "", PEM.format("EC PRIVATE KEY", "MAMCAQE="), f"{NONE}entry 0 has bad block type: EC PRIVATE KEY"),
        ("x", "", PEM.format("CERTIFICATE", "MTIz"), f"{NONE}entry 0 does not parse as X.509"),
        ("x", "", ONE + ONE, f"{NONE}duplicate trust anchor (indices [0 1])"),
    ],
)  # fmt: skip
def test_bundles_are_checked(world: Any, name: str, signer: str, bundle: str, why: str) -> None:
    reply = world.call(
        "POST", BUNDLES, {"metadata": {"name": name}, "spec": {"signerName": signer, "trustBundle": bundle}}
    )
    assert reply.code == (422 if why else 201)
    assert not why or reply.body["message"] == f'ClusterTrustBundle.certificates.k8s.io "{name}" is invalid: {why}'
