"""Documents that people write, as pydantic models: every fault told in words, with its place.

A model validates the values of a `Document`; what pydantic finds wrong becomes located problems.
Keys are called as they are written, so by the aliases of the fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    NamedTuple,
    TypeGuard,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from pydantic import BaseModel, Tag, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from core.located_yaml import Document, Path, Problem, Step

Models = tuple[type[BaseModel], ...]
AnyModel = TypeVar("AnyModel", bound=BaseModel)

_LONGEST_SHOWN = 60
_BOUNDS = (("ge", "at least"), ("gt", "greater than"), ("le", "at most"), ("lt", "less than"))

# Pydantic's names for what the value has to be.
_EXPECTED = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
}


class Mistake(NamedTuple):
    """One of the things that a validator finds wrong; `where` is as in `problem`."""

    message: str
    where: tuple[Step, ...]


def problem(message: str, *where: Step) -> PydanticCustomError:
    """An error of a validator in words of our own; `where` leads on from what it validates."""
    return PydanticCustomError("problem", "{text}", {"text": message, "where": where})


def expected(what: str) -> PydanticCustomError:
    """An error of a validator that says what the value must be; what came is told with it."""
    return PydanticCustomError("expected", "{text}", {"text": what})


def refuse(found: Iterable[Mistake]) -> None:
    """Nothing where nothing is found.

    Raises:
        PydanticCustomError: with all that is found, as one error; each is told.
    """
    mistakes = list(found)
    if mistakes:
        first, *further = mistakes
        context = {"text": first.message, "where": first.where, "further": further}
        raise PydanticCustomError("problem", "{text}", context)


def did_you_mean(name: str, known: Set[str]) -> str:
    """A hint in parentheses for a name that is not among the known ones."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1) or get_close_matches(name.lower(), names, n=1)
    if close:
        return f" (did you mean {close[0]}?)"
    listed = ", ".join(sorted(known)[:12])
    return f" (there are {listed})" if listed else ""


def shown_value(value: object) -> str:
    """A value as messages show it: short, and in quotes if it is text."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    short = text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."
    return f"'{short}'" if isinstance(value, str) else short


def key_names(model: type[BaseModel]) -> frozenset[str]:
    """The keys that a mapping of this model may have."""
    return frozenset(written_name(name, found) for name, found in model.model_fields.items())


def written_name(name: str, field: FieldInfo) -> str:
    """What the field `name` is called where people write it."""
    alias = field.validation_alias
    return alias if isinstance(alias, str) else name


class Reading(NamedTuple, Generic[AnyModel]):
    """A model, or None where something is wrong with the document, and all that is."""

    model: AnyModel | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Teller:
    """How faults are told, where a kind of document has words of its own.

    `shown` gives a value as messages show it, by its path; `of_unknown_key` what to say of a key
    that none of the models has, where there is more to say than that it is unknown.
    """

    shown: Callable[[Path, object], str] = lambda _, value: shown_value(value)
    of_unknown_key: Callable[[Models, str], str | None] = lambda _, __: None


def read_model(
    model: type[AnyModel],
    document: Document,
    *,
    context: object = None,
    teller: Teller | None = None,
) -> Reading[AnyModel]:
    """The document as `model`, or everything that is wrong with it; `context` is for validators."""
    problems = list(document.problems)
    read: AnyModel | None = None
    try:
        read = model.model_validate(document.value, context=context)
    except ValidationError as error:
        known = {found.path for found in problems}
        telling = _Telling(model, document, teller or Teller())
        further = [
            telling.problem(single)
            for details in error.errors(include_url=False)
            if not _is_echo(details)
            for single in _singly(details)
        ]
        problems += [found for found in further if found.path not in known]
    return Reading(None if problems else read, tuple(problems))


@dataclass(frozen=True, slots=True)
class _Telling:
    """Turns what pydantic finds into problems of a document."""

    model: type[BaseModel]
    document: Document
    teller: Teller

    def problem(self, details: ErrorDetails) -> Problem:
        kind, context = details["type"], details.get("ctx", {})
        steps, models = _walked(self.model, details["loc"])
        steps = (*steps, *context.get("where", ()))
        if kind in ("union_tag_invalid", "union_tag_not_found"):
            # Written as `'kind'`, with its quotes.
            steps, models = (*steps, context["discriminator"].strip("'")), ()
        path = self.document.resolve(steps)
        # A mapping is found by its key: what it begins with may be lines below.
        is_mapping = isinstance(self.document.at(path), dict)
        place = self.document.place(path, of_key=is_mapping or kind == "extra_forbidden")
        if kind == "extra_forbidden":
            return Problem(place, path, self._unknown_key(models, str(steps[-1])))
        if kind in ("missing", "union_tag_not_found"):
            return Problem(place, (*path, steps[-1]), "is missing")
        shown = self.teller.shown(path, self._value(details))
        if details["loc"][-1:] == ("[key]",):
            place = self.document.place(path, of_key=True)
            return Problem(place, path, f"bad name: {_words(details, shown)}")
        return Problem(place, path, _words(details, shown))

    def _value(self, details: ErrorDetails) -> object:
        tag: object = details.get("ctx", {}).get("tag")
        return details["input"] if tag is None else tag

    def _unknown_key(self, models: Models, key: str) -> str:
        special = self.teller.of_unknown_key(models, key)
        if special is not None:
            return special
        known = frozenset(name for model in models for name in key_names(model))
        return f"unknown key{did_you_mean(key, known)}"


def _singly(details: ErrorDetails) -> Iterator[ErrorDetails]:
    """Each of the mistakes that a validator found."""
    yield details
    mistakes: list[Mistake] = details.get("ctx", {}).get("further", [])
    for mistake in mistakes:
        yield {**details, "msg": mistake.message, "ctx": {"where": mistake.where}}


def _is_echo(details: ErrorDetails) -> bool:
    """Whether a list is called too short only because an item of it is not right."""
    return details["type"] == "too_short" and bool(details["input"])


def _words(details: ErrorDetails, shown: str) -> str:
    """What is wrong, what was expected, and what came."""
    kind, context = details["type"], details.get("ctx", {})
    if kind in ("problem", "value_error"):
        return details["msg"].removeprefix("Value error, ")
    if kind in _EXPECTED:
        quotes = kind == "string_type" and isinstance(details["input"], bool | int | float)
        hint = "; put it in quotes" if quotes else ""
        return f"{_EXPECTED[kind]} (got {shown}{hint})"
    return f"{_expectation(kind, context) or _lowered(details['msg'])} (got {shown})"


def _expectation(kind: str, context: dict[str, Any]) -> str | None:
    """What the value had to be, as the context of pydantic's error has it."""
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        bound, word = next((context[name], word) for name, word in _BOUNDS if name in context)
        return f"must be {word} {bound:g}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind == "union_tag_invalid":
        return f"must be {context['expected_tags'].replace(', ', ' or ')}"
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern'].strip('^$')}"
    if kind == "too_short":
        return f"must have at least {context['min_length']}"
    if kind == "too_long":
        return f"must have at most {context['max_length']}"
    if kind == "string_too_short":
        return f"must have at least {context['min_length']} characters"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    return None


def _lowered(message: str) -> str:
    return f"{message[:1].lower()}{message[1:]}"


# -- where an error is: pydantic's locations have steps that no document has ----------------------


def _walked(model: type[BaseModel], location: Iterable[Step]) -> tuple[Path, Models]:
    """The steps of a location that are keys and positions, and the models just before the last.

    What pydantic puts in besides are the members of unions, and a mark for keys of mappings.
    """
    path: list[Step] = []
    here: tuple[object, ...] = (model,)
    before: Models = ()
    for step in location:
        if step == "[key]" and path:
            break
        members = tuple(member for annotation in here for member in _union(annotation))
        if members:
            here = tuple(each for tag, each in members if tag == step) or tuple(
                each for _, each in members
            )
            continue
        leaves = tuple(_leaf(annotation) for annotation in here)
        before = tuple(leaf for leaf in leaves if _is_model(leaf))
        here = tuple(inner for leaf in leaves for inner in _inside(leaf, step))
        path.append(step)
    return tuple(path), before


def _union(annotation: object) -> tuple[tuple[str | None, object], ...]:
    """The members of a union that pydantic tells apart in locations, with their tags."""
    discriminator: str | None = None
    while True:
        annotation, found = _unwrapped(annotation)
        discriminator = discriminator or found
        if get_origin(annotation) not in (Union, UnionType):
            return ()
        members = [member for member in get_args(annotation) if member is not NoneType]
        if len(members) > 1:
            return tuple((_tag(member, discriminator), member) for member in members)
        annotation = members[0]


def _leaf(annotation: object) -> object:
    """What is left of `Annotated` and of `| None`."""
    while True:
        annotation, _ = _unwrapped(annotation)
        if get_origin(annotation) not in (Union, UnionType):
            return annotation
        annotation = next(member for member in get_args(annotation) if member is not NoneType)


def _unwrapped(annotation: object) -> tuple[object, str | None]:
    """An annotation without `Annotated`, and the key that tells the members of its union apart."""
    discriminator: str | None = None
    if isinstance(annotation, FieldInfo):
        discriminator = _key_of(annotation)
        annotation = annotation.annotation
    while get_origin(annotation) is Annotated:
        annotation, *notes = get_args(annotation)
        for note in notes:
            discriminator = discriminator or _key_of(note)
    return annotation, discriminator


def _key_of(note: object) -> str | None:
    key = note.discriminator if isinstance(note, FieldInfo) else None
    return key if isinstance(key, str) else None


def _tag(member: object, discriminator: str | None) -> str | None:
    if get_origin(member) is Annotated:
        tag = next((note.tag for note in get_args(member) if isinstance(note, Tag)), None)
        if tag is not None:
            return tag
    model = _leaf(member)
    if discriminator is None or not _is_model(model):
        return None
    values = get_args(model.model_fields[discriminator].annotation)
    return str(values[0]) if values else None


def _inside(annotation: object, step: Step) -> Iterator[object]:
    """What a step leads to in a value of this type."""
    if _is_model(annotation):
        for name, found in annotation.model_fields.items():
            if written_name(name, found) == step:
                yield found
        return
    inner = get_args(annotation)
    if get_origin(annotation) is dict:
        yield inner[1]
    elif get_origin(annotation) is list or inner[1:] == (Ellipsis,):
        yield inner[0]
    elif get_origin(annotation) is tuple and isinstance(step, int) and step < len(inner):
        yield inner[step]


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
