"""What a page about a load run could show and this one does not, with what would fill it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reports.budget_panel import budget_table
from reports.concurrency import Forecast
from reports.cost_panel import costs_of
from reports.figures import listed
from reports.load_curve import has_curve
from reports.load_document import LoadDocument
from reports.objectives import without_budget

_PARETO = "Cost against latency by memory size"
_INFERRED = "Inferred rate and burst beside the configured ones"
_FIT = "Fit quality"
# What documents of other kinds have on the same page.
_SHOWN_BY = {"tune": (_PARETO, _FIT), "limits": (_INFERRED,)}


def absent_parts(
    document: LoadDocument, forecast: Forecast | None, beside: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Names of absent parts with what fills them, in the order of the page.

    `beside` are the kinds of all documents of the page: what one of them shows is not absent.
    """
    found = [
        *_money(document),
        *_time(document),
        *_capacity(document, forecast),
        *_latency(document),
    ]
    shown = {name for kind in beside for name in _SHOWN_BY.get(kind, ())}
    return [(name, how) for name, how in found if name not in shown]


def _again(document: LoadDocument, options: str = "") -> str:
    return f"`loadgen run {document.provenance.profile_file}{options}`"


def _money(document: LoadDocument) -> Iterator[tuple[str, str]]:
    yield (
        _PARETO,
        (
            "`tune FUNCTION` measures each function behind the API; `reports build RUN TUNING` "
            "puts both on one page."
        ),
    )
    if not costs_of(document.spent.parts):
        yield (
            "Cost of a million requests",
            (
                f"{_again(document)} with an API that AWS knows, by target.api: the price and the "
                "functions of a plain URL are not known."
            ),
        )


def _time(document: LoadDocument) -> Iterator[tuple[str, str]]:
    waterfall = document.waterfall
    if waterfall is None:
        yield (
            "Where the time goes",
            f"{_again(document, ' --logs')}, with output.records left on, as it is by default.",
        )
    elif waterfall.source == "client":
        yield (
            "Time inside the API",
            (
                f"{_again(document, ' --logs')}, where the API has an access log with "
                "$context.responseLatency and its functions write REPORT lines."
            ),
        )


def _capacity(document: LoadDocument, forecast: Forecast | None) -> Iterator[tuple[str, str]]:
    if not document.limits:
        yield (
            "Limits in force",
            (
                f"{_again(document)} with credentials that may read the API's configuration, and "
                "aws.discover left on."
            ),
        )
    yield (
        _INFERRED,
        (
            f"`loadgen limits {document.provenance.profile_file}` finds them by probing; "
            "`reports build RUN PROBE` puts both on one page."
        ),
    )
    if forecast is None:
        yield (
            "Concurrency at other rates",
            (
                f"{_again(document, ' --logs')}, or aws.metrics in the profile: the functions "
                "behind the steps and how long they run have to be known."
            ),
        )
    elif forecast.pools[0].limit is None:
        yield (
            "The limit of concurrency",
            (
                f"{_again(document)} with credentials that may read it "
                "(lambda:GetAccountSettings, lambda:GetFunctionConcurrency)."
            ),
        )
    if document.cold_starts is None:
        yield "Cold starts", f"{_again(document, ' --logs')}: REPORT lines of functions have them."
    elif document.cold_starts.slowest is None:
        yield "Cold starts among the slowest requests", f"{_again(document, ' --logs')} again."
    if budget_table(document) is None:
        yield "Error budget", _objectives_words(document)


def _objectives_words(document: LoadDocument) -> str:
    windows = [one.that for one in without_budget(document)]
    because = f" ({listed(windows)} leaves none)" if windows and len(windows) <= 3 else ""
    return (
        f"state an objective in {document.provenance.profile_file}, such as thresholds: "
        f"[rate(failed) < 0.1%, p95(ok_response) < 300ms]{because}, then {_again(document)}."
    )


def _latency(document: LoadDocument) -> Iterator[tuple[str, str]]:
    if document.response_ms is not None and document.histograms is None:
        yield "Intervals of percentiles", f"{_again(document)}: this document has no histograms."
    yield (
        "Spectrum beside a baseline",
        "`reports compare BASELINE RUN` draws both, with what cannot be told apart.",
    )
    if document.search is None and not has_curve(document):
        yield (
            "Latency by rate",
            (
                "measured phases of the same steps at two rates or more, or a phase that searches, "
                "such as {name: most, search: max_rate, bounds: [20, 400], slo: [...]}."
            ),
        )
    yield (
        "Trend over nights",
        "several nights of the same profile; `reports compare` tells two of them apart.",
    )
    if document.search is None:
        yield (
            _FIT,
            "a tuning (`tune FUNCTION`) or a search for the highest rate: no curve is fitted here.",
        )
