"""Records what Go's crypto/x509 says of certificates: `python tests/runtime/record_trust.py` (needs Go) writes recorded/trust.json.

Each case is a chain (DER, base64), the authorities (PEM), a name, a time (ms since 1970) and the error, "" where there is none.
"""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PROGRAM = """package main

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"time"
)

func main() {
	var cases []map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	for _, one := range cases {
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(one["authority"].(string)))
		var leaf *x509.Certificate
		for i, text := range one["chain"].([]any) {
			var der []byte
			json.Unmarshal([]byte("\\"" + text.(string) + "\\""), &der)
			found, err := x509.ParseCertificate(der)
			if err != nil {
				panic(err)
			}
			if i == 0 {
				leaf = found
			} else {
				between.AddCert(found)
			}
		}
		at := time.UnixMilli(int64(one["wall"].(float64))).UTC()
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: one["name"].(string), CurrentTime: at})
		one["error"] = ""
		if err != nil {
			one["error"] = err.Error()
		}
	}
	json.NewEncoder(os.Stdout).Encode(cases)
}
"""


class Made:
    """A certificate with its key; without a parent it signs itself."""

    def __init__(
        self, common: str, parent: Made | None = None, *, ca: bool | None = None, names: tuple[str, ...] = (), addresses: tuple[str, ...] = (),
        days: tuple[int, int] = (-10, 10), uses: tuple[Any, ...] = (), key: Any = None, signer: Made | None = None,
    ) -> None:  # fmt: skip
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
        above = parent.certificate.subject if parent else subject
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(above).public_key(self.key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(NOW + days[0] * DAY).not_valid_after(NOW + days[1] * DAY)
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if names or addresses:
            others: list[Any] = [x509.DNSName(name) for name in names]
            others += [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
        if uses:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(uses)), critical=False)
        self.certificate = builder.sign((signer or parent or self).key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> str:
        return base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()


def cases() -> list[dict[str, Any]]:
    """Return the cases without their errors."""
    root, other = Made("root", ca=True), Made("other", ca=True)
    same = Made("root", ca=True)  # another authority of that name
    heavy = Made("root", ca=True, key=rsa.generate_private_key(65537, 2048))
    middle, loose = Made("middle", root, ca=True), Made("loose", root)
    late = Made("late", root, ca=True, days=(-10, -1))
    leaf = Made("web", root, names=("web.default.svc", "*.example.com"))
    own = Made("own", names=("own",))
    name = "web.default.svc"
    rows: list[tuple[str, list[Made], Made | None, str]] = [
        ("trusted", [leaf], root, name),
        ("wildcard", [leaf], root, "a.example.com"),
        ("wildcard-two-labels", [leaf], root, "a.b.example.com"),
        ("upper-case", [leaf], root, "WEB.default.svc"),
        ("other-name", [leaf], root, "db.default.svc"),
        ("address-without-addresses", [leaf], root, "10.0.0.1"),
        ("address", [Made("a", root, addresses=("10.0.0.1",))], root, "10.0.0.1"),
        ("other-address", [Made("a", root, addresses=("10.0.0.1", "::1"))], root, "10.0.0.2"),
        ("only-addresses", [Made("a", root, addresses=("10.0.0.1",))], root, name),
        ("common-name", [Made(name, root)], root, name),
        ("no-names", [Made("x", root)], root, name),
        ("many-names", [Made("x", root, names=tuple(f"n{i}.example.com" for i in range(101)))], root, name),
        ("expired", [Made("x", root, names=(name,), days=(-10, -1))], root, name),
        ("not-yet", [Made("x", root, names=(name,), days=(1, 2))], root, name),
        ("expired-and-other-name", [Made("x", root, names=("y",), days=(-10, -1))], root, name),
        ("unknown", [leaf], other, name),
        ("unknown-and-other-name", [leaf], other, "y"),
        ("nobody-trusted", [leaf], None, name),
        ("same-name", [leaf], same, name),
        ("same-name-rsa", [leaf], heavy, name),
        ("self-signed-trusted", [own], own, "own"),
        ("self-signed-unknown", [own], root, "own"),
        ("through-another", [Made("x", middle, names=(name,)), middle], root, name),
        ("one-missing", [Made("x", middle, names=(name,))], root, name),
        ("not-an-authority", [Made("x", loose, names=(name,)), loose], root, name),
        ("not-an-authority-said", [Made("x", leaf, names=(name,)), leaf], root, name),
        ("expired-between", [Made("x", late, names=(name,)), late], root, name),
        ("expired-authority", [Made("x", late, names=(name,))], late, name),
        ("for-clients", [Made("x", root, names=(name,), uses=(ExtendedKeyUsageOID.CLIENT_AUTH,))], root, name),
        ("for-servers", [Made("x", root, names=(name,), uses=(ExtendedKeyUsageOID.SERVER_AUTH,))], root, name),
        ("for-anything", [Made("x", root, names=(name,), uses=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,))], root, name),
        ("signed-by-another", [Made("x", root, names=(name,), signer=other)], root, name),
    ]  # fmt: skip
    wall = int(NOW.timestamp() * 1000)
    return [
        {"id": id, "chain": [one.der for one in chain], "authority": trusted.pem if trusted else "", "name": asked, "wall": wall}
        for id, chain, trusted, asked in rows
    ]  # fmt: skip


def main() -> int:
    """Ask Go, and write down what it says."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "main.go")
        program.write_text(PROGRAM)
        said = subprocess.run(
            ["go", "run", program], input=json.dumps(cases()).encode(), stdout=subprocess.PIPE, check=True
        )
    found = json.loads(said.stdout)
    where = Path(__file__).parent / "recorded" / "trust.json"
    where.write_text("[\n" + ",\n".join(json.dumps(one, sort_keys=True) for one in found) + "\n]\n")
    print(*(f"{one['id']}: {one['error']}" for one in found), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
