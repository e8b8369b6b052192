"""Tables: what the API server answers to `Accept: application/json;as=Table;v=v1;g=meta.k8s.io`.

Columns are a recorded table, cells are computed by `printers`; custom resources have their own columns, found by
JSONPath. Models apiserver/pkg/registry/rest/table.go and apiextensions-apiserver/pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal

from kit.kube import jsonpath, metering, times
from kit.kube.data import load
from kit.kube.printers import LISTED, ROWS
from kit.kube.printers.pods import PodStatus, pod_status, row_conditions

__all__ = ["Include", "PodStatus", "columns", "pod_status", "row", "table"]

Object = Mapping[str, Any]
Include = Literal["Metadata", "Object", "None"]
Cells = Callable[[Object, int], list[Any]]

_META: Final = "meta.k8s.io/v1"
_AGE: Final = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def columns(group_resource: str, printer_columns: Sequence[Object] | None = None) -> list[dict[str, Any]]:
    """Return the column definitions of `pods` or `deployments.apps`; of a custom resource with its printer columns."""
    found = _recorded().get(group_resource) if printer_columns is None else None
    return [dict(column) for column in found or _custom_columns(printer_columns or ())]


def table(
    objs: Iterable[Object],
    group_resource: str,
    *,
    now_ms: int,
    include: Include = "Metadata",
    list_meta: Object | None = None,
    printer_columns: Sequence[Object] | None = None,
) -> dict[str, Any]:
    """Return a Table of objects. Without `list_meta` it is about one object and has its resourceVersion.

    `printer_columns` are the additionalPrinterColumns of a custom resource's version. Watch frames drop the columns
    after the first: take `row` for them.
    """
    found = list(objs)
    cells = _cells(group_resource, printer_columns)
    if list_meta is None:
        version = found[0]["metadata"].get("resourceVersion") if found else None
        list_meta = {"resourceVersion": version} if version is not None else {}
    elif printer_columns is None:
        cells = LISTED.get(group_resource, cells)
    return {
        "kind": "Table",
        "apiVersion": _META,
        "metadata": dict(list_meta),
        "columnDefinitions": columns(group_resource, printer_columns),
        "rows": [_row(obj, cells, group_resource, now_ms, include) for obj in found],
    }


def row(
    obj: Object,
    group_resource: str,
    *,
    now_ms: int,
    include: Include = "Metadata",
    printer_columns: Sequence[Object] | None = None,
) -> dict[str, Any]:
    """Return one object's row."""
    return _row(obj, _cells(group_resource, printer_columns), group_resource, now_ms, include)


def _row(obj: Object, cells: Cells, group_resource: str, now_ms: int, include: Include) -> dict[str, Any]:
    out: dict[str, Any] = {"cells": cells(obj, now_ms)}
    conditions = row_conditions(obj) if group_resource == "pods" else []
    if conditions:
        out["conditions"] = conditions
    if include == "None":
        out["object"] = None
    elif include == "Object":
        out["object"] = obj
    else:
        out["object"] = {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": obj["metadata"]}
    return out


def _cells(group_resource: str, printer_columns: Sequence[Object] | None) -> Cells:
    if printer_columns is None and group_resource in ROWS:
        return ROWS[group_resource]
    chosen = list(printer_columns or (_AGE,))

    def cells(obj: Object, now_ms: int) -> list[Any]:
        return [obj["metadata"].get("name", ""), *(_custom_cell(column, obj, now_ms) for column in chosen)]

    return cells


@cache
def _recorded() -> dict[str, list[dict[str, Any]]]:
    found = load("columns")
    texts = found["texts"]
    return {
        name: [
            {"name": title, "type": type, "format": format, "description": texts[text], "priority": priority}
            for title, type, format, text, priority in rows
        ]
        for name, rows in found["columns"].items()
    } | {resource.group_resource: metering.columns() for resource in metering.RESOURCES}


def _custom_columns(printer_columns: Sequence[Object]) -> list[dict[str, Any]]:
    """Return the columns of a custom resource: its name, then its own or its age."""
    named, aged = _recorded()["serviceaccounts"]
    if not printer_columns:
        return [named, {**aged, "type": "date"}]
    out = [named]
    for column in printer_columns:
        path = column["jsonPath"]
        out.append(
            {
                "name": column["name"],
                "type": column["type"],
                "format": column.get("format", ""),
                "description": column.get("description")
                or f"Custom resource definition column (in JSONPath format): {path}",
                "priority": column.get("priority", 0),
            }
        )
    return out


def _custom_cell(column: Object, obj: Object, now_ms: int) -> Any:
    """Return the cell, None where nothing fits. Models cellForJSONValue."""
    found = jsonpath.find(column["jsonPath"], obj)
    if not found:
        return None
    if column["type"] == "string":
        return jsonpath.shown(found)
    if column["type"] == "date":
        return _custom_age(found[0], now_ms)
    return _VALUES[column["type"]](found[0])


def _custom_age(value: Any, now_ms: int) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return times.human_duration(now_ms - times.parse(value))
    except times.TimeError:
        return "<invalid>"


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_VALUES: Final[dict[str, Callable[[Any], Any]]] = {"integer": _whole, "number": _number, "boolean": _boolean}
