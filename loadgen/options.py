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
    environment: str | None = None
    settings: tuple[str, ...] = ()
    sandbox: bool = False
    region: str | None = None
    aws_profile: str | None = None
    processes: int | None = None
    seed: int | None = None
    runs: Path = Path("runs")
    exports: tuple[str, ...] = ()
    dry_run: bool = False
    yes: bool = False
    ui: int | None = None
    records: bool | None = None
    logs: bool | None = None
    chart: bool = False


@dataclass(frozen=True, slots=True)
class InitOptions:
    """What a first profile is to be about: an API by id or name, or a stack of the sandbox.

    `output` is the file to write, None for stdout; `force` writes over a file that is there.
    """

    api: str | None = None
    stage: str | None = None
    stack: str | None = None
    region: str | None = None
    aws_profile: str | None = None
    output: Path | None = None
    force: bool = False
