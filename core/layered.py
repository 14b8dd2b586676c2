"""Reads a document that people write with an environment, settings and variables put in.

The text of the file is kept as it was read. What the environment of the process adds to it is in
the values only, so that secrets which come from there are in no text that a run records.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from core.env_texts import EnvTexts, as_scalar, fill_from_env, set_value
from core.errors import InputError, InputErrors
from core.layers import (
    LayerRules,
    Setting,
    contributed,
    environment_names,
    in_environment,
    parsed_setting,
    with_environment,
    with_settings,
)
from core.located_model import AnyModel, Reading, Teller, read_model
from core.located_yaml import (
    Document,
    Place,
    Problem,
    Step,
    Unreadable,
    dotted,
    read_document,
    read_text,
)
from core.located_yaml import Path as Steps
from core.text import one_line


@dataclass(frozen=True, slots=True)
class Layered:
    """A document with its layers put in.

    `text` and `sha256` are of the file as it was read, and `in_file` are its values; `document` has
    the values that hold, and may be changed. `origins` says which setting a value came from,
    `wrong_settings` what is wrong with those that are none.
    """

    path: Path
    text: str
    rules: LayerRules
    environment: str | None
    in_file: Document
    document: Document
    origins: Mapping[Steps, Setting]
    from_env: EnvTexts
    wrong_settings: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Of the file's text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def at(self, *steps: Step) -> str:
        """Where a value is and what it is called, as messages begin: `p.yaml:6:5: load.seed`."""
        return where(str(self.path), self.document, self.origins, steps)


def read_layered(
    path: Path,
    rules: LayerRules,
    *,
    of_empty: str,
    environment: str | None = None,
    settings: Sequence[str] = (),
    env: Mapping[str, str],
    as_text: Callable[[Steps, str], str] = lambda _, value: value,
) -> Layered:
    """Reads a file and puts its layers in.

    `of_empty` is what to say of an empty file; `env` is where `${env.NAME}` is looked up, and
    `as_text` as in `fill_from_env`.

    Raises:
        InputError: the file cannot be read, or there is no such environment.
        InputErrors: it is no mapping in YAML.
    """
    text = read_text(path)
    in_file = _document(text, str(path), of_empty)
    chosen = in_file
    if environment is not None:
        try:
            chosen = with_environment(in_file, environment, rules)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    parsed, malformed = _settings(settings, rules)
    document, origins, lost = with_settings(chosen, parsed)
    return Layered(
        path=path,
        text=text,
        rules=rules,
        environment=environment,
        in_file=in_file,
        document=document,
        origins=origins,
        from_env=fill_from_env(document, env, as_text),
        wrong_settings=(*malformed, *lost),
    )


def validated(
    layered: Layered, model: type[AnyModel], teller: Teller | None = None
) -> Reading[AnyModel]:
    """The document as `model`, or what is wrong with it, environments that are not used included.

    Texts from the environment of the process become numbers where nothing else would do.
    """
    document = layered.document
    reading = read_model(model, document, teller=teller)
    again = False
    for path in layered.from_env.whole & {found.path for found in reading.problems}:
        text = document.at(path)
        value = as_scalar(text) if isinstance(text, str) else text
        if value != text:
            set_value(document, path, value)
            again = True
    if again:
        reading = read_model(model, document, teller=teller)
    problems = [_with_hint(found, layered) for found in reading.problems]
    problems += _of_other_environments(layered, model)
    return Reading(reading.model, tuple(problems))


def refuse_problems(layered: Layered, problems: Iterable[Problem]) -> None:
    """Nothing where there is no problem.

    Raises:
        InputErrors: with all of them as lines, and with what is wrong with settings.
    """
    lines = [*_messages(problems, str(layered.path), layered.origins), *layered.wrong_settings]
    if lines:
        raise InputErrors(lines)


def place_of(document: Document, steps: Steps) -> Place:
    """Where a value is, or what should have it; a mapping is where its key is."""
    path = document.resolve(steps)
    return document.place(path, of_key=isinstance(document.at(path), dict))


def where(file: str, document: Document, origins: Mapping[Steps, Setting], steps: Steps) -> str:
    """Where a value is and what it is called, as messages begin: `p.yaml:6:5: load.seed`."""
    setting = _origin(steps, origins)
    if setting is not None:
        return f"{setting.text}: {dotted(steps)}"
    place = place_of(document, steps)
    return f"{file}:{place.line}:{place.column}: {dotted(steps)}"


def _document(text: str, file: str, of_empty: str) -> Document:
    try:
        document = read_document(text)
    except Unreadable as error:
        raise InputErrors(_messages(error.problems, file, {})) from error
    if document.value is None and not document.problems:
        raise InputErrors([f"{file}:1:1: is empty: {of_empty}"])
    if not isinstance(document.value, dict):
        place = document.place(())
        raise InputErrors([f"{file}:{place.line}:{place.column}: must be a mapping of keys"])
    return document


def _settings(texts: Sequence[str], rules: LayerRules) -> tuple[list[Setting], list[str]]:
    """Settings, and what is wrong with those that are none."""
    settings, wrong = list[Setting](), list[str]()
    for text in texts:
        try:
            settings.append(parsed_setting(text, rules))
        except InputError as error:
            wrong.append(str(error))
    return settings, wrong


def _with_hint(found: Problem, layered: Layered) -> Problem:
    """A problem that says which environments have what is missing, while none is chosen."""
    if found.message != "is missing" or layered.environment is not None:
        return found
    document = layered.in_file
    having = [
        f"--env {name}"
        for name in sorted(environment_names(document))
        if found.path in contributed(document, name)
    ]
    message = f"is missing without {' or '.join(having)}" if having else found.message
    return Problem(found.place, found.path, message)


def _of_other_environments(layered: Layered, model: type[BaseModel]) -> list[Problem]:
    """What is wrong with the values of environments that are not used now.

    Texts with variables in them are left out: these may be set only where they are needed.
    """
    document = layered.in_file
    others = environment_names(document) - {layered.environment}
    of_the_rest = set(read_model(model, document).problems) if others else set()
    found: list[Problem] = []
    for name in others:
        merged = with_environment(document, name, layered.rules)
        paths = contributed(document, name)
        for problem in read_model(model, merged).problems:
            value = merged.at(problem.path)
            uses_env = isinstance(value, str) and "${" in value
            is_new = problem not in of_the_rest
            if is_new and not uses_env and (problem.path in paths or problem.path[:-1] in paths):
                found.append(in_environment(problem, name))
    return found


def _messages(
    problems: Iterable[Problem], file: str, origins: Mapping[Steps, Setting]
) -> list[str]:
    """Problems as lines: those of the file in its order, then those of settings."""
    of_file, of_settings = list[str](), list[str]()
    for problem in sorted(problems, key=lambda found: found.place):
        setting = _origin(problem.path, origins)
        if setting is None:
            of_file.append(problem.text(file))
        else:
            line = f"{setting.text}: {dotted(problem.path)}: {problem.message}"
            of_settings.append(one_line(line))
    return list(dict.fromkeys([*of_file, *of_settings]))


def _origin(path: Steps, origins: Mapping[Steps, Setting]) -> Setting | None:
    """The setting that the value at `path` came from."""
    for length in range(len(path), 0, -1):
        found = origins.get(path[:length])
        if found is not None:
            return found
    return None
