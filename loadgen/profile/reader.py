"""Profiles: one YAML file, with an environment, settings and variables put in, and all its faults.

The text of the file is kept as it was read. What the environment adds to it is in the profile only,
so that secrets which come from there are in no text that a run records.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InputError, InputErrors
from core.located_model import Reading, Teller, read_model
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
from loadgen.profile.checks import faults_of
from loadgen.profile.draft import Draft
from loadgen.profile.env_texts import EnvTexts, as_scalar, fill_from_env, set_value
from loadgen.profile.layers import (
    Setting,
    contributed,
    environment_names,
    in_environment,
    parsed_setting,
    with_environment,
    with_settings,
)
from loadgen.profile.model import Profile
from loadgen.steps import METHODS


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A profile, the file that it was read from, and where its values are.

    `text` and `sha256` are of the file as it was read; `base_dir` is where paths in it begin.
    """

    path: Path
    text: str
    profile: Profile
    document: Document
    sha256: str
    environment: str | None
    base_dir: Path
    origins: Mapping[Steps, Setting] = field(default_factory=dict)
    # Texts that have something from the environment, as they stand in the file.
    written: Mapping[Steps, str] = field(default_factory=dict)

    def at(self, *steps: Step) -> str:
        """Where a value is and what it is called, as messages begin: `p.yaml:6:5: load.seed`."""
        setting = _origin(steps, self.origins)
        if setting is not None:
            return f"{setting.text}: {dotted(steps)}"
        place = _place(self.document, steps)
        return f"{self.path}:{place.line}:{place.column}: {dotted(steps)}"


def read_profile(
    path: Path,
    *,
    environment: str | None = None,
    settings: Sequence[str] = (),
    env: Mapping[str, str] = os.environ,
) -> ProfileFile:
    """Reads a profile.

    `environment` is one of the file's own; `settings` are `a.b.0.c=VALUE`; `env` is where
    `${env.NAME}` is looked up.

    Raises:
        InputError: the file cannot be read, or there is no such environment.
        InputErrors: something in it is not right; all that is.
    """
    text = read_text(path)
    written = _document(text, str(path))
    chosen = _in_environment(written, environment, path)
    parsed, malformed = _settings(settings)
    changed, origins, lost = with_settings(chosen, parsed)
    from_env = fill_from_env(changed, env)
    _name_as_written(changed, from_env)
    draft = Draft(changed, path.parent, from_env.written)
    reading = _validated(draft, from_env)
    problems = [
        *(_with_hint(found, written, environment) for found in reading.problems),
        *_across_fields(draft, reading.problems),
        *_of_other_environments(written, environment),
    ]
    messages = [*_messages(problems, str(path), origins), *malformed, *lost]
    if messages or reading.model is None:
        raise InputErrors(messages)
    return ProfileFile(
        path=path,
        text=text,
        profile=reading.model,
        document=changed,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        environment=environment,
        base_dir=path.parent,
        origins=origins,
        written=from_env.written,
    )


def _document(text: str, file: str) -> Document:
    try:
        document = read_document(text)
    except Unreadable as error:
        raise InputErrors(_messages(error.problems, file, {})) from error
    if document.value is None and not document.problems:
        raise InputErrors([f"{file}:1:1: is empty: `loadgen init` writes a profile to begin with"])
    if not isinstance(document.value, dict):
        place = document.place(())
        raise InputErrors([f"{file}:{place.line}:{place.column}: must be a mapping of keys"])
    return document


def _in_environment(document: Document, name: str | None, path: Path) -> Document:
    if name is None:
        return document
    try:
        return with_environment(document, name)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _settings(texts: Sequence[str]) -> tuple[list[Setting], list[str]]:
    """Settings, and what is wrong with those that are none."""
    settings, wrong = list[Setting](), list[str]()
    for text in texts:
        try:
            settings.append(parsed_setting(text))
        except InputError as error:
            wrong.append(str(error))
    return settings, wrong


def _validated(draft: Draft, from_env: EnvTexts) -> Reading[Profile]:
    """The profile; texts from the environment become numbers where nothing else would do."""
    teller = Teller(shown=draft.shown)
    reading = read_model(Profile, draft.document, teller=teller)
    again = False
    for path in from_env.whole & {found.path for found in reading.problems}:
        text = draft.text(*path)
        value = as_scalar(text) if text is not None else text
        if value != text:
            set_value(draft.document, path, value)
            again = True
    return read_model(Profile, draft.document, teller=teller) if again else reading


def _with_hint(found: Problem, document: Document, chosen: str | None) -> Problem:
    """A problem that says which environments have what is missing, while none is chosen."""
    if found.message != "is missing" or chosen is not None:
        return found
    having = [
        f"--env {name}"
        for name in sorted(environment_names(document))
        if found.path in contributed(document, name)
    ]
    message = f"is missing without {' or '.join(having)}" if having else found.message
    return Problem(found.place, found.path, message)


def _name_as_written(document: Document, from_env: EnvTexts) -> None:
    """Names steps whose path has something from the environment after the path in the file.

    Names are in every result; without one, a step is called by its path as it is filled in.
    """
    for path, written in from_env.written.items():
        match path:
            case ("scenarios", int(), "flow", int(), str(key)) if key in METHODS:
                step = document.at(path[:-1])
                if isinstance(step, dict) and step.get("name") is None:
                    step["name"] = f"{key.upper()} {written}"


def _across_fields(draft: Draft, known: Iterable[Problem]) -> list[Problem]:
    """What is wrong between fields, where the fields themselves have no problem."""
    paths = {found.path for found in known}
    document, found = draft.document, list[Problem]()
    for path, message in faults_of(draft):
        if path not in paths:
            found.append(Problem(_place(document, path), path, message))
    return found


def _of_other_environments(document: Document, chosen: str | None) -> list[Problem]:
    """What is wrong with the values of environments that are not used now.

    Texts with variables in them are left out: these may be set only where they are needed.
    """
    others = environment_names(document) - {chosen}
    of_the_rest = set(read_model(Profile, document).problems) if others else set()
    found: list[Problem] = []
    for name in others:
        merged = with_environment(document, name)
        paths = contributed(document, name)
        for problem in read_model(Profile, merged).problems:
            value = merged.at(problem.path)
            uses_env = isinstance(value, str) and "${" in value
            is_new = problem not in of_the_rest
            if is_new and not uses_env and (problem.path in paths or problem.path[:-1] in paths):
                found.append(in_environment(problem, name))
    return found


def _place(document: Document, steps: Steps) -> Place:
    """Where a value is, or what should have it; a mapping is where its key is."""
    path = document.resolve(steps)
    return document.place(path, of_key=isinstance(document.at(path), dict))


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
