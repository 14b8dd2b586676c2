"""Stack files: where they are, and what is in them.

One reading finds all that is wrong with a file, each thing with its line and column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.errors import InputError, InputErrors
from sandbox.bundled import FUNCTIONS_DIR, SETTINGS_FILE
from sandbox.stack.document import (
    Document,
    Place,
    Problem,
    Step,
    Unreadable,
    Value,
    read_document,
)
from sandbox.stack.fields import Mistake, Names, did_you_mean
from sandbox.stack.model import HttpApi, HttpRoute, RestApi, RestRoute, Stack

STACKS_DIR = Path(__file__).parents[1] / "stacks"

_MAX_BYTES = 1_000_000

_Models = tuple[type[BaseModel], ...]

_KINDS: Mapping[type[BaseModel], str] = {RestApi: "rest", HttpApi: "http"}
# Of what an HTTP API has, the same of a REST API, which knows more keys.
_REST_TWINS: Mapping[type[BaseModel], type[BaseModel]] = {HttpApi: RestApi, HttpRoute: RestRoute}

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


@dataclass(frozen=True, slots=True)
class StackFile:
    """A stack, its name, and the file that it was read from."""

    name: str
    path: Path
    stack: Stack
    # Of the functions, by name.
    places: Mapping[str, Place] = field(default_factory=dict)

    def with_concurrency(self, concurrency: int) -> StackFile:
        """The same stack for an account of another concurrency."""
        account = self.stack.account.model_copy(update={"concurrency": concurrency})
        return replace(self, stack=self.stack.model_copy(update={"account": account}))

    def at(self, function: str) -> str:
        """Where the file has a function, as messages begin."""
        place = self.places.get(function)
        where = f"{self.path}:{place.line}:{place.column}" if place else f"{self.path}"
        return f"{where}: functions.{function}"


def find_stack(text: str) -> Path:
    """The file that `text` means: a path, or the name of a stack that the sandbox brings along.

    Raises:
        InputError: there is neither.
    """
    path = Path(text)
    if path.is_file():
        return path
    bundled = {file.stem: file for file in STACKS_DIR.glob("*.yaml")}
    if text in bundled:
        return bundled[text]
    if text and path.is_dir():
        raise InputError(f"{text}: is a directory, and a stack is a file")
    raise InputError(
        f"{text or repr(text)}: there is no such stack file, and the sandbox brings no stack of "
        "this name",
        hint=f"it brings {', '.join(sorted(bundled)) or 'none'}",
    )


def read_stack(path: Path) -> StackFile:
    """Reads a stack file.

    Raises:
        InputError: it cannot be read.
        InputErrors: something in it is not right.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"could not read {path}: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise InputError(f"{path}: must have at most {_MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text: {error.reason}") from error
    stack, document = _parsed(text, str(path), path.parent)
    places = {name: document.place(("functions", name), of_key=True) for name in stack.functions}
    return StackFile(stack.name or _name_of(path), path, stack, places)


def parse_stack(text: str, file: str) -> Stack:
    """The stack in `text`; `file` is what messages call it.

    Raises:
        InputErrors: something in it is not right.
    """
    return _parsed(text, file, None)[0]


def _parsed(text: str, file: str, base: Path | None) -> tuple[Stack, Document]:
    """The stack in `text`, and where its parts are; `base` is the folder that paths begin at."""
    try:
        document = read_document(text)
    except Unreadable as error:
        raise _refusal(error.problems, file) from error
    problems = list(document.problems)
    if document.value is None and not problems:
        raise InputErrors([f"{file}:1:1: is empty: a stack has functions, apis and usage_plans"])
    if not isinstance(document.value, dict):
        place = document.place(())
        raise InputErrors([f"{file}:{place.line}:{place.column}: must be a mapping of keys"])
    stack = None
    try:
        stack = Stack.model_validate(document.value, context=_names(document.value, base))
    except ValidationError as error:
        known = {found.path for found in problems}
        found_by_type = error.errors(include_url=False)
        further = [
            _problem(single, document)
            for details in found_by_type
            if not _echo(details)
            for single in _singly(details)
        ]
        problems += [found for found in further if found.path not in known]
    if stack is None or problems:
        raise _refusal(tuple(problems), file)
    return stack, document


def _refusal(problems: tuple[Problem, ...], file: str) -> InputErrors:
    texts = [problem.text(file) for problem in sorted(problems, key=lambda found: found.place)]
    return InputErrors(list(dict.fromkeys(texts)))


def _name_of(path: Path) -> str:
    allowed = [letter if letter.isascii() and letter.isalnum() else "-" for letter in path.stem]
    return "".join(allowed)[:64] or "stack"


def _names(value: Mapping[str, Value], base: Path | None) -> Names:
    """The names that a file defines, as far as it is in order."""
    apis = _mapping(value.get("apis"))
    return Names(
        functions=frozenset(_mapping(value.get("functions"))),
        bundled=frozenset(file.parent.name for file in FUNCTIONS_DIR.glob(f"*/{SETTINGS_FILE}")),
        apis={name: str(_mapping(api).get("kind")) for name, api in apis.items()},
        routes={name: frozenset(_route_keys(_mapping(api))) for name, api in apis.items()},
        base=base,
    )


def _mapping(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}


def _route_keys(api: Mapping[str, Value]) -> Iterator[str]:
    routes = api.get("routes")
    for route in routes if isinstance(routes, list) else ():
        fields = _mapping(route)
        yield f"{fields.get('method')} {fields.get('path')}"


def _problem(details: ErrorDetails, document: Document) -> Problem:
    kind = details["type"]
    steps: tuple[Step, ...] = (*details["loc"], *details.get("ctx", {}).get("where", ()))
    path = document.resolve(_without_kind(steps))
    # A mapping is found by its key: what it begins with may be lines below.
    is_mapping = isinstance(document.at(path), dict)
    place = document.place(path, of_key=is_mapping or kind == "extra_forbidden")
    if kind == "extra_forbidden":
        return Problem(place, path, _unknown_key(steps))
    if kind == "missing":
        return Problem(place, (*path, steps[-1]), "is missing")
    if steps and steps[-1] == "[key]":
        place = document.place(path, of_key=True)
        return Problem(place, path, f"bad name: {_words(details)}")
    return Problem(place, path, _words(details))


def _without_kind(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Steps without the kind of an API or a fault, which may be the name of a key as well."""
    return (*steps[:2], *steps[3:]) if steps[:1] in (("apis",), ("faults",)) else steps


def _singly(details: ErrorDetails) -> Iterator[ErrorDetails]:
    """Each of the mistakes that a validator found."""
    yield details
    mistakes: list[Mistake] = details.get("ctx", {}).get("further", [])
    for mistake in mistakes:
        yield {**details, "msg": mistake.message, "ctx": {"where": mistake.where}}


def _echo(details: ErrorDetails) -> bool:
    """Whether a list is called too short only because an item of it is not right."""
    return details["type"] == "too_short" and bool(details["input"])


def _words(details: ErrorDetails) -> str:
    """What is wrong, what was expected, and what came."""
    kind, context = details["type"], details.get("ctx", {})
    got = _shown(details["input"])
    if kind in ("stack", "value_error"):
        return details["msg"].removeprefix("Value error, ")
    if kind in _EXPECTED:
        quotes = kind == "string_type" and isinstance(details["input"], bool | int | float)
        hint = "; put it in quotes" if quotes else ""
        return f"{_EXPECTED[kind]} (got {got}{hint})"
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        bound, word = next((context[name], word) for name, word in _BOUNDS if name in context)
        return f"must be {word} {bound:g} (got {got})"
    if kind == "literal_error":
        return f"must be {context['expected']} (got {got})"
    if kind == "union_tag_not_found":
        return "kind: is missing"
    if kind == "union_tag_invalid":
        expected = context["expected_tags"].replace(", ", " or ")
        return f"kind: must be {expected} (got '{context['tag']}')"
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern'].strip('^$')} (got {got})"
    if kind == "too_short":
        return f"must have at least {context['min_length']} (got {got})"
    if kind == "string_too_short":
        return f"must have at least {context['min_length']} characters (got {got})"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters (got {got})"
    message = details["msg"]
    return f"{message[:1].lower()}{message[1:]} (got {got})"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    short = text if len(text) <= 60 else f"{text[:57]}..."
    return f"'{short}'" if isinstance(value, str) else short


def _unknown_key(steps: tuple[Step, ...]) -> str:
    models = _models_at(steps[:-1])
    key = str(steps[-1])
    if any(key in _REST_TWINS[model].model_fields for model in models if model in _REST_TWINS):
        return "only REST APIs have this"
    known = {name for model in models for name in model.model_fields}
    return f"unknown key{did_you_mean(key, known)}"


def _models_at(steps: tuple[Step, ...]) -> _Models:
    """The types that a mapping at `steps` may have; steps that are names of things lead nowhere."""
    models: _Models = (Stack,)
    for step in steps:
        inner = [found for model in models for found in _models_of_field(model, str(step))]
        tagged = [model for model in models if _KINDS.get(model) == step]
        models = tuple(inner or tagged or models)
    return models


def _models_of_field(model: type[BaseModel], name: str) -> Iterator[type[BaseModel]]:
    found = model.model_fields.get(name)
    if found is not None:
        yield from _models_in(found.annotation)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    parts = get_args(annotation)
    if not parts and isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in parts:
        yield from _models_in(part)
