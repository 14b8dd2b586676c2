"""`loadgen forecast RUN`: what another rate would mean, from what a run found; asks AWS nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.aws.prices import bundled_prices
from core.console import Console
from core.errors import ExitCode, InputError
from core.quantities import duration_s, share
from core.version import toolkit_version
from loadgen.forecast.functions import function_forecasts
from loadgen.forecast.view import show_forecast
from reports.forecast_document import ForecastDocument
from reports.forecast_facts import Facts, facts_of, unknown_notes
from reports.limit_uses import MULTIPLES, limit_uses, rate_forecasts
from reports.load_document import LoadDocument
from reports.run_folder import document_text, read_document


@dataclass(frozen=True, slots=True)
class ForecastOptions:
    """The options of a forecast; without a rate it is for twice today's."""

    run: Path
    rate_rps: float | None = None
    today_rps: float | None = None
    durations: tuple[str, ...] = ()  # FUNCTION=120ms
    spillover: str = "1%"


def forecast(options: ForecastOptions, console: Console) -> ExitCode:
    """Shows a forecast.

    Raises:
        InputError: an option is wrong, or there is no load run to read.
    """
    _check(options)
    spillover_share = _spillover_share(options.spillover)
    run = read_document(options.run, LoadDocument)
    given = _durations(options.durations, [one.name for one in run.functions])
    facts = facts_of(run, today_rps=options.today_rps, given=given)
    if facts.today_rps <= 0:
        raise InputError(
            f"{options.run}: no request was due in the measured phases, so that there is no rate "
            "of today",
            hint="give it: --today 50",
        )
    document = _document(options, run, facts, spillover_share)
    show_forecast(console, document)
    if console.json_output:
        console.document(document_text(document))
    return ExitCode.PASS


def _document(
    options: ForecastOptions, run: LoadDocument, facts: Facts, spillover_share: float
) -> ForecastDocument:
    rate_rps = options.rate_rps if options.rate_rps is not None else 2 * facts.today_rps
    prices = bundled_prices()
    notes = list(unknown_notes(facts))
    most = max((second.offered for second in run.seconds), default=0)
    if rate_rps > most:
        notes.append(
            f"{rate_rps:,.4g}/s is above the {most:,}/s that this run sent at most: durations are "
            "taken to stay as they were"
        )
    if run.search is not None and run.search.unit == "scenarios":
        notes.append("the search counted scenarios: what it found is no rate of requests")
    if run.verdict == "invalid":
        notes.append("the run is invalid: its figures, and what follows from them, are doubtful")
    return ForecastDocument(
        name=run.name,
        run=str(options.run),
        today_rps=facts.today_rps,
        rate_rps=rate_rps,
        functions=function_forecasts(
            facts, rate_rps, spillover_share=spillover_share, prices=prices
        ),
        limits=limit_uses(facts, rate_rps),
        rates=rate_forecasts(facts, MULTIPLES),
        notes=notes,
        tool_version=toolkit_version(),
    )


def _check(options: ForecastOptions) -> None:
    for name, value in (("--rate", options.rate_rps), ("--today", options.today_rps)):
        if value is not None and not 0 < value <= 1e6:
            raise InputError(f"{name}: must be above 0 and at most 1,000,000 (got {value:g})")


def _spillover_share(text: str) -> float:
    try:
        value = share(float(text) if text.replace(".", "", 1).isdigit() else text)
    except ValueError:
        value = 0.0
    if not isinstance(value, float) or not 0 < value < 1:
        raise InputError(f"--spillover: must be a share such as 1%, below 100% (got {text!r})")
    return value


def _durations(options: tuple[str, ...], functions: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for option in options:
        name, equals, text = option.rpartition("=")
        if not equals:
            raise InputError(f"--duration {option}: must be FUNCTION=TIME, as in checkout=120ms")
        if name not in functions:
            there = ", ".join(functions) or "none"
            raise InputError(
                f"--duration {option}: the run calls no such function (there is {there})"
            )
        try:
            value = duration_s(text)
        except ValueError as error:
            raise InputError(
                f"--duration {option}: must end in a duration such as 120ms (got {text!r})"
            ) from error
        if not isinstance(value, float) or value <= 0:
            raise InputError(f"--duration {option}: must be longer than 0 (got {text!r})")
        found[name] = value
    return found
