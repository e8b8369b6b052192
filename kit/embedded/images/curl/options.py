"""The options of curl as one table, and a command line read by it. Models curl's tool_getparam.c of 8.14 and its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

TRY = "curl: try 'curl --help' or 'curl --manual' for more information\n"
ELSEWHERE = "is not simulated by the embedded cluster (a kind cluster runs the real curl)"

# kind -> the options of that kind, `letter:name` or `:name`. The last value wins, but those of `many` are all kept, those of `data` in
# one list whatever their names, and those of `output` belong to one URL each. `refused` take no value, `refused-value` one.
TABLE = {
    "flag": """
        s:silent S:show-error f:fail :fail-with-body i:include i:show-headers I:head k:insecure O:remote-name L:location G:get
        v:verbose 4:ipv4 6:ipv6 N:no-buffer V:version g:globoff :retry-connrefused :retry-all-errors :compressed-ssh
        :no-progress-meter :create-dirs q:disable :http1.1 :basic :tcp-nodelay :path-as-is :fail-early :styled-output
        :location-trusted
    """,
    "text": """
        X:request m:max-time :connect-timeout :max-redirs :retry :retry-delay :retry-max-time u:user A:user-agent e:referer
        w:write-out T:upload-file D:dump-header :cacert :request-target :noproxy :oauth2-bearer :output-dir :stderr
    """,
    "many": "H:header b:cookie :resolve :url",
    "data": "d:data :data-ascii :data-raw :data-binary :data-urlencode :json",
    "output": "o:output",
    "help": "h:help",
    "refused": """
        a:append :anyauth :cert-status :compressed :crlf :digest :disable-eprt :disable-epsv :disallow-username-in-url
        :doh-cert-status :doh-insecure :ech :false-start :form-escape :ftp-create-dirs :ftp-pasv :ftp-pret :ftp-skip-pasv-ip
        :ftp-ssl-ccc :ftp-ssl-control :haproxy-protocol :http0.9 0:http1.0 :http2 :http2-prior-knowledge :http3 :http3-only
        :ignore-content-length j:junk-session-cookies l:list-only :mail-rcpt-allowfails M:manual :negotiate n:netrc
        :netrc-optional ::next :no-alpn :no-clobber :no-keepalive :no-sessionid :ntlm :ntlm-wb Z:parallel :parallel-immediate
        :post301 :post302 :post303 #:progress-bar :proxy-anyauth :proxy-basic :proxy-digest :proxy-insecure p:proxytunnel :raw
        J:remote-header-name :remote-name-all R:remote-time :remove-on-error :sasl-ir :skip-existing :ssl :ssl-allow-beast
        :ssl-no-revoke :ssl-reqd 2:sslv2 3:sslv3 :suppress-connect-headers :tcp-fastopen :tftp-no-options 1:tlsv1 :tlsv1.0
        :tlsv1.1 :tlsv1.2 :tlsv1.3 :tr-encoding :trace-ids :trace-time B:use-ascii :xattr :ca-native
    """,
    "refused-value": """
        :abstract-unix-socket :alt-svc :aws-sigv4 :capath E:cert :cert-type :ciphers K:config :connect-to C:continue-at
        c:cookie-jar :create-file-mode :crlfile :curves :delegation :dns-interface :dns-ipv4-addr :dns-ipv6-addr :dns-servers
        :doh-url :egd-file :engine :etag-compare :etag-save :expect100-timeout F:form :form-string :ftp-account :ftp-method
        P:ftp-port :happy-eyeballs-timeout-ms :hostpubmd5 :hostpubsha256 :hsts :interface :ip-tos :ipfs-gateway :keepalive-time
        :key :key-type :krb :libcurl :limit-rate :local-port :login-options :mail-auth :mail-from :mail-rcpt :max-filesize
        :netrc-file :parallel-max :pass :pinnedpubkey :preproxy :proto :proto-default :proto-redir x:proxy :proxy-cacert
        :proxy-header :proxy1.0 U:proxy-user :pubkey Q:quote :random-file r:range :rate :sasl-authzid :service-name :socks4
        :socks4a :socks5 :socks5-hostname Y:speed-limit y:speed-time t:telnet-option z:time-cond :tls-max :tls13-ciphers
        :tlsuser :tlspassword :trace :trace-ascii :trace-config :unix-socket :url-query :variable
    """,
}  # fmt: skip
NUMBERS = frozenset(("max-redirs", "retry", "retry-max-time"))
SECONDS = frozenset(("max-time", "connect-timeout", "retry-delay"))
SAME = {"data-ascii": "data", "show-headers": "include"}


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its letter ("" for none), its name, its kind."""

    letter: str
    name: str
    kind: str

    @property
    def takes(self) -> bool:
        """Say whether it takes a value."""
        return self.kind not in ("flag", "refused")


def _table() -> Iterator[Option]:
    for kind, words in TABLE.items():
        for word in words.split():
            letter, _, name = (":", "", "next") if word == "::next" else word.partition(":")
            yield Option(letter, name, kind)


OPTIONS = tuple(_table())
BY_NAME = {option.name: option for option in OPTIONS}
BY_LETTER = {option.letter: option for option in reversed(OPTIONS) if option.letter}


class Wrong(Exception):
    """A command line that can't be carried out: what is printed, and the exit code."""

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status


def misused(shown: str, why: str) -> Wrong:
    """Return what curl says of an option that is wrong."""
    return Wrong(f"curl: option {shown}: {why}\n{TRY}")


@dataclass(slots=True)
class Line:
    """A command line that was read: addresses, options by name, the pieces of the body and where answers go, in order."""

    urls: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    data: list[tuple[str, str]] = field(default_factory=list)
    outputs: list[str | None] = field(default_factory=list)  # None: named as the remote file

    def has(self, name: str) -> bool:
        """Say whether a flag is set or a value was given."""
        return bool(self.values.get(name))

    def text(self, name: str, usual: str = "") -> str:
        """Return an option's value."""
        return str(self.values.get(name, usual))

    def many(self, name: str) -> list[str]:
        """Return all values of an option."""
        return list(self.values.get(name, ()))

    def number(self, name: str, usual: int) -> int:
        """Return a value as a number."""
        return int(self.values.get(name, usual))

    def ms(self, name: str) -> int | None:
        """Return a value in seconds as milliseconds, None when there is none or it is 0."""
        return round(float(self.values.get(name, 0)) * 1000) or None


def parse(argv: list[str]) -> Line:
    """Read a command line. Wrong."""
    line, words, flags = Line(), list(argv), True
    while words:
        word = words.pop(0)
        if not flags or not word.startswith("-") or word == "-":
            line.urls.append(word)
        elif word == "--":
            flags = False
        elif word.startswith("--"):
            _long(line, word, words)
        else:
            _short(line, word, words)
    line.urls = line.many("url") + line.urls
    return line


def _long(line: Line, word: str, words: list[str]) -> None:
    """Take `--name`; names are spelled out: since 8.6 the beginning of one is no longer enough."""
    name = word[2:]
    option = BY_NAME.get(name)
    negated = option is None and name.startswith("no-")
    if negated:
        option = BY_NAME.get(name[3:])
        if option is not None and option.takes:
            raise misused(word, "the given option cannot be reversed with a --no- prefix")
    if option is None:
        raise misused(word, "is unknown")
    if not option.takes:
        _set(line, option, word, "" if negated else "yes")
    elif option.kind == "help" and not words:
        _set(line, option, word, "")
    elif not words:
        raise misused(word, "requires parameter")
    else:
        _set(line, option, word, words.pop(0))


def _short(line: Line, word: str, words: list[str]) -> None:
    """Take `-abc`, the last of which may have its value behind it or as the next word."""
    for index, letter in enumerate(word[1:], 1):
        option = BY_LETTER.get(letter)
        if option is None:
            raise misused(word, "is unknown")
        if not option.takes:
            _set(line, option, f"-{letter}", "yes")
            continue
        value = word[index + 1 :]
        if not value and option.kind != "help":
            if not words:
                raise misused(word, "requires parameter")
            value = words.pop(0)
        elif not value and words:
            value = words.pop(0)
        _set(line, option, word, value)
        return


def _set(line: Line, option: Option, shown: str, value: str) -> None:
    if option.kind.startswith("refused"):
        raise Wrong(f"curl: option {shown}: {ELSEWHERE}\n")
    name = SAME.get(option.name, option.name)
    if name in NUMBERS and not value.removeprefix("-").isdecimal():
        raise misused(shown, "expected a proper numerical parameter")
    if name in SECONDS and not _is_seconds(value):
        raise misused(shown, "expected a proper numerical parameter")
    if name in NUMBERS | SECONDS and value.startswith("-") and name != "max-redirs":
        raise misused(shown, "expected a positive numerical parameter")
    if option.kind == "data":
        line.data.append((name, value))
    elif option.kind == "output":
        line.outputs.append(value)
    elif name == "remote-name":
        line.outputs.append(None)
    elif option.kind == "many":
        line.values.setdefault(name, []).append(value)
    elif option.kind == "help":
        line.values[name] = value or "important"
    else:
        line.values[name] = value


def _is_seconds(value: str) -> bool:
    whole, _, part = value.removeprefix("-").partition(".")
    return (whole + part).isascii() and (whole + part).isdecimal()
