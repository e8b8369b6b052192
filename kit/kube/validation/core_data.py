"""Validation of ConfigMaps and Secrets.

Models pkg/apis/core/validation/validation.go (ValidateConfigMap, ValidateSecret and their updates).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Final

from kit.kube import decoding, names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

SIZE_MAX: Final = 1024 * 1024
LOCKED: Final = "field is immutable when `immutable` is set"
ACCOUNT: Final = "kubernetes.io/service-account.name"
# The keys a Secret of a type must have.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def config_map(obj: Obj, out: Causes) -> None:
    """Check a ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    size = 0
    for key, text in data.items():
        checks.name(names.config_key, key, f"data[{key}]", out)
        if key in binary:
            out.append(status.invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData"))
        size += len(text.encode("utf-8", "surrogatepass"))
    for key, text in binary.items():
        checks.name(names.config_key, key, f"binaryData[{key}]", out)
        size += _decoded_size(text)
    if size > SIZE_MAX:
        out.append(status.too_long("[]", SIZE_MAX))


def _decoded_size(text: str) -> int:
    return len(text) * 3 // 4 - text[-2:].count("=")


def secret(obj: Obj, out: Causes) -> None:
    """Check a Secret."""
    data, kind = obj.get("data") or {}, obj.get("type") or ""
    for key in data:
        checks.name(names.config_key, key, f"data[{key}]", out)
    if sum(_decoded_size(text) for text in data.values()) > SIZE_MAX:
        out.append(status.too_long("data", SIZE_MAX))
    for key in KEYS.get(kind, ()):
        if key not in data:
            out.append(status.required(f"data[{key}]"))
        elif "docker" in kind:
            _json(data[key], f"data[{key}]", out)
    if kind == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        out.append(status.required("data[username]"))
        out.append(status.required("data[password]"))
    account = (obj["metadata"].get("annotations") or {}).get(ACCOUNT)
    if kind == "kubernetes.io/service-account-token" and not account:
        out.append(status.required(f"metadata.annotations[{ACCOUNT}]"))


def _json(text: str, at: str, out: Causes) -> None:
    try:
        raw = base64.b64decode(text)
        json.loads(raw)
    except (ValueError, binascii.Error):
        out.append(status.invalid_value(at, "<secret contents redacted>", _complaint(raw)))


def _complaint(raw: bytes) -> str:
    try:
        decoding.decode_json(raw)
    except decoding.DecodeError as error:
        return str(error).rpartition("json parse error: ")[2]
    return "invalid character"


def _locked(new: Obj, old: Obj, keys: Iterable[str], out: Causes) -> None:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        out.append(status.forbidden_value("immutable", LOCKED))
    for key in keys:
        if (new.get(key) or {}) != (old.get(key) or {}):
            out.append(status.forbidden_value(key, LOCKED))


def keep_config_map(new: Obj, old: Obj, out: Causes) -> None:
    """Want a locked ConfigMap that stays as it is, then a good one."""
    _locked(new, old, ("data", "binaryData"), out)
    config_map(new, out)


def keep_secret(new: Obj, old: Obj, out: Causes) -> None:
    """Want a Secret of the same type, a locked one unchanged, then a good one."""
    if new.get("type") != old.get("type"):
        out.append(status.immutable("type", new.get("type")))
    _locked(new, old, ("data",), out)
    secret(new, out)
