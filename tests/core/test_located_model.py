"""Models of documents: every fault in words, under the names and places of the document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from core.located_model import (
    Mistake,
    Models,
    Teller,
    did_you_mean,
    expected,
    problem,
    read_model,
    refuse,
    shown_value,
)
from core.located_yaml import Path, Place, read_document


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cat(Part):
    kind: Literal["cat"]
    lives: Annotated[int, Field(strict=True, ge=1)]


class Dog(Part):
    kind: Literal["dog"]
    cat: str = ""


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Range(Part):
    from_: float = Field(alias="from")
    to: float


def _shape(value: object) -> str:
    return "mapping" if isinstance(value, dict | Range) else "single"


def _even(value: int) -> int:
    if value % 2:
        raise expected("must be even")
    return value


def _no_threes(values: tuple[int, ...]) -> tuple[int, ...]:
    refuse(Mistake("is a three", (at,)) for at, value in enumerate(values) if value == 3)
    return values


def _never(value: object) -> object:
    raise problem("can never be", "in here")


class Zoo(Part):
    length_m: Annotated[float, Field(strict=True)] = Field(default=1, alias="length")
    pets: tuple[Pet, ...] = ()
    pet: Pet | None = None
    named: dict[Annotated[str, Field(pattern="^[a-z]+$")], Pet] = {}
    size: (
        Annotated[
            Annotated[float, Field(strict=True), Tag("single")] | Annotated[Range, Tag("mapping")],
            Discriminator(_shape),
        ]
        | None
    ) = None
    even: Annotated[int, BeforeValidator(_even)] = 0
    numbers: Annotated[tuple[int, ...], BeforeValidator(_no_threes)] = ()
    few: Annotated[tuple[int, ...], Field(min_length=1)] | None = None
    never: Annotated[Any, BeforeValidator(_never)] = None


def told(text: str, teller: Teller | None = None) -> list[str]:
    """What is said of a document, as `line:column: name: message`."""
    reading = read_model(Zoo, read_document(text), teller=teller)
    assert (reading.model is None) == bool(reading.problems)
    return [found.text("").removeprefix(":") for found in sorted(reading.problems)]


CASES = {
    "unknown key, called by its alias": (
        "lenght: 3",
        "1:1: lenght: unknown key (did you mean length?)",
    ),
    "the name of an attribute is no key": (
        "length_m: 3",
        "1:1: length_m: unknown key (did you mean length?)",
    ),
    "text for a number": ("length: long", "1:9: length: must be a number (got 'long')"),
    "kind missing": ("pet: {lives: 9}", "1:1: pet.kind: is missing"),
    "no such kind": ("pet: {kind: cow}", "1:13: pet.kind: must be 'cat' or 'dog' (got 'cow')"),
    "key of another kind": (
        "pet: {kind: dog, lives: 9}",
        "1:18: pet.lives: unknown key (there are cat, kind)",
    ),
    # The kind is a step of pydantic's location, and the name of a key as well.
    "a key that is called like a kind": (
        "pet: {kind: dog, cat: 5}",
        "1:23: pet.cat: must be text (got 5; put it in quotes)",
    ),
    "in a list": ("pets: [{kind: cat}]", "1:8: pets[0].lives: is missing"),
    "in a mapping of names": (
        "named: {tom: {kind: cat, lives: 0}}",
        "1:33: named.tom.lives: must be at least 1 (got 0)",
    ),
    "bad name": (
        "named: {Tom: {kind: dog}}",
        "1:9: named.Tom: bad name: must match [a-z]+ (got 'Tom')",
    ),
    "the member of a union that is meant": ("size: big", "1:7: size: must be a number (got 'big')"),
    "inside the member that is meant": ("size: {from: 1}", "1:1: size.to: is missing"),
    "an own expectation": ("even: 3", "1:7: even: must be even (got 3)"),
    "an own problem, with where it is": (
        "never: {in here: 5}",
        "1:18: never.in here: can never be",
    ),
    "an empty list": ("few: []", "1:6: few: must have at least 1 (got an empty list)"),
}


@pytest.mark.parametrize(
    ("text", "said"), [pytest.param(*case, id=name) for name, case in CASES.items()]
)
def test_a_fault_is_told_with_its_place(text: str, said: str) -> None:
    assert told(text) == [said]


def test_what_is_in_order_is_read() -> None:
    reading = read_model(Zoo, read_document("{length: 2, size: {from: 1, to: 2}, few: [1]}"))

    assert reading.problems == ()
    assert reading.model is not None
    assert reading.model.length_m == 2


def test_all_faults_are_told_those_of_one_check_too() -> None:
    assert told("numbers: [3, 1, 3]\nlength: x\nlenght: 1") == [
        "1:11: numbers[0]: is a three",
        "1:17: numbers[2]: is a three",
        "2:9: length: must be a number (got 'x')",
        "3:1: lenght: unknown key (did you mean length?)",
    ]


def test_a_list_is_not_called_short_because_its_items_are_wrong() -> None:
    assert told("few: [x]") == ["1:7: few[0]: must be a whole number (got 'x')"]


def test_what_the_yaml_reader_found_is_not_told_twice() -> None:
    assert told("length: !!int x") == ["1:9: length: is not a number (got x)"]


def test_values_and_unknown_keys_can_be_told_in_other_words() -> None:
    def unknown(models: Models, key: str) -> str | None:
        return "not for dogs" if models == (Dog,) and key == "lives" else None

    def shown(path: Path, value: object) -> str:
        return "a secret" if path == ("length",) else shown_value(value)

    teller = Teller(shown=shown, of_unknown_key=unknown)

    assert told("{length: hunter2, pet: {kind: dog, lives: 9}, even: 3}", teller) == [
        "1:10: length: must be a number (got a secret)",
        "1:36: pet.lives: not for dogs",
        "1:53: even: must be even (got 3)",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "nothing"),
        (True, "true"),
        (1.5, "1.5"),
        ("word", "'word'"),
        ("x" * 80, f"'{'x' * 57}...'"),
        ({}, "an empty mapping"),
        ({"a": 1}, "a mapping"),
        ([1], "a list"),
    ],
)
def test_values_are_shown_short(value: object, shown: str) -> None:
    assert shown_value(value) == shown


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("chekout", {"checkout", "search"}, " (did you mean checkout?)"),
        ("xyz", {"b", "a"}, " (there are a, b)"),
        ("xyz", set(), ""),
    ],
)
def test_a_name_that_is_not_known_gets_a_hint(name: str, known: set[str], hint: str) -> None:
    assert did_you_mean(name, known) == hint


def test_a_place_is_known_for_what_is_missing() -> None:
    reading = read_model(Zoo, read_document("pets:\n  - kind: cat\n"))

    assert [found.place for found in reading.problems] == [Place(2, 5)]
