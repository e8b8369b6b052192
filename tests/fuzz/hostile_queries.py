"""Hostile queries, paths, methods and headers (see hostile_cases)."""

from __future__ import annotations

from hostile_cases import CM, case, cm

for i, q in enumerate(
    [
        "labelSelector=" + "a" * 100000,
        "labelSelector=" + ",".join(f"k{i}%3Dv" for i in range(9000)),
        "labelSelector=" + "(" * 1000,
        "labelSelector=a%20in%20(" + "," * 5000 + ")",
        "labelSelector=%FF",
        "labelSelector=%00",
        "labelSelector=a%3D%3D%3D",
        "labelSelector=a>9999999999999999999999",
        "labelSelector=a%20in%20(b",
        "labelSelector=!",
        "labelSelector=,",
        "fieldSelector=a",
        "fieldSelector=metadata.name%3D" + "a" * 100000,
        "fieldSelector=" + "%5C" * 50,
        "fieldSelector=metadata.name%3D%5C",
        "fieldSelector=%3D",
        "fieldSelector=,",
        "fieldSelector=,,metadata.name%3Dx",
        "fieldSelector=spec.x%3Dx",
        "fieldSelector=metadata.name%3Da%2Cmetadata.name%3Db",
        "limit=x",
        "limit=-1",
        "limit=99999999999999999999",
        "limit=1.5",
        "continue=x",
        "continue=e30",
        "continue=%FF",
        "resourceVersion=x",
        "resourceVersion=-1",
        "resourceVersion=99999999999999999999999",
        "resourceVersion=1&resourceVersionMatch=x",
        "watch=maybe&limit=1",
        "timeoutSeconds=x",
        "watch=1&timeoutSeconds=x",
        "watch=1&timeoutSeconds=1&resourceVersion=x",
        "watch=1&timeoutSeconds=1&resourceVersion=999999999",
        "allowWatchBookmarks=x",
        "pretty=x",
        "a=" + "b" * 2000,
        "%zz=1",
        "limit=%zz",
        "watch=1&timeoutSeconds=-5&resourceVersion=0",
        "watch=1&timeoutSeconds=99999999999999999999",
        "fieldSelector=metadata.name!%3Dx%3D",
        "sendInitialEvents=x",
        "watch=1&sendInitialEvents=x",
        "watch=1&sendInitialEvents=true&timeoutSeconds=1&resourceVersionMatch=x",
        "limit=1_0",
        "limit=+1",
        "limit=%201",
    ]
):
    case(f"q{i} {q[:40]}", "GET", CM + "?" + q)
for i, q in enumerate(
    [
        "dryRun=x",
        "dryRun=",
        "dryRun=All&dryRun=All",
        "dryRun=All&dryRun=x",
        "fieldManager=" + "a" * 200,
        "fieldManager=%01",
        "fieldValidation=x",
        "fieldValidation=",
        "pretty=1",
    ]
):
    case(f"pq{i} {q[:30]}", "POST", CM + "?" + q, cm())
for i, b in enumerate(
    [
        b"x",
        b"[]",
        b"{}",
        b"null",
        b'{"kind":"DeleteOptions"}',
        b'{"kind":"ConfigMap","apiVersion":"v1"}',
        b'{"gracePeriodSeconds":"x"}',
        b'{"gracePeriodSeconds":-1}',
        b'{"gracePeriodSeconds":1e30}',
        b'{"propagationPolicy":"x"}',
        b'{"propagationPolicy":"Orphan","orphanDependents":true}',
        b'{"preconditions":5}',
        b'{"preconditions":{"uid":"x"}}',
        b'{"dryRun":["x"]}',
        b'{"dryRun":"All"}',
        b'{"kind":"DeleteOptions","apiVersion":"v9"}',
        b'{"kind":"DeleteOptions","apiVersion":"meta.k8s.io/v1","bogus":1}',
    ]
):
    case(f"del{i}", "DELETE", CM + "/nope", b)
    case(f"delx{i}", "DELETE", CM + "/x?dryRun=All", b)
for i, q in enumerate(
    ["gracePeriodSeconds=x", "gracePeriodSeconds=-1", "propagationPolicy=x", "orphanDependents=x", "dryRun=x"]
):
    case(f"delq{i} {q}", "DELETE", CM + "/x?" + q)
for p in [
    "/api/v1/../../etc/passwd",
    "/..",
    "//",
    "/api//v1///namespaces",
    "/api/v1/namespaces/..%2f..%2fetc/configmaps",
    "/api/v1/namespaces/default/configmaps/..",
    "/api/v1/namespaces/default/configmaps/%2e%2e",
    "/api/v1/namespaces/default/configmaps/a%2fb",
    "/api/v1/namespaces/default/configmaps/%00",
    "/api/v1/namespaces/default/configmaps/%ff",
    "/api/v1/namespaces/" + "a" * 5000 + "/configmaps",
    "/api",
    "/api/",
    "/api/v1/",
    "/api/v2",
    "/apis/x",
    "/apis/apps/v9/deployments",
    "/apis/apps/v1/nope",
    "/api/v1/pods/x/y/z",
    "/api/v1/namespaces/default/pods/x/exec/y",
    "/api/v1/proxy/x",
    "/openapi/v2",
    "/openapi/v3/../v3",
    "/version/x",
    "/healthz/x",
    "/healthz/ping",
    "/readyz?verbose",
    "/livez/poststarthook",
    "/logs",
    "/swagger.json",
    "/favicon.ico",
    "/%2e%2e/",
    "/api/v1/namespaces/default/configmaps/x/status",
    "/api/v1/namespaces/default/pods/x/log",
    "/api/v1/nodes/lab/proxy",
    "/api/v1/namespaces/default/configmaps/.",
    "/api/v1/namespaces//configmaps",
    "/api/v1/namespaces/default/configmaps/x/",
    "/api/v1/namespaces/default/services/http:a:b:c/proxy/",
    "/api/v1/namespaces/default/services/:a:/proxy/",
]:
    case("path " + p[:60], "GET", p, ct=None)
for m in ["OPTIONS", "TRACE", "CONNECT", "FOO", "HEAD", "PUT", "get", "PROPFIND"]:
    case("method " + m, m, CM, ct=None)
    case("method item " + m, m, CM + "/x", ct=None)
for a in [
    "x",
    "text/html",
    "application/json;as=Table",
    "application/json;as=Table;v=v9;g=meta.k8s.io",
    "application/cbor",
    ",,,",
    ";",
    "*/*;q=0",
    "application/json;q=abc",
    "a" * 3000,
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
]:
    case("accept " + a[:40], "GET", CM + "/x", ct=None, headers=[("Accept", a)])
