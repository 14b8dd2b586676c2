"""Functions of a serverless.yml: their own names, or service, stage and key as they are joined."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from core.located_yaml import Document, Path, Value
from tuner.several.listed import Around, Listed, Listing, NotKnown
from tuner.several.serverless_variables import Variables


def looked_at(document: Document) -> list[Path]:
    """The paths that the names depend on: what is wrong elsewhere does not matter."""
    found: list[Path] = [("service",), ("provider", "stage")]
    found += [(*path, "name") for path, _ in _functions(document)]
    return found


def functions_of(document: Document, file: str, around: Around) -> Listing:
    """The functions of a serverless.yml, in the order of the file."""
    variables = Variables(document, around)
    listed = tuple(_listed(document, file, variables))
    notes = []
    if around.stage is None and any(function.name for function in listed):
        with suppress(NotKnown):  # then the names do not depend on it
            notes.append(f"{file}: stage {variables.stage}; --stage names another one")
    return Listing(listed, tuple(notes))


def _listed(document: Document, file: str, variables: Variables) -> Iterator[Listed]:
    written = document.at(("functions",))
    if isinstance(written, str):
        place = document.place(("functions",))
        where = f"{file}:{place.line}:{place.column}"
        yield Listed("functions", None, where, f"they are {written}, which is not followed")
    for path, function in _functions(document):
        key = str(path[-1])
        place = document.place(path, of_key=True)
        where = f"{file}:{place.line}:{place.column}"
        try:
            yield Listed(key, _name(key, function, variables), where)
        except NotKnown as reason:
            yield Listed(key, None, where, str(reason))


def _name(key: str, function: Value, variables: Variables) -> str:
    if isinstance(function, str):
        raise NotKnown(f"it is {function}, which is not followed")
    given = function.get("name") if isinstance(function, dict) else None
    if given is not None:
        return variables.text(given)
    return f"{variables.service}-{variables.stage}-{key}"


def _functions(document: Document) -> Iterator[tuple[Path, Value]]:
    """The functions with their paths: a mapping, or a list of mappings."""
    written = document.at(("functions",))
    groups: list[tuple[Path, Value]] = [(("functions",), written)]
    if isinstance(written, list):
        groups = [(("functions", index), group) for index, group in enumerate(written)]
    for path, group in groups:
        if isinstance(group, dict):
            for key, function in group.items():
                yield (*path, key), function
