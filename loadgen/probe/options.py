"""What `loadgen limits` was asked to do, as its options say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loadgen.options import RunOptions


@dataclass(frozen=True, slots=True)
class LimitsOptions:
    """The options of a probe; `scenario` and `account` go before those of the profile."""

    profile: Path
    environment: str | None = None
    settings: tuple[str, ...] = ()
    sandbox: bool = False
    region: str | None = None
    aws_profile: str | None = None
    scenario: str | None = None
    account: bool = False
    runs: Path = Path("runs")
    exports: tuple[str, ...] = ()
    dry_run: bool = False
    yes: bool = False
    chart: bool = False

    @property
    def of_a_run(self) -> RunOptions:
        """The same as options of a load run, by which profiles are read."""
        return RunOptions(
            profile=self.profile,
            environment=self.environment,
            settings=self.settings,
            sandbox=self.sandbox,
            region=self.region,
            aws_profile=self.aws_profile,
            runs=self.runs,
        )
