"""What somebody needs to repeat a night; secrets are left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.version import toolkit_version
from reports.nightly.document import NightProvenance
from reports.nightly.journal import NightJournal
from reports.nightly.options import NightOptions

if TYPE_CHECKING:
    from reports.nightly.plan import NightlyPlan
    from reports.nightly.plan_reader import PlanFile

_HIDDEN = "(not shown)"


def provenance_of(
    options: NightOptions,
    plan_file: PlanFile,
    journal: NightJournal,
    history: str,
    finished: datetime,
) -> NightProvenance:
    """Who ran what, when, by which plan."""
    hide = _Hiding(plan_file.plan)
    return NightProvenance(
        tool_version=toolkit_version(),
        command=[hide(argument) for argument in options.command],
        started_utc=journal.started_utc,
        finished_utc=finished.astimezone(UTC).isoformat(timespec="seconds"),
        plan_file=str(plan_file.path),
        plan_sha256=plan_file.sha256,
        plan_text=hide(plan_file.text),
        environment=plan_file.environment,
        history=history,
        branch=journal.branch,
        git_commit=journal.git_commit,
    )


class _Hiding:
    """Takes the URLs of webhooks out of texts: who knows one can write as the night does."""

    def __init__(self, plan: NightlyPlan) -> None:
        self._secrets = [place.url for place in plan.notify if place.url]

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text
