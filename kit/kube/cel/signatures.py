"""What can be called: functions and operators with their types, as the API server's CEL environment declares them.

Models cel-go/common/stdlib and k8s.io/apiserver/pkg/cel/library. A line is `RECEIVER.(ARGUMENTS) RESULT` or `(ARGUMENTS) RESULT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from kit.kube.cel.types import Type, parsed


class Overload(NamedTuple):
    """One way to call a function."""

    receiver: Type | None
    arguments: tuple[Type, ...]
    result: Type

    @property
    def taken(self) -> tuple[Type, ...]:
        """Return the types of the receiver, if there is one, and the arguments."""
        return self.arguments if self.receiver is None else (self.receiver, *self.arguments)


QUANTITY, SEMVER, URL, IP, CIDR, FORMAT, AUTH = (
    "kubernetes.Quantity", "kubernetes.Semver", "kubernetes.URL", "net.IP", "net.CIDR", "kubernetes.NamedFormat",
    "kubernetes.authorization",
)  # fmt: skip
NAMED_FORMATS: Final = (
    "dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix", "dns1123SubdomainPrefix",
    "dns1035LabelPrefix", "labelValue", "uri", "uuid", "byte", "date", "datetime",
)  # fmt: skip
_NUMBERS: Final = ("int", "uint", "double")
_ORDERED: Final = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
_COMPARED: Final = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
_PARTS: Final = ("getFullYear", "getMonth", "getDayOfYear", "getDate", "getDayOfMonth", "getDayOfWeek")
_CLOCK: Final = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")

OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "_==_": ("(A, A) bool",),
    "_!=_": ("(A, A) bool",),
    **{
        name: (
            *(f"({one}, {one}) bool" for one in _ORDERED),
            *(f"({one}, {other}) bool" for one in _NUMBERS for other in _NUMBERS if one != other),
        )
        for name in ("_<_", "_<=_", "_>_", "_>=_")
    },
    "@in": ("(A, list(A)) bool", "(A, map(A,B)) bool"),
    "_+_": (
        *(f"({one}, {one}) {one}" for one in (*_NUMBERS, "string", "bytes", "duration")),
        "(list(A), list(A)) list(A)", "(timestamp, duration) timestamp", "(duration, timestamp) timestamp",
    ),
    "_-_": (
        *(f"({one}, {one}) {one}" for one in (*_NUMBERS, "duration")),
        "(timestamp, timestamp) duration", "(timestamp, duration) timestamp",
    ),
    "_*_": tuple(f"({one}, {one}) {one}" for one in _NUMBERS),
    "_/_": tuple(f"({one}, {one}) {one}" for one in _NUMBERS),
    "_%_": ("(int, int) int", "(uint, uint) uint"),
    "!_": ("(bool) bool",),
    "-_": ("(int) int", "(double) double"),
    "_&&_": ("(bool, bool) bool",),
    "_||_": ("(bool, bool) bool",),
    "_?_:_": ("(bool, A, A) A",),
    "_[_]": ("(list(A), int) A", "(map(A,B), A) B", "(optional_type(list(A)), int) optional_type(A)",
             "(optional_type(map(A,B)), A) optional_type(B)"),
    "_[?_]": ("(list(A), int) optional_type(A)", "(optional_type(list(A)), int) optional_type(A)",
              "(map(A,B), A) optional_type(B)", "(optional_type(map(A,B)), A) optional_type(B)"),
    "@not_strictly_false": ("(bool) bool",),
}  # fmt: skip

FUNCTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "size": tuple(
        form for of in ("string", "bytes", "list(A)", "map(A,B)") for form in (f"({of}) int", f"{of}.() int")
    ),
    **dict.fromkeys(("startsWith", "endsWith", "contains"), ("string.(string) bool",)),
    "matches": ("string.(string) bool", "(string, string) bool"),
    "int": tuple(f"({one}) int" for one in (*_NUMBERS, "string", "timestamp", "duration")),
    "uint": tuple(f"({one}) uint" for one in (*_NUMBERS, "string")),
    "double": tuple(f"({one}) double" for one in (*_NUMBERS, "string")),
    "string": tuple(
        f"({one}) string" for one in (*_NUMBERS, "bool", "string", "bytes", "timestamp", "duration", IP, CIDR)
    ),
    "bytes": ("(string) bytes", "(bytes) bytes"),
    "bool": ("(bool) bool", "(string) bool"),
    "timestamp": ("(string) timestamp", "(timestamp) timestamp", "(int) timestamp"),
    "duration": ("(string) duration", "(duration) duration"),
    "dyn": ("(A) dyn",),
    "type": ("(A) type",),
    **dict.fromkeys(_PARTS, ("timestamp.() int", "timestamp.(string) int")),
    **dict.fromkeys(_CLOCK, ("timestamp.() int", "timestamp.(string) int", "duration.() int")),
    # library/lists.go, regex.go, cel-go/ext/lists.go
    "isSorted": tuple(f"list({one}).() bool" for one in _COMPARED),
    "value": ("optional_type(A).() A",),
    "sum": tuple(f"list({one}).() {one}" for one in (*_NUMBERS, "duration")),
    **dict.fromkeys(("min", "max"), tuple(f"list({one}).() {one}" for one in _COMPARED)),
    **dict.fromkeys(("indexOf", "lastIndexOf"), ("list(A).(A) int", "string.(string) int", "string.(string, int) int")),
    "find": ("string.(string) string",),
    "findAll": ("string.(string) list(string)", "string.(string, int) list(string)"),
    "slice": ("list(A).(int, int) list(A)",),
    "flatten": ("list(list(A)).() list(A)", "list(dyn).(int) list(dyn)"),
    "sort": tuple(f"list({one}).() list({one})" for one in _COMPARED),
    "@sortByAssociatedKeys": tuple(f"list(A).(list({one})) list(A)" for one in _COMPARED),
    **dict.fromkeys(("distinct", "reverse"), ("list(A).() list(A)",)),
    "lists.range": ("(int) list(int)",),
    **dict.fromkeys(("first", "last"), ("list(A).() optional_type(A)",)),
    # cel-go/ext/strings.go
    "charAt": ("string.(int) string",),
    "join": ("list(string).() string", "list(string).(string) string"),
    **dict.fromkeys(("lowerAscii", "upperAscii", "trim"), ("string.() string",)),
    "replace": ("string.(string, string) string", "string.(string, string, int) string"),
    "split": ("string.(string) list(string)", "string.(string, int) list(string)"),
    "substring": ("string.(int) string", "string.(int, int) string"),
    "format": ("string.(list(dyn)) string",),
    "strings.quote": ("(string) string",),
    # cel-go/ext/{sets,comprehensions}.go, cel/library.go
    **dict.fromkeys(("sets.contains", "sets.equivalent", "sets.intersects"), ("(list(A), list(A)) bool",)),
    "cel.@mapInsert": ("(map(A,B), map(A,B)) map(A,B)", "(map(A,B), A, B) map(A,B)"),
    "optional.of": ("(A) optional_type(A)",),
    "optional.ofNonZeroValue": ("(A) optional_type(A)",),
    "optional.none": ("() optional_type(A)",),
    "optional.unwrap": ("(list(optional_type(A))) list(A)",),
    "unwrapOpt": ("list(optional_type(A)).() list(A)",),
    "hasValue": ("optional_type(A).() bool",),
    "or": ("optional_type(A).(optional_type(A)) optional_type(A)",),
    "orValue": ("optional_type(A).(A) A",),
    # library/quantity.go, semverlib.go
    "quantity": (f"(string) {QUANTITY}",),
    "isQuantity": ("(string) bool",),
    "sign": (f"({QUANTITY}) int",),
    "asInteger": (f"{QUANTITY}.() int",),
    "isInteger": (f"{QUANTITY}.() bool",),
    "asApproximateFloat": (f"{QUANTITY}.() double",),
    **dict.fromkeys(("add", "sub"), (f"{QUANTITY}.({QUANTITY}) {QUANTITY}", f"{QUANTITY}.(int) {QUANTITY}")),
    **{
        name: tuple(f"{one}.({one}) {result}" for one in (QUANTITY, SEMVER))
        for name, result in (("isGreaterThan", "bool"), ("isLessThan", "bool"), ("compareTo", "int"))
    },
    "semver": (f"(string) {SEMVER}", f"(string, bool) {SEMVER}"),
    "isSemver": ("(string) bool", "(string, bool) bool"),
    **dict.fromkeys(("major", "minor", "patch"), (f"{SEMVER}.() int",)),
    # library/urls.go
    "url": (f"(string) {URL}",),
    "isURL": ("(string) bool",),
    **dict.fromkeys(
        ("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath"), (f"{URL}.() string",)
    ),
    "getQuery": (f"{URL}.() map(string,list(string))",),
    # library/{ip,cidr}.go
    "ip": (f"(string) {IP}", f"{CIDR}.() {IP}"),
    "isIP": ("(string) bool",),
    "ip.isCanonical": ("(string) bool",),
    "family": (f"{IP}.() int",),
    **dict.fromkeys(
        ("isUnspecified", "isLoopback", "isLinkLocalMulticast", "isLinkLocalUnicast", "isGlobalUnicast"),
        (f"{IP}.() bool",),
    ),
    "cidr": (f"(string) {CIDR}",),
    "isCIDR": ("(string) bool",),
    "containsIP": (f"{CIDR}.(string) bool", f"{CIDR}.({IP}) bool"),
    "containsCIDR": (f"{CIDR}.(string) bool", f"{CIDR}.({CIDR}) bool"),
    "prefixLength": (f"{CIDR}.() int",),
    "masked": (f"{CIDR}.() {CIDR}",),
    # library/format.go
    "format.named": (f"(string) optional_type({FORMAT})",),
    **{f"format.{name}": (f"() {FORMAT}",) for name in NAMED_FORMATS},
    "validate": (f"{FORMAT}.(string) optional_type(list(string))",),
    # library/{authz,jsonpatch}.go
    "path": (f"{AUTH}.Authorizer.(string) {AUTH}.PathCheck",),
    "group": (f"{AUTH}.Authorizer.(string) {AUTH}.GroupCheck",),
    "serviceAccount": (f"{AUTH}.Authorizer.(string, string) {AUTH}.Authorizer",),
    "resource": (f"{AUTH}.GroupCheck.(string) {AUTH}.ResourceCheck",),
    **dict.fromkeys(
        ("subresource", "namespace", "name", "fieldSelector", "labelSelector"),
        (f"{AUTH}.ResourceCheck.(string) {AUTH}.ResourceCheck",),
    ),
    "check": tuple(f"{AUTH}.{one}.(string) {AUTH}.Decision" for one in ("PathCheck", "ResourceCheck")),
    **dict.fromkeys(("allowed", "errored"), (f"{AUTH}.Decision.() bool",)),
    **dict.fromkeys(("reason", "error"), (f"{AUTH}.Decision.() string",)),
    "jsonpatch.escapeKey": ("(string) string",),
}  # fmt: skip
ONLY_MUTATING: Final = frozenset({"jsonpatch.escapeKey"})


def known(name: str) -> bool:
    """Return whether there is such a function or operator."""
    return name in OPERATORS or name in FUNCTIONS


@cache
def overloads(name: str) -> tuple[Overload, ...]:
    """Return the ways to call a function or operator, none when there is no such one."""
    return tuple(_overload(text) for text in OPERATORS.get(name) or FUNCTIONS.get(name, ()))


def _overload(text: str) -> Overload:
    head, _, result = text.rpartition(" ")
    receiver, dot, rest = head.partition(".(") if ".(" in head else ("", "", head[1:])
    listed = parsed(f"x({rest}").of if rest != ")" else ()
    return Overload(parsed(receiver) if dot else None, listed, parsed(result))
