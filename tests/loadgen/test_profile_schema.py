"""The JSON Schema of profiles: what the reader takes is valid by it, and a slip is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.located_yaml import read_document
from loadgen.profile.schema import profile_schema
from tests.loadgen.profile_texts import GOOD, with_mistake

ROOT = Path(__file__).parents[2]
# All but the plan of a night, which is beside the profiles that it runs.
PROFILES = sorted({*(ROOT / "profiles").glob("*.yaml")} - {ROOT / "profiles" / "nightly.yaml"})
SCHEMA = profile_schema()

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
    "integer": int, "number": (int, float),
}  # fmt: skip
# What says nothing about a value, and what is dealt with together with another keyword.
_SILENT = {"$defs", "$schema", "default", "description", "title", "discriminator", "maxItems"}


class Violation(Exception):
    """When a value is not valid."""


def check(value: object, schema: dict[str, Any], at: str = "") -> None:
    """Checks a value by as much of JSON Schema as the schema of profiles uses.

    Raises:
        Violation: it is not valid.
        KeyError: the schema has a keyword that is not known here.
    """
    # The type first: the others rely on it.
    for keyword, wanted in sorted(schema.items(), key=lambda item: item[0] != "type"):
        if keyword not in _SILENT and not _KEYWORDS[keyword](value, wanted, schema, at):
            raise Violation(f"{at}: {keyword} {wanted}: {value}")


def _is_valid(value: object, schema: dict[str, Any], at: str) -> bool:
    try:
        check(value, schema, at)
    except Violation:
        return False
    return True


def _ref(value: object, wanted: str, _: dict[str, Any], at: str) -> bool:
    check(value, SCHEMA["$defs"][wanted.removeprefix("#/$defs/")], at)
    return True


def _type(value: object, wanted: str, *_: object) -> bool:
    if isinstance(value, bool) and wanted in ("integer", "number"):
        return False
    return isinstance(value, _TYPES[wanted])


def _properties(value: object, wanted: dict[str, Any], _: dict[str, Any], at: str) -> bool:
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key in wanted:
            check(inner, wanted[key], f"{at}.{key}")
    return True


def _additional(value: object, wanted: Any, schema: dict[str, Any], at: str) -> bool:
    known = schema.get("properties", {})
    further = {k: v for k, v in value.items() if k not in known} if isinstance(value, dict) else {}
    if isinstance(wanted, bool):
        return wanted or not further
    for key, inner in further.items():
        check(inner, wanted, f"{at}.{key}")
    return True


def _names(value: object, wanted: dict[str, Any], _: dict[str, Any], at: str) -> bool:
    for key in value if isinstance(value, dict) else ():
        check(key, wanted, f"{at}.{key}")
    return True


def _items(value: object, wanted: dict[str, Any], _: dict[str, Any], at: str) -> bool:
    for index, inner in enumerate(value if isinstance(value, list) else ()):
        check(inner, wanted, f"{at}[{index}]")
    return True


def _prefix(value: object, wanted: list[Any], schema: dict[str, Any], at: str) -> bool:
    items = value if isinstance(value, list) else []
    for index, (inner, one) in enumerate(zip(items, wanted, strict=False)):
        check(inner, one, f"{at}[{index}]")
    return len(items) <= schema.get("maxItems", len(items))


_KEYWORDS: dict[str, Any] = {
    "$ref": _ref,
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "items": _items,
    "prefixItems": _prefix,
    "required": lambda value, wanted, *_: not isinstance(value, dict) or {*wanted} <= value.keys(),
    "anyOf": lambda value, wanted, _, at: any(_is_valid(value, one, at) for one in wanted),
    "oneOf": lambda value, wanted, _, at: sum(_is_valid(value, one, at) for one in wanted) == 1,
    "enum": lambda value, wanted, *_: value in wanted,
    "const": lambda value, wanted, *_: value == wanted,
    # These say nothing about values of another type.
    "minimum": lambda value, wanted, *_: isinstance(value, str) or value >= wanted,
    "maximum": lambda value, wanted, *_: isinstance(value, str) or value <= wanted,
    "exclusiveMinimum": lambda value, wanted, *_: isinstance(value, str) or value > wanted,
    "minItems": lambda value, wanted, *_: not isinstance(value, list) or len(value) >= wanted,
    "pattern": lambda value, wanted, *_: not isinstance(value, str) or re.search(wanted, value),
}


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.name)
def test_the_profiles_that_come_along_are_valid(path: Path) -> None:
    check(read_document(path.read_text(encoding="utf-8")).value, SCHEMA)


def test_a_profile_with_a_bit_of_everything_is_valid() -> None:
    check(read_document(GOOD).value, SCHEMA)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("vars:", "var:", id="unknown key"),
        pytest.param("connect: 3s", "connect_s: 3s", id="the name of an attribute"),
        pytest.param("connect: 3s", "connect: 3 sec", id="no duration"),
        pytest.param("duration: 10s", "duration: -1", id="negative duration"),
        pytest.param("guards:", "validity: {max_cpu: 2}\nguards:", id="no share"),
        pytest.param("version: 1", "version: 2", id="another version"),
        pytest.param("type: api_key", "type: apikey", id="no such type"),
        pytest.param("rate: [5, 50]", "rate: [5, 50, 5]", id="ramp of three"),
        pytest.param("rate: [5, 50]", "rate: fast", id="no rate"),
        pytest.param("count: 10", "count: 1", id="too few steps"),
        pytest.param("order: random", "order: randm", id="no such order"),
        pytest.param("status: 200", "status: '200'", id="text for a number"),
        pytest.param("weight: 3", "weight: 0", id="weight of nothing"),
        pytest.param("between: [100ms, 300ms]", "betwen: 5s", id="no think"),
        pytest.param("name: shop\n", "name: '!'\n", id="bad name"),
        pytest.param("name: shop\n", "", id="missing"),
    ],
)
def test_a_slip_is_not_valid(before: str, after: str) -> None:
    value = read_document(with_mistake(GOOD, before, after)).value

    with pytest.raises(Violation):
        check(value, SCHEMA)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("rate: 5,", "rate: 0.5,", id="part of a request a second"),
        pytest.param("duration: 10s", "duration: 1m 30s", id="duration of two parts"),
        pytest.param("duration: 10s", "duration: '${env.LONG}'", id="duration from outside"),
        pytest.param("status: 200", "status: [200, 304]", id="several statuses"),
        pytest.param("think: {between: [100ms, 300ms]}", "think: 1s", id="fixed think"),
        pytest.param(
            "think: {between: [100ms, 300ms]}", "think: {exponential: 1s}", id="random think"
        ),
        pytest.param("query: {limit: 10}", "query: {a: [1, x], b: true}", id="lists in a query"),
    ],
)
def test_other_forms_are_valid(before: str, after: str) -> None:
    check(read_document(with_mistake(GOOD, before, after)).value, SCHEMA)


def test_the_schema_is_strict_and_says_what_parts_are_for() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for name, part in [("Profile", SCHEMA), *SCHEMA["$defs"].items()]:
        if part.get("type") == "object":
            assert part["additionalProperties"] is False, name
            assert part.get("description"), f"{name} needs a docstring"


def _keys() -> Iterator[str]:
    for part in (SCHEMA, *SCHEMA["$defs"].values()):
        yield from part.get("properties", {})


def test_the_schema_has_the_keys_of_files_and_not_the_names_of_attributes() -> None:
    keys = set(_keys())

    assert {"duration", "json", "from", "for", "within", "think"} <= keys
    assert not [key for key in keys if key.endswith(("_s", "_"))]
