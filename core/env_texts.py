"""`${env.NAME}` and `${env.NAME:-default}` in the texts of a document that people write.

What comes from the environment may be a secret, so it is known which texts have some of it, and
messages show those as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from core.layers import SECTION
from core.located_yaml import Document, Path, Problem, Unreadable, Value, read_document

# `$$` is a dollar of templates: what follows it is not filled in.
_REFERENCE = re.compile(r"\$\$|\$\{\s*env\b([^}]*)\}")
_INSIDE = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)\s*(?::-(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EnvTexts:
    """The texts that have something from the environment, as they are written, by their paths.

    `whole` are those of them that are one reference and nothing else.
    """

    written: dict[Path, str] = field(default_factory=dict)
    whole: set[Path] = field(default_factory=set)


class _Wrong(Exception):
    """When a reference cannot be filled in."""


def fill_from_env(
    document: Document,
    env: Mapping[str, str],
    as_text: Callable[[Path, str], str] = lambda _, value: value,
) -> EnvTexts:
    """Fills the texts of `document` in place; what is missing becomes a problem of it.

    The section `environments` stays as it is: what other environments need may not be set here.
    `as_text` gives a value as the text at a path needs it: escaped, where that text is a template.
    """
    found = EnvTexts()
    for path, text in list(_texts(document.value, ())):
        if path[:1] == (SECTION,) or not _has_reference(text):
            continue
        try:
            filled = _filled(text, env, partial(as_text, path))
        except _Wrong as wrong:
            document.problems.append(Problem(document.place(path), path, str(wrong)))
            continue
        set_value(document, path, filled)
        found.written[path] = text
        if _REFERENCE.fullmatch(text.strip()):
            found.whole.add(path)
    return found


def set_value(document: Document, path: Path, value: Value) -> None:
    """Puts another value to a path that exists."""
    holder, last = document.at(path[:-1]), path[-1]
    if isinstance(holder, dict):
        holder[str(last)] = value
    elif isinstance(holder, list) and isinstance(last, int):
        holder[last] = value


def as_scalar(text: str) -> Value:
    """What a text from the environment is where a number, true or false is needed."""
    try:
        value = read_document(text).value
    except Unreadable:
        return text
    return value if isinstance(value, bool | int | float) else text


def _has_reference(text: str) -> bool:
    return any(found[1] is not None for found in _REFERENCE.finditer(text))


def _filled(text: str, env: Mapping[str, str], as_text: Callable[[str], str]) -> str:
    """The text with everything from the environment in it.

    Raises:
        _Wrong: a reference is malformed, or there is no such variable.
    """

    def value(reference: re.Match[str]) -> str:
        if reference[1] is None:
            return reference[0]
        return as_text(_from_env(reference, env))

    return _REFERENCE.sub(value, text)


def _from_env(reference: re.Match[str], env: Mapping[str, str]) -> str:
    inside = _INSIDE.fullmatch(reference[1].strip())
    if inside is None:
        raise _Wrong(f"must be ${{env.NAME}} or ${{env.NAME:-default}} (got {reference[0]})")
    name, default = inside[1], inside[2]
    given = env.get(name)
    if given is None and default is None:
        raise _Wrong(
            f"the environment variable {name} is not set: set it, or write ${{env.{name}:-default}}"
        )
    # As in a shell, a default is for what is empty as well.
    return given or default or ""


def _texts(value: Value, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
