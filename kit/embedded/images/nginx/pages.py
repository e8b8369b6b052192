"""nginx's own words: status lines and the pages it makes up itself. Models ngx_http_header_filter_module.c, ngx_http_special_response.c."""

from __future__ import annotations

STATUS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently",
    302: "Moved Temporarily", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Not Allowed",
    406: "Not Acceptable", 408: "Request Time-out", 409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed",
    413: "Request Entity Too Large", 414: "Request-URI Too Large", 415: "Unsupported Media Type",
    416: "Requested Range Not Satisfiable", 421: "Misdirected Request", 429: "Too Many Requests", 500: "Internal Server Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out",
    505: "HTTP Version Not Supported", 507: "Insufficient Storage",
}  # fmt: skip
HEADER_TOO_LARGE, PLAIN_TO_TLS = 494, 497  # nginx's own codes
SENT_AS = {HEADER_TOO_LARGE: 400, PLAIN_TO_TLS: 400}
TOLD = {  # title, what stands below the heading
    HEADER_TOO_LARGE: ("400 Request Header Or Cookie Too Large", "Request Header Or Cookie Too Large"),
    PLAIN_TO_TLS: (
        "400 The plain HTTP request was sent to HTTPS port",
        "The plain HTTP request was sent to HTTPS port",
    ),
}
CHANGED_TITLES = {301: "301 Moved Permanently", 302: "302 Found"}
NO_KEEPALIVE = frozenset((400, 413, 414, *SENT_AS, 500, 501, 505))
REDIRECTS = frozenset((301, 302, 303, 307, 308))
WITH_PAGE = frozenset(code for code in STATUS if code >= 300 and code != 304)


def status_line(code: int) -> str:
    """Return the first line of an answer."""
    code = SENT_AS.get(code, code)
    return f"HTTP/1.1 {code} {STATUS.get(code, '')}"


def special(code: int, signature: str) -> bytes:
    """Return the page of a status, b"" when nginx has none; `signature` is `nginx/VERSION`, or `nginx` with server_tokens off."""
    if code in TOLD:
        title, more = TOLD[code]
        return _page(title, "400 Bad Request", more, signature)
    if code not in WITH_PAGE:
        return b""
    title = CHANGED_TITLES.get(code, f"{code} {STATUS[code]}")
    if code == 401:
        title = "401 Authorization Required"
    return _page(title, title, "", signature)


def _page(title: str, head: str, more: str, signature: str) -> bytes:
    middle = f"<center>{more}</center>\r\n" if more else ""
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{head}</h1></center>\r\n{middle}"
        f"<hr><center>{signature}</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def listing(uri: str, entries: list[tuple[str, str, int | None]]) -> bytes:
    """Return the page of `autoindex on`; entries are (name, date, size; None for a folder). Models ngx_http_autoindex_module.c."""
    rows = []
    for name, date, size in entries:
        shown = f"{name}/" if size is None else name
        text = shown if len(shown) <= 50 else shown[:47] + "..>"
        rows.append(
            f'<a href="{shown}">{text}</a>{" " * (50 - len(text))} {date} {"-" if size is None else size:>19}\r\n'
        )
    return (
        f"<html>\r\n<head><title>Index of {uri}</title></head>\r\n<body>\r\n<h1>Index of {uri}</h1><hr><pre>"
        f'<a href="../">../</a>\r\n{"".join(rows)}</pre><hr></body>\r\n</html>\r\n'
    ).encode()
