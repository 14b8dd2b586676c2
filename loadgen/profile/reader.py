"""Profiles: one YAML file, with an environment, settings and variables put in, and all its faults.

The text of the file is kept as it was read. What the environment adds to it is in the profile only,
so that secrets which come from there are in no text that a run records.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.env_texts import EnvTexts
from core.errors import InputErrors
from core.layered import place_of, read_layered, refuse_problems, validated, where
from core.layers import Setting
from core.located_model import Teller
from core.located_yaml import Document, Problem, Step
from core.located_yaml import Path as Steps
from loadgen.flow.template import escape
from loadgen.profile.checks import faults_of
from loadgen.profile.draft import Draft
from loadgen.profile.layers import PROFILE_LAYERS
from loadgen.profile.model import Profile
from loadgen.profile.template_places import is_template
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
        return where(str(self.path), self.document, self.origins, steps)


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
    layered = read_layered(
        path,
        PROFILE_LAYERS,
        of_empty="`loadgen init` writes a profile to begin with",
        environment=environment,
        settings=settings,
        env=env,
        as_text=lambda steps, value: escape(value) if is_template(steps) else value,
    )
    _name_as_written(layered.document, layered.from_env)
    draft = Draft(layered.document, path.parent, layered.from_env.written)
    reading = validated(layered, Profile, Teller(shown=draft.shown))
    refuse_problems(layered, [*reading.problems, *_across_fields(draft, reading.problems)])
    if reading.model is None:
        raise InputErrors([f"{path}: is no profile"])
    return ProfileFile(
        path=path,
        text=layered.text,
        profile=reading.model,
        document=layered.document,
        sha256=layered.sha256,
        environment=environment,
        base_dir=path.parent,
        origins=layered.origins,
        written=layered.from_env.written,
    )


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
    return [
        Problem(place_of(draft.document, path), path, message)
        for path, message in faults_of(draft)
        if path not in paths
    ]
