"""Validation of environment variables and where they come from.

Models pkg/apis/core/validation/validation.go (ValidateEnv, ValidateEnvFrom).
"""

from __future__ import annotations

from typing import Final

from kit.kube import names, status
from kit.kube.quantities import Quantity
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj, known_good

SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
NO_SOURCE: Final = (
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
)
# Fields a container can be told, and those a downward API volume can hold besides labels and annotations as a whole.
ENV_FIELDS: Final = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
    "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS: Final = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
FIELDS: Final = frozenset({*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"})
RESOURCES: Final = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage",
    "requests.memory",
)  # fmt: skip
DIVISORS: Final[dict[str, tuple[str, ...]]] = {
    "cpu": ("1m", "1"),
    "memory": ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"),
}
_LISTED: Final = {"cpu": "1m and 1", "memory": "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"}


def env(variables: list[Obj], at: str, out: Causes) -> None:
    """Check environment variables."""
    for index, variable in enumerate(variables):
        name = variable.get("name")
        if not name:
            out.append(status.required(f"{at}[{index}].name"))
        elif known_good(names.env_name, name):
            checks.name(names.env_name, name, f"{at}[{index}].name", out)
        if variable.get("valueFrom") is not None:
            _source(variable, f"{at}[{index}].valueFrom", out)


def _source(variable: Obj, at: str, out: Causes) -> None:
    source = variable["valueFrom"]
    given = [key for key in SOURCES if source.get(key) is not None]
    if source.get("fieldRef") is not None:
        field(source["fieldRef"], f"{at}.fieldRef", ENV_FIELDS, out)
    if source.get("resourceFieldRef") is not None:
        resource(source["resourceFieldRef"], f"{at}.resourceFieldRef", out)
    for key in ("configMapKeyRef", "secretKeyRef"):
        if source.get(key) is not None:
            _key(source[key], f"{at}.{key}", out)
    if not given:
        out.append(status.invalid_value(at, "", NO_SOURCE))
    elif variable.get("value"):
        out.append(status.invalid_value(at, "", "may not be specified when `value` is not empty"))
    elif len(given) > 1:
        out.append(status.invalid_value(at, "", "may not have more than one field specified at a time"))


def _key(reference: Obj, at: str, out: Causes) -> None:
    name, key = reference.get("name") or "", reference.get("key")
    checks.name(names.subdomain, name, f"{at}.name", out)
    if not key:
        out.append(status.required(f"{at}.key"))
    else:
        checks.name(names.config_key, key, f"{at}.key", out)


def field(reference: Obj, at: str, allowed: tuple[str, ...], out: Causes, *, whole: bool = False) -> None:
    """Check a reference to a field of the Pod; `whole` says that all labels or annotations may be meant."""
    version, path = reference.get("apiVersion"), reference.get("fieldPath")
    if not version:
        out.append(status.required(f"{at}.apiVersion"))
        return
    if not path:
        out.append(status.required(f"{at}.fieldPath"))
        return
    if version != "v1":
        why = f"error converting fieldPath: unsupported pod version: {version}"
        out.append(status.invalid_value(f"{at}.fieldPath", path, why))
        return
    base, bracket, key = path.partition("['")
    if bracket and key.endswith("']"):
        _subscript(base, key[:-2], path, at, out)
    elif path not in FIELDS:
        why = f"error converting fieldPath: field label not supported: {path}"
        out.append(status.invalid_value(f"{at}.fieldPath", path, why))
    elif path not in allowed:
        out.append(status.not_supported(f"{at}.fieldPath", path, allowed))


def _subscript(base: str, key: str, path: str, at: str, out: Causes) -> None:
    if base not in {"metadata.labels", "metadata.annotations"}:
        out.append(status.invalid_value(f"{at}.fieldPath", path, "does not support subscript"))
        return
    key = key.lower() if base == "metadata.annotations" else key
    checks.name(names.qualified, key, f"{at}.fieldPath", out)


def resource(reference: Obj, at: str, out: Causes, *, volume: bool = False) -> None:
    """Check a reference to a container's resources."""
    what, container = reference.get("resource"), reference.get("containerName")
    if volume and not container:
        out.append(status.required(f"{at}.containerName"))
    elif not what:
        out.append(status.required(f"{at}.resource"))
    elif what not in RESOURCES and not _huge(what):
        out.append(status.not_supported(f"{at}.resource", what, RESOURCES))
    _divisor(reference, at, out)


def _huge(what: str) -> bool:
    return what.partition(".")[2].startswith("hugepages-")


def _divisor(reference: Obj, at: str, out: Causes) -> None:
    divisor = Quantity.parse(reference.get("divisor") or "0")
    if not divisor:
        return
    what = str(reference.get("resource") or "")
    family = "cpu" if what.endswith(".cpu") else "memory"
    if str(divisor) not in DIVISORS[family]:
        kind = what.partition(".")[2]
        why = f"only divisor's values {_LISTED[family]} are supported with the {kind} resource"
        out.append(status.invalid_value(f"{at}.divisor", what, why))


def env_from(sources: list[Obj], at: str, out: Causes) -> None:
    """Check where many variables come from at once."""
    for index, source in enumerate(sources):
        where = f"{at}[{index}]"
        if source.get("prefix"):
            checks.name(names.env_name, source["prefix"], f"{where}.prefix", out)
        given = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        for key in given:
            checks.needed(names.subdomain)(source[key].get("name"), f"{where}.{key}.name", out)
        if not given:
            out.append(status.invalid_value(at, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(given) > 1:
            out.append(status.invalid_value(where, "", "may not have more than one field specified at a time"))
