"""Asks a real API server what becomes of requests that webhooks are asked about, and writes that to `recorded/webhooks.json`.

    python tests/api/record_webhooks.py ADMIN_CONF [ID...]   # a kubeconfig as JSON with a token, as the control plane's of KUBE_RIG

The webhooks are one HTTPS server in this process, on 127.0.0.1, with a certificate of its own. A case has `hooks` (configurations whose
clientConfig is a path), `replies` (what that path answers: `status`, `body` or `text`, after `hang` seconds) and `requests`. Recorded are
the `answers` of the API server and the reviews that the webhooks were `sent`. In a reply's body `<uid>` stands for the request's uid.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import runpy
import ssl
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RECORDED = HERE / "recorded" / "webhooks.json"
REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
KINDS = {"Validating": "validatingwebhookconfigurations", "Mutating": "mutatingwebhookconfigurations"}
RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["configmaps"]}


def configuration(hook: dict[str, Any], index: int, base: str, bundle: str) -> tuple[str, dict[str, Any]]:
    """Return where a case's hook is posted, and as what."""
    own = {key: value for key, value in hook.items() if key not in {"type", "path", "configuration"}}
    webhook = {
        "name": f"h{index}.example.com",
        "clientConfig": {"url": f"{base}{hook['path']}", "caBundle": bundle},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "rules": [RULE],
        **own,
    }
    webhook["clientConfig"] = json.loads(json.dumps(webhook["clientConfig"]).replace("<base>", base))
    head = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{hook['type']}WebhookConfiguration",
        "metadata": {"name": hook.get("configuration", f"c{index}")},
    }
    return f"{REGISTRATION}/{KINDS[hook['type']]}", {**head, "webhooks": [webhook]}


def certificate() -> tuple[bytes, bytes]:
    """Return a certificate for 127.0.0.1 that is its own authority, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook")])
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a certificate's dates are the wall's
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return made.public_bytes(serialization.Encoding.PEM), key.private_bytes(serialization.Encoding.PEM, form, plain)


def replied(reply: dict[str, Any], review: dict[str, Any]) -> tuple[int, bytes]:
    """Return the code and the bytes of a reply to a review."""
    text = reply["text"] if "text" in reply else json.dumps(reply["body"])
    return reply.get("status", 200), text.replace("<uid>", str(review["request"]["uid"])).encode()


class Hooks:
    """The webhooks: one HTTPS server, whose replies are those of the case that is played."""

    def __init__(self) -> None:
        self.replies: dict[str, Any] = {}
        self.sent: list[Any] = []
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                path = self.path.partition("?")[0]
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hooks.sent.append([self.path, review])
                reply = hooks.replies[path]
                threading.Event().wait(reply.get("hang", 0))
                code, body = replied(reply, review)
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        cert, key = certificate()
        self.bundle = base64.b64encode(cert).decode()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as both:
            both.write(cert + key)
            both.flush()
            context.load_cert_chain(both.name)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.base = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def main() -> None:
    recorder = runpy.run_path(str(HERE / "record_policies.py"))
    server, hooks = recorder["Server"](json.loads(Path(sys.argv[1]).read_text())), Hooks()
    recorded = json.loads(RECORDED.read_text())
    for case in recorded:
        if len(sys.argv) > 2 and case["id"] not in sys.argv[2:]:
            continue
        made = [configuration(hook, index, hooks.base, hooks.bundle) for index, hook in enumerate(case["hooks"])]
        for path, obj in made:
            code, _, body = server.call("POST", path, obj)
            if code != 201:
                print(case["id"], body["message"])
        time.sleep(1.5)
        hooks.replies, hooks.sent = case["replies"], []
        case["answers"] = []
        for method, path, *body in case["requests"]:
            case["answers"].append(recorder["answer"](*server.call(method, path, *body), case.get("show", [])))
        case["sent"] = hooks.sent
        for path, obj in made:
            server.call("DELETE", f"{path}/{obj['metadata']['name']}")
        time.sleep(0.5)
        server.call("DELETE", "/api/v1/namespaces/default/configmaps")
    text = ",\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in recorded)
    RECORDED.write_text(f"[\n{text}\n]\n".replace(hooks.base, "https://127.0.0.1:9"))


if __name__ == "__main__":
    main()
