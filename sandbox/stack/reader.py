"""Stack files: where they are, and what is in them.

One reading finds all that is wrong with a file, each thing with its line and column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel

from core.errors import InputError, InputErrors
from core.located_model import Models, Teller, read_model
from core.located_yaml import Document, Place, Problem, Unreadable, Value, read_document, read_text
from sandbox.bundled import FUNCTIONS_DIR, SETTINGS_FILE
from sandbox.stack.fields import Names
from sandbox.stack.model import HttpApi, HttpRoute, RestApi, RestRoute, Stack

STACKS_DIR = Path(__file__).parents[1] / "stacks"


# Of what an HTTP API has, the same of a REST API, which knows more keys.
_REST_TWINS: Mapping[type[BaseModel], type[BaseModel]] = {HttpApi: RestApi, HttpRoute: RestRoute}


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
    text = read_text(path)
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
    if document.value is None and not document.problems:
        raise InputErrors([f"{file}:1:1: is empty: a stack has functions, apis and usage_plans"])
    if not isinstance(document.value, dict):
        place = document.place(())
        raise InputErrors([f"{file}:{place.line}:{place.column}: must be a mapping of keys"])
    names = _names(document.value, base)
    stack, problems = read_model(Stack, document, context=names, teller=_TELLER)
    if stack is None:
        raise _refusal(problems, file)
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


def _only_of_rest(models: Models, key: str) -> str | None:
    if any(key in _REST_TWINS[model].model_fields for model in models if model in _REST_TWINS):
        return "only REST APIs have this"
    return None


_TELLER = Teller(of_unknown_key=_only_of_rest)
