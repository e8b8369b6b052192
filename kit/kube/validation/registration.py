"""Validation of webhooks, signing requests and API services.

Models pkg/apis/{admissionregistration,certificates}/validation/validation.go and kube-aggregator.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from kit.kube import names, status
from kit.kube.gotext import go_quoted
from kit.kube.validation import checks, policies
from kit.kube.validation.checks import Causes, Obj, rows

URL_FORM: Final = "desired format: https://host[/path]"
SIGNER: Final = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
REQUEST_TYPE: Final = "PEM block type must be CERTIFICATE REQUEST"
USAGES: Final = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
    "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
    "server auth", "signing", "timestamping",
)  # fmt: skip


def webhooks(obj: Obj, out: Causes) -> None:
    """Check the webhooks of a configuration."""
    seen: set[str] = set()
    for index, hook in enumerate(obj.get("webhooks") or ()):
        at, name = f"webhooks[{index}]", hook.get("name") or ""
        _three_parts(name, f"{at}.name", out)
        if name in seen:
            out.append(status.duplicate(f"{at}.name", name))
        seen.add(name)
        for place, rule in enumerate(hook.get("rules") or ()):
            policies.rule(rule, f"{at}.rules[{place}]", out)
        _client(hook.get("clientConfig") or {}, f"{at}.clientConfig", out)
        _HOOK(hook, at, out)
        policies.conditions(hook.get("matchConditions") or (), f"{at}.matchConditions", False, (), out)
        _versions(hook.get("admissionReviewVersions") or [], f"{at}.admissionReviewVersions", out)


def _versions(versions: list[str], at: str, out: Causes) -> None:
    """Want a version of AdmissionReview that the API server speaks."""
    if not versions:
        out.append(status.required(at, "must specify one of v1, v1beta1"))
        return
    for index, one in enumerate(versions):
        if one in versions[:index]:
            out.append(status.invalid_value(f"{at}[{index}]", one, "duplicate version"))
            continue
        out.extend(status.invalid_value(f"{at}[{index}]", one, text) for text in names.label_1035(one))
    if not {"v1", "v1beta1"} & set(versions):
        out.append(status.invalid_value(at, versions, "must include at least one of v1, v1beta1"))


def _side_effects(value: Any, at: str, out: Causes) -> None:
    if value is None:
        out.append(status.required(at, "must specify one of None, NoneOnDryRun"))
    else:
        checks.one_of("None", "NoneOnDryRun")(value, at, out)


def _three_parts(name: str, at: str, out: Causes) -> None:
    if not name:
        out.append(status.required(at))
        return
    before = len(out)
    checks.name(names.subdomain, name, at, out)
    if len(out) == before and len(name.split(".")) < 3:
        why = "should be a domain with at least three segments separated by dots"
        out.append(status.invalid_value(at, name, why))


def _client(config: Obj, at: str, out: Causes) -> None:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        out.append(status.required(at, "exactly one of url or service is required"))
    elif url is not None:
        _url(url, f"{at}.url", out)
    else:
        _service(service or {}, f"{at}.service", out)


def _service(service: Obj, at: str, out: Causes) -> None:
    # upstream calls ValidateWebhookService with both the wrong way round
    checks.required(service.get("name"), f"{at}.namespace", out)
    checks.required(service.get("namespace"), f"{at}.name", out)
    if not 1 <= service.get("port", 443) <= 65_535:
        why = "port is not valid: must be between 1 and 65535, inclusive"
        out.append(status.invalid_value(f"{at}.port", service["port"], why))
    _path(service.get("path") or "", f"{at}.path", out)


def _url(url: str, at: str, out: Causes) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https":
        why = f"'https' is the only allowed URL scheme; {URL_FORM}"
        out.append(status.invalid_value(at, parts.scheme, why))
    if not parts.netloc:
        out.append(status.invalid_value(at, "", f"host must be specified; {URL_FORM}"))


def _path(path: str, at: str, out: Causes) -> None:
    if path in {"", "/"}:
        return
    if not path.startswith("/"):
        out.append(status.invalid_value(at, path, "must start with a '/'"))
    for index, part in enumerate(path[1:].removesuffix("/").split("/")):
        if not part:
            out.append(status.invalid_value(at, path, f"segment[{index}] may not be empty"))
            continue
        out.extend(status.invalid_value(at, path, f"segment[{index}]: {text}") for text in names.subdomain(part))


def _timeout(seconds: int | None, at: str, out: Causes) -> None:
    if seconds is not None and not 1 <= seconds <= 30:
        out.append(status.invalid_value(at, seconds, "the timeout value must be between 1 and 30 seconds"))


_HOOK: Final = rows(
    ("failurePolicy", checks.one_of("Fail", "Ignore")),
    ("matchPolicy", checks.one_of("Equivalent", "Exact")),
    ("sideEffects", _side_effects),
    ("timeoutSeconds", _timeout),
    ("reinvocationPolicy", checks.one_of("IfNeeded", "Never")),
    ("namespaceSelector", checks.selector),
    ("objectSelector", checks.selector),
)


def signing_request(obj: Obj, out: Causes) -> None:
    """Check a CertificateSigningRequest."""
    spec = obj.get("spec") or {}
    _request(spec.get("request"), "spec.request", out)
    usages = spec.get("usages") or ()
    if not usages:
        out.append(status.required("spec.usages"))
    for index, usage in enumerate(usages):
        checks.one_of(*USAGES)(usage, f"spec.usages[{index}]", out)
    signer = spec.get("signerName") or ""
    if not signer:
        out.append(status.required("spec.signerName"))
    else:
        signer_name(signer, "spec.signerName", out)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        why = "may not specify a duration less than 600 seconds (10 minutes)"
        out.append(status.invalid_value("spec.expirationSeconds", seconds, why))


def _request(value: Any, at: str, out: Causes) -> None:
    try:
        text = base64.b64decode(value or "").decode("ascii", "replace")
    except (ValueError, binascii.Error):
        text = ""
    if not re.search("-----BEGIN (NEW )?CERTIFICATE REQUEST-----", text):
        out.append(status.invalid_value(at, value, REQUEST_TYPE))


def signer_name(signer: str, at: str, out: Causes) -> None:
    """Want a signer to be named as a domain and a path."""
    domain, slash, path = signer.partition("/")
    if not slash or not path or "/" in path:
        out.append(status.invalid_value(at, signer, SIGNER))
        return
    if "." not in domain:
        out.append(status.invalid_value(at, signer, SIGNER))
        return
    _all(names.subdomain, (domain, path), signer, at, out)


def _all(rule: Callable[[str], list[str]], parts: tuple[str, ...], shown: str, at: str, out: Causes) -> None:
    for part in parts:
        out.extend(status.invalid_value(at, shown, text) for text in rule(part))


def api_service(obj: Obj, out: Causes) -> None:
    """Check an APIService, whose name is its group and version."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name") or ""
    wanted = f"{spec.get('version') or ''}.{spec.get('group') or ''}"
    if name and name != wanted:
        why = f'must be `spec.version+"."+spec.group`: {go_quoted(wanted)}'
        out.append(status.invalid_value("metadata.name", name, why))
    _api_group(spec, out)
    for key, most in (("groupPriorityMinimum", 20_000), ("versionPriority", 1000)):
        value = spec.get(key) or 0
        if not 0 < value <= most:
            out.append(status.invalid_value(f"spec.{key}", value, f"must be positive and less than {most}"))
    _api_server(spec, spec.get("service"), out)


def _api_group(spec: Obj, out: Causes) -> None:
    group, version = spec.get("group") or "", spec.get("version") or ""
    if not group and version != "v1":
        why = "only v1 may have an empty group and it better be legacy kube"
        out.append(status.required("spec.group", why))
    checks.subdomain(group, "spec.group", out)
    out.extend(status.invalid_value("spec.version", version, text) for text in names.label_1035(version))


def _api_server(spec: Obj, service: Obj | None, out: Causes) -> None:
    bundle, insecure = spec.get("caBundle") or "", bool(spec.get("insecureSkipTLSVerify"))
    if service is None:
        if bundle:
            size = len(base64.b64decode(bundle))
            why = "local APIServices may not have a caBundle"
            out.append(status.invalid_value("spec.caBundle", f"{size} bytes", why))
        if insecure:
            why = "local APIServices may not have insecureSkipTLSVerify"
            out.append(status.invalid_value("spec.insecureSkipTLSVerify", True, why))
        return
    for key in ("namespace", "name"):
        checks.required(service.get(key), f"spec.service.{key}", out)
    port = service.get("port", 443)
    if not 1 <= port <= 65_535:
        out.append(status.invalid_value("spec.service.port", port, f"port is not valid: {checks.PORT_TEXT}"))
    if bundle and insecure:
        why = "may not be true if caBundle is present"
        out.append(status.invalid_value("spec.insecureSkipTLSVerify", True, why))
