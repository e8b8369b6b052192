"""Keys that a kubeconfig holds stay in memory, also when the kernel is killed; what is wrong with them is said."""

from __future__ import annotations

import base64
import datetime as dt
import os
import signal
import subprocess
import sys

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kit.client.connect import connect
from kit.errors import BadInput, Unavailable


def certificate():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ann")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private


def kubeconfig(folder, user, **cluster):
    path = folder / "kubeconfig"
    document = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "ann"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1", **cluster}}],
        "users": [{"name": "ann", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def inline(text):
    return base64.b64encode(text).decode()


KILLED = """
import os, signal, sys
from kit.client.connect import connect
made = connect(sys.argv[1])
made.identity.trust.context()
print("client key" if "PRIVATE KEY" in made.identity.trust.key else "", repr(made))
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_no_key_behind(tmp_path):
    cert, key = certificate()
    path = kubeconfig(
        tmp_path,
        {"client-certificate-data": inline(cert), "client-key-data": inline(key)},
        **{"certificate-authority-data": inline(cert)},
    )
    place = tmp_path / "tmp"
    place.mkdir()
    command = [sys.executable, "-c", KILLED, str(path)]
    ended = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(place)}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.startswith("client key ")
    assert "PRIVATE" not in ended.stdout
    assert list(place.iterdir()) == []


def test_files_beside_the_kubeconfig_are_read(tmp_path):
    cert, key = certificate()
    (tmp_path / "ann.crt").write_bytes(cert)
    (tmp_path / "ann.key").write_bytes(key)
    found = connect(kubeconfig(tmp_path, {"client-certificate": "ann.crt", "client-key": "ann.key"}))
    assert found.identity.trust.cert == cert.decode()
    assert found.identity.trust.context().check_hostname
    (tmp_path / "ann.key").unlink()
    with pytest.raises(Unavailable, match="names a client-key that can't be read"):
        connect(kubeconfig(tmp_path, {"client-certificate": "ann.crt", "client-key": "ann.key"}))


def test_what_is_no_certificate_is_said(tmp_path):
    with pytest.raises(BadInput, match=r"the client-certificate of .* is not PEM"):
        connect(kubeconfig(tmp_path, {"client-certificate-data": "x"}))
    loose = connect(kubeconfig(tmp_path, {"token": "t"}, **{"insecure-skip-tls-verify": True}))
    assert not loose.identity.trust.context().check_hostname
    assert "'t'" not in repr(loose)
