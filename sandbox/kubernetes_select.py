"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from sandbox.kubernetes_answer import Object, bad_request

Match: TypeAlias = Callable[[Object], bool]

_KEY = r"[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?"
_SET = re.compile(rf"(?P<key>{_KEY})\s+(?P<operator>in|notin)\s+\((?P<values>[^()]*)\)")
_EQUALITY = re.compile(rf"(?P<key>{_KEY})\s*(?P<operator>==|=|!=)\s*(?P<value>{_VALUE})")
_EXISTS = re.compile(rf"(?P<absent>!?)\s*(?P<key>{_KEY})")

FIELDS = {
    "pods": {
        "metadata.name",
        "metadata.namespace",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
    },
    "nodes": {"metadata.name", "spec.unschedulable"},
}
"""The fields that each resource can be selected by; all others know only name and namespace."""


def labels(selector: str) -> Match:
    """Return a predicate on objects for a label selector ("app=web,tier in (a,b),!canary").

    Raises:
        Failure: 400, malformed.
    """
    tests = [_requirement(part.strip()) for part in _split(selector)]
    return lambda item: all(test(item["metadata"].get("labels") or {}) for test in tests)


def _split(selector: str) -> list[str]:
    return [part for part in re.split(r",(?![^(]*\))", selector) if part.strip()]


def _requirement(text: str) -> Callable[[dict[str, str]], bool]:
    if found := _SET.fullmatch(text):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["operator"] == "in":
            return lambda had: had.get(key) in values
        return lambda had: had.get(key) not in values
    if found := _EQUALITY.fullmatch(text):
        key, value = found["key"], found["value"]
        if found["operator"] == "!=":
            return lambda had: had.get(key) != value
        return lambda had: had.get(key) == value
    if found := _EXISTS.fullmatch(text):
        key, wanted = found["key"], not found["absent"]
        return lambda had: (key in had) == wanted
    raise bad_request(f"unable to parse requirement: {text!r}")


def fields(selector: str, resource: str) -> Match:
    """Return a predicate on objects for a field selector ("spec.nodeName=n1,status.phase!=Succeeded").

    Raises:
        Failure: 400, malformed or a field that the resource cannot be selected by.
    """
    known = FIELDS.get(resource, {"metadata.name", "metadata.namespace"})
    tests: list[Match] = []
    for part in (part for part in selector.split(",") if part):
        found = re.fullmatch(r"(?P<field>[^=!]+)(?P<operator>==|=|!=)(?P<value>.*)", part)
        if not found:
            raise bad_request(f'invalid selector: "{selector}"; can\'t understand "{part}"')
        if found["field"] not in known:
            raise bad_request(f"field label not supported: {found['field']}")
        tests.append(_field_test(found["field"].split("."), found["value"], found["operator"] != "!="))
    return lambda item: all(test(item) for test in tests)


def _field_test(path: list[str], value: str, equal: bool) -> Match:
    absent: object = False if path == ["spec", "unschedulable"] else ""

    def test(item: Object) -> bool:
        found: object = item
        for part in path:
            found = found.get(part, absent) if isinstance(found, dict) else absent
        return ((str(found).lower() if isinstance(found, bool) else str(found)) == value) == equal

    return test


def selects(selector: Object | None, item: Object) -> bool:
    """Tell whether a LabelSelector object selects an object. An empty selector selects nothing here: that is how
    disruption budgets read it."""
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        return False
    had = item["metadata"].get("labels") or {}
    return all(had.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()) and all(
        _expression(had, expression) for expression in selector.get("matchExpressions") or []
    )


def _expression(had: dict[str, str], expression: Object) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return had.get(key) in values
        case "NotIn":
            return had.get(key) not in values
        case "Exists":
            return key in had
        case "DoesNotExist":
            return key not in had
    raise bad_request(f'"{expression["operator"]}" is not a valid label selector operator')
