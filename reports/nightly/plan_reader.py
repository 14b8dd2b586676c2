"""Plans: one YAML file, with an environment, settings and variables put in, and all its faults.

What comes from the environment is in the plan only, so that secrets are in no text that a night
records. Settings of load profiles keep their `${env.NAME}`: the load generator fills them in
itself, so that secrets are on no command line either.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.draft import Draft
from core.env_texts import set_value
from core.errors import InputErrors
from core.layered import Layered, place_of, read_layered, refuse_problems, validated, where
from core.layers import LayerRules, Setting
from core.located_model import Models, Teller, did_you_mean, key_names, shown_value
from core.located_yaml import Document, Problem, Step
from core.located_yaml import Path as Steps
from reports.nightly.plan import LoadStep, NightlyPlan, TuneStep
from reports.nightly.plan_checks import faults_of, keys_by_field_name

DEFAULT_HISTORY = "nightly-history"
PLAN_LAYERS = LayerRules(
    what="plan",
    example="gates.window=40",
    private=frozenset({"notify", "url", "set"}),
)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan, the file that it was read from, and where its values are.

    `text` and `sha256` are of the file as it was read; `base_dir` is where paths in it begin.
    """

    path: Path
    text: str
    sha256: str
    plan: NightlyPlan
    base_dir: Path
    environment: str | None = None
    document: Document = field(default_factory=Document)
    origins: Mapping[Steps, Setting] = field(default_factory=dict)

    def at(self, *steps: Step) -> str:
        """Where a value is and what it is called, as messages begin: `n.yaml:6:5: name`."""
        return where(str(self.path), self.document, self.origins, steps)

    def path_of(self, text: str) -> str:
        """A path of the file relative to the working directory; what is on S3 stays as it is."""
        return text if "://" in text else str(self.base_dir / text)

    def history_place(self, option: str | None = None) -> str:
        """The folder or s3:// place of the history: of the option, of the plan, or the default."""
        if option is not None:
            return option
        if not self.plan.history:
            return DEFAULT_HISTORY
        if self.plan.history.startswith("~/"):
            return str(Path.home() / self.plan.history[2:])
        return self.path_of(self.plan.history)


@dataclass(frozen=True, slots=True)
class _PlanDraft(Draft):
    """What can be read of a plan; URLs of webhooks are secrets."""

    def is_hidden(self, *path: Step) -> bool:
        """Whether the value at a path must not be shown: it is or may be a secret."""
        return path in self.written or (path[:1] == ("notify",) and path[-1:] == ("url",))

    def shown(self, path: Steps, value: object) -> str:
        """A value as messages show it; what came from the environment as it is written."""
        if path in self.written:
            return shown_value(self.written[path])
        hidden = self.is_hidden(*path) and isinstance(value, str | int | float)
        return "a value that is not shown" if hidden else shown_value(value)


def read_plan(
    path: Path,
    *,
    environment: str | None = None,
    settings: Sequence[str] = (),
    env: Mapping[str, str] = os.environ,
) -> PlanFile:
    """Reads a plan.

    `environment` is one of the file's own; `settings` are `a.b.0.c=VALUE`; `env` is where
    `${env.NAME}` is looked up.

    Raises:
        InputError: the file cannot be read, or there is no such environment.
        InputErrors: something in it is not right; all that is.
    """
    layered = read_layered(
        path,
        PLAN_LAYERS,
        of_empty="profiles/nightly.yaml is one to begin with",
        environment=environment,
        settings=settings,
        env=env,
    )
    _keep_variables_of_settings(layered)
    draft = _PlanDraft(layered.document, path.parent, layered.from_env.written)
    teller = Teller(shown=draft.shown, of_unknown_key=_of_unknown_key)
    reading = validated(layered, NightlyPlan, teller)
    refuse_problems(layered, [*reading.problems, *_across_fields(draft, reading.problems)])
    if reading.model is None:
        raise InputErrors([f"{path}: is no plan"])
    return PlanFile(
        path=path,
        text=layered.text,
        sha256=layered.sha256,
        plan=reading.model,
        base_dir=path.parent,
        environment=environment,
        document=layered.document,
        origins=layered.origins,
    )


def chosen_steps(plan_file: PlanFile, only: Sequence[str]) -> tuple[TuneStep | LoadStep, ...]:
    """The steps that `--only` names, in the order of the plan; all where it names none.

    Raises:
        InputErrors: the plan has no such step.
    """
    names = {step.name for step in plan_file.plan.steps}
    unknown = [
        f"--only {name}: {plan_file.path} has no such step{did_you_mean(name, names)}"
        for name in only
        if name not in names
    ]
    if unknown:
        raise InputErrors(unknown)
    return tuple(step for step in plan_file.plan.steps if not only or step.name in only)


def _of_unknown_key(models: Models, key: str) -> str | None:
    """What to say of a key of a step that belongs to the other kind of step."""
    of_step = set(models) & {TuneStep, LoadStep}
    if not of_step:
        return None
    if key in ("load", "tune"):
        return "a step is one of load and tune: write a step for each"
    other, name = (TuneStep, "tune") if LoadStep in of_step else (LoadStep, "load")
    if key in key_names(other):
        return f"unknown key (it goes with {name})"
    # `kind` is what the code has; in a file the key load or tune says it.
    known = {name for model in models for name in key_names(model)} - {"kind"}
    return f"unknown key{did_you_mean(key, known)}"


def _across_fields(draft: Draft, known: Iterable[Problem]) -> Iterator[Problem]:
    """What is wrong between fields, where the fields themselves have no problem."""
    paths = {found.path for found in known}
    for path, message in keys_by_field_name(draft):
        yield Problem(draft.document.place(path, of_key=True), path, message)
    for path, message in faults_of(draft):
        if path not in paths:
            yield Problem(place_of(draft.document, path), path, message)


def _keep_variables_of_settings(layered: Layered) -> None:
    """Writes what load profiles are given as the file has it; that variables are set is known."""
    for path, written in layered.from_env.written.items():
        if "set" in path and path[:1] == ("steps",):
            set_value(layered.document, path, written)
