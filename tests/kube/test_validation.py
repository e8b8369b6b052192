"""Validation: the mechanism, the hot path, and recorded refusals told cause by cause."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from kit.kube import kinds, names, schedules, validation
from kit.kube.defaults import apply_defaults
from kit.kube.status import Cause
from kit.kube.strategy import prepare_create
from kit.kube.validation import checks, internal
from kit.kube.validation.kinds import RULES

NOW, UID = "2026-03-01T12:00:00Z", "11111111-2222-3333-4444-555555555555"
REGISTRY = kinds.builtin()
# Words that are not about the object itself: another part of the API server says them.
ELSEWHERE = (
    "provided port is",
    "failed to allocate",
    "unknown time zone",
    "compilation failed",
    "must be one of privileged",
)


def pod(**spec: Any) -> dict[str, Any]:
    """Return a Pod as it is validated."""
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}], **spec},
    }
    return apply_defaults(body)


def found(obj: dict[str, Any]) -> list[str]:
    """Return what is wrong with an object, as messages say it."""
    return [str(cause) for cause in validation.validate_create(obj, resource(obj))]


def resource(obj: dict[str, Any]) -> kinds.Resource:
    """Return the resource of an object."""
    known = REGISTRY.by_kind(obj["apiVersion"], obj["kind"])
    assert known is not None
    return known


def test_rows_reach_every_item_and_name_the_place() -> None:
    check = checks.rows(("a.items[].size", checks.natural), ("b", checks.required, "Other"))
    out: list[Cause] = []
    check({"a": {"items": [{"size": 1}, {"size": -2}, {}]}}, "spec", out)
    assert [(cause.field, cause.message) for cause in out] == [
        ("spec.a.items[1].size", "Invalid value: -2: must be greater than or equal to 0"),
        ("Other", "Required value"),
    ]


def test_rows_skip_what_has_no_parent() -> None:
    out: list[Cause] = []
    checks.rows(("a.b.c", checks.required))({"a": {}}, "", out)
    assert out == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("10.0.0.1", []), ("::1", []), ("010.0.0.1", ["must not have leading 0s"]), ("x", [checks.IP_TEXT])],
)
def test_addresses(text: str, said: list[str]) -> None:
    assert checks.ip_complaints(text) == said


def test_a_network_needs_its_length() -> None:
    assert checks.is_cidr("10.0.0.0/8")
    assert not checks.is_cidr("10.0.0.1")
    assert not checks.is_cidr("10.0.0.0/99")


def test_a_name_is_looked_at_once() -> None:
    assert checks.known_good(names.label, "Bad") == tuple(names.label("Bad"))
    assert checks.known_good(names.label, "good") == ()


@pytest.mark.parametrize("schedule", ["*/5 * * * *", "@hourly", "@every 1h30m", "0 0 1,15 * 3", "TZ=UTC 0 3 * * *"])
def test_good_schedules(schedule: str) -> None:
    assert schedules.complaint(schedule) == ""


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("*/1/2 * * * *", "too many slashes: */1/2"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
    ],
)
def test_bad_schedules(schedule: str, said: str) -> None:
    assert schedules.complaint(schedule) == said


def test_internal_form_writes_empty_fields_in_the_order_of_the_go_type() -> None:
    shown = internal.internal({"name": "a", "port": 80}, internal.CORE + "ServicePort")
    assert list(shown.items()) == [
        ("Name", "a"), ("Protocol", ""), ("AppProtocol", None), ("Port", 80), ("TargetPort", 0), ("NodePort", 0),
    ]  # fmt: skip


def test_orders_name_fields_that_exist() -> None:
    for kind, order in internal.ORDERS.items():
        shown = internal.fields_of(internal.CORE + kind)
        assert len(shown) == len(order.split()), kind


def test_a_good_pod_has_no_complaints() -> None:
    assert found(pod()) == []


def test_complaints_come_in_the_order_of_the_spec() -> None:
    bad = pod(containers=[{"name": "C", "image": ""}], restartPolicy="Perhaps", hostname="a.b")
    assert [text.partition(":")[0] for text in found(bad)] == [
        "spec.containers[0].name",
        "spec.containers[0].image",
        "spec.restartPolicy",
        "spec.hostname",
    ]


def test_an_update_that_leaves_the_spec_is_not_read_again() -> None:
    old = pod()
    broken = {**old, "spec": {**old["spec"], "restartPolicy": "Perhaps"}}
    assert validation.validate_update(broken, broken, resource(old)) == []
    assert validation.validate_update(broken, old, resource(old)) != []


def test_a_pod_may_tolerate_more_and_not_less() -> None:
    one = {"key": "a", "operator": "Exists", "effect": "NoExecute"}
    old, new = pod(tolerations=[one]), pod(tolerations=[one, {**one, "key": "b"}])
    assert validation.validate_update(new, old, resource(old)) == []
    refused = [str(cause) for cause in validation.validate_update(old, new, resource(old))]
    kept = "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
    assert refused[0] == kept


def test_a_deadline_may_only_come_closer() -> None:
    old, new = pod(activeDeadlineSeconds=10), pod(activeDeadlineSeconds=20)
    refused = [str(cause) for cause in validation.validate_update(new, old, resource(old))]
    assert refused == ["spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value"]
    assert validation.validate_update(old, new, resource(old)) == []


def test_a_status_keeps_its_class() -> None:
    old = {**pod(), "status": {"qosClass": "BestEffort"}}
    new = {**old, "status": {"qosClass": "Guaranteed", "podIPs": [{"ip": "10.0.0.1"}]}}
    refused = [str(cause) for cause in validation.validate_status_update(new, old, resource(old))]
    assert refused == ['status.qosClass: Invalid value: "Guaranteed": field is immutable']


def test_a_deleted_object_gets_no_new_finalizers() -> None:
    old = pod()
    old["metadata"] = {**old["metadata"], "deletionTimestamp": NOW, "finalizers": ["example.com/a"]}
    new = {**old, "metadata": {**old["metadata"], "finalizers": ["example.com/a", "example.com/b"]}}
    refused = [cause.field for cause in validation.validate_update(new, old, resource(old))]
    assert refused == ["metadata.finalizers"]


def test_every_rule_is_of_a_kind_that_exists() -> None:
    known = {one.group_kind for one in REGISTRY}
    assert set(RULES) <= known


def test_recorded_refusals_are_told_cause_by_cause(facts: Callable[[str], Any]) -> None:
    """POSTs the API server refused for what their fields hold: the same causes in the same order, by kind."""
    told: Counter[str] = Counter()
    for case in facts("validation.jsonl"):
        causes = refused(case)
        if causes is None or any(word in cause["message"] for cause in causes for word in ELSEWHERE):
            continue
        obj = made(case["request"]["body"])
        got = [cause.body() for cause in dict.fromkeys(validation.validate_create(obj, resource(obj)))]
        assert got == causes, case["id"]
        told[obj["kind"]] += 1
    print(f"\nrefusals told: {sum(told.values())} of {len(told)} kinds: {dict(told.most_common())}")
    assert sum(told.values()) >= 420
    assert told["Pod"] >= 145


def refused(case: dict[str, Any]) -> list[dict[str, str]] | None:
    """Return the causes of a refused POST of a built-in kind that validation alone answers, else None."""
    request, answer = case["request"], case["expect"]
    body = request.get("body")
    if request["method"] != "POST" or answer["code"] != 422 or not isinstance(body, dict) or case.get("setup"):
        return None
    known = REGISTRY.by_kind(body.get("apiVersion", ""), body.get("kind", ""))
    if (
        known is None
        or known.kind in UNLIKE
        or known.kind.endswith("Review")
        or "<" in str(request["path"])
        or request["path"].count(known.plural) != 1
    ):
        return None
    if (
        not request["path"].endswith(known.plural)
        or "<r" in str(body)
        or any(word in str(answer["body"]) for word in ("<u", "<rand5>", "<repeat"))
    ):
        return None
    causes: list[dict[str, str]] = answer["body"]["details"]["causes"]
    return None if causes[0]["field"] in {"dryRun", "fieldManager"} else causes


# Kinds whose refusals need another part: what is stored in another form, what is compiled.
UNLIKE = frozenset({"Event", "CustomResourceDefinition"})


def made(body: dict[str, Any]) -> dict[str, Any]:
    """Return a posted object as it is when it is validated."""
    namespace = {"namespace": "default"} if resource(body).namespaced else {}
    meta = {**(body.get("metadata") or {}), **namespace, "uid": UID}
    obj = apply_defaults({**body, "metadata": meta})
    return prepare_create(obj, resource(body), now=NOW, user={})


def test_a_pod_is_checked_quickly() -> None:
    """The hot path: far below what a turn of the machine costs (the budget is 200 µs; slow machines get slack)."""
    obj = pod(containers=[{"name": "c", "image": "nginx", "env": [{"name": "A", "value": "b"}]}])
    known = resource(obj)
    best = min(timed(lambda: validation.validate_create(obj, known)) for _ in range(20))
    print(f"\na valid Pod: {best * 1e6:.0f} µs")
    assert best < 0.001


def timed(run: Callable[[], Any]) -> float:
    """Return how long one of a hundred runs takes."""
    start = time.perf_counter()
    for _ in range(100):
        run()
    return (time.perf_counter() - start) / 100
