"""What `loadgen run` and `loadgen init` were asked to do, as their options say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of a run.

    `settings` are `a.b=c` that outrank the profile; `ui` is the port of Locust's web UI, None
    without it; None elsewhere leaves the choice to the profile or to the AWS settings.
    """

    profile: Path
    environment: str | None
    settings: tuple[str, ...]
    sandbox: bool
    region: str | None
    aws_profile: str | None
    processes: int | None
    seed: int | None
    runs: Path
    exports: tuple[str, ...]
    dry_run: bool
    yes: bool
    ui: int | None
    records: bool | None


@dataclass(frozen=True, slots=True)
class InitOptions:
    """What a first profile is to be about: an API by id or name, or a stack of the sandbox.

    `output` is the file to write, None for stdout; `force` writes over a file that is there.
    """

    api: str | None
    stage: str | None
    stack: str | None
    region: str | None
    aws_profile: str | None
    output: Path | None
    force: bool
