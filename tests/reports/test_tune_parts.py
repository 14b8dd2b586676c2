"""The tables that only some tunings have: limits, cold calls, months, machines, architectures."""

from __future__ import annotations

import pytest

from reports.blocks import Table
from reports.document import TuneDocument
from reports.figures import ABSENT, SPACE, milliseconds, usd
from reports.tune_arch import arch_sentence
from reports.tune_charts import cost_figure
from reports.tune_monthly import monthly_sentence
from reports.tune_pareto import pareto_figure, warm_samples
from reports.tune_parts import tables_of
from reports.tune_plan import plan_words
from reports.tune_tiles import tiles_of
from tests.reports import adaptive_documents as adaptive
from tests.reports import documents


def table(document: TuneDocument, title: str) -> Table:
    return next(found for found in tables_of(document) if found.title == title)


def rows(shown: Table) -> list[list[str]]:
    return [list(row.cells) for row in shown.rows]


def with_month(**changes: object) -> TuneDocument:
    monthly = adaptive.month().model_copy(update=changes)
    return adaptive.many_tied().model_copy(update={"monthly": monthly})


def test_a_run_has_only_the_tables_that_were_asked_for():
    assert tables_of(documents.cpu_bound()) == []
    assert [found.title for found in tables_of(adaptive.whole())] == [
        "p95 against the limit",
        "With cold starts",
        "x86_64 and arm64",
        "A month of 12,000,000 requests",
        "When not to use Lambda",
    ]


@pytest.mark.parametrize("document", adaptive.all_adaptive(), ids=lambda d: d.function.name)
def test_every_row_has_a_cell_for_every_column(document):
    for shown in tables_of(document):
        assert {len(row.cells) for row in shown.rows} == {len(shown.columns)}


def test_a_limit_has_a_verdict_for_each_size_and_no_bound_from_too_few_samples():
    shown = table(adaptive.slo_met(), "p95 against the limit")
    assert rows(shown) == [
        ["512", "9", "771.0", "760.0", ABSENT, "6.51", "\N{BALLOT X} missed"],
        ["1,024", "24", "431.0", "398.0", ABSENT, "7.01", "? open"],
        ["1,408", "61", "299.7", "290.0", "299.9", "7.17", "\N{CHECK MARK} met, recommended"],
        ["1,769", "62", "255.0", "251.0", "281.0", "7.27", "\N{CHECK MARK} met"],
    ]
    assert [row.css for row in shown.rows] == ["failed", "", "taken", "taken"]
    assert "takes 59 samples or more" in shown.help


def test_a_limit_without_a_sample_is_no_table():
    document = adaptive.slo_open()
    sizes = [size.model_copy(update={"slo": None}) for size in document.sizes]
    assert tables_of(document.model_copy(update={"sizes": sizes})) == []


def test_cold_calls_say_where_their_share_is_from():
    shown = table(adaptive.whole(), "With cold starts")
    assert shown.lead.replace(SPACE, " ").startswith(
        "2.0 % of the calls are cold (given by --cold-share)."
    )
    assert rows(shown)[3][0] == "1,408"
    assert rows(shown)[3][-1] == "recommended"


def test_a_month_has_bills_savings_and_when_the_tuning_is_paid():
    shown = table(adaptive.whole(), "A month of 12,000,000 requests")
    assert rows(shown)[0] == ["256", "77.55", ABSENT, "9.50", ABSENT, ""]
    assert rows(shown)[4][1:4] == ["87.05", "83.57 to 91.40", "0.00"]
    assert rows(shown)[4][-1] == "current"
    assert shown.lead == (
        "Traffic: given by --requests-per-month. The saving has paid for this tuning ($0.000310) "
        "after 413 requests, 1.5 minutes of this traffic."
    )


@pytest.mark.parametrize(
    ("days", "words"),
    [(0.02, "29 minutes"), (0.5, "12 hours"), (1.9, "46 hours"), (45.4, "45 days")],
)
def test_the_time_until_the_tuning_is_paid_has_a_fitting_unit(days, words):
    shown = table(with_month(break_even_days=days), "A month of 12,000,000 requests")
    assert f", {words} of this traffic." in shown.lead


def test_without_a_saving_nothing_is_said_to_be_paid():
    document = with_month(break_even_requests=None, break_even_days=None)
    lead = table(document, "A month of 12,000,000 requests").lead
    assert lead == "Traffic: given by --requests-per-month."


@pytest.mark.parametrize(
    ("saving", "interval", "words"),
    [
        (8.0, (6.0, 9.5), "$8.00 less than the current 1,536 MB ($6.00 to $9.50)."),
        (-8.0, (-9.5, -6.0), "$8.00 more than the current 1,536 MB ($6.00 to $9.50)."),
        (1.0, (-2.0, 3.0), "between $3.00 less and $2.00 more than the current 1,536 MB."),
        (1.0, None, "$1.00 less than the current 1,536 MB."),
        (None, None, "1,024 MB costs $83.25 a month."),
    ],
    ids=["cheaper", "dearer", "open", "no interval", "unknown"],
)
def test_a_monthly_saving_is_called_what_its_interval_allows(saving, interval, words):
    sizes = [
        size.model_copy(update={"saving_usd": saving, "saving_interval_usd": interval})
        for size in adaptive.month().sizes
    ]
    said = monthly_sentence(with_month(sizes=sizes)).replace(SPACE, " ")
    assert said.startswith("At 12,000,000 requests a month, 1,024 MB costs $83.25 a month")
    assert said.endswith(words)


def test_machines_stand_beside_lambda_with_the_volume_from_which_they_win():
    shown = table(adaptive.whole(), "When not to use Lambda")
    names = ["Lambda, 1,408 MB", "EC2 t4g.small", "Fargate 1 vCPU", "EC2 c7g.medium"]
    assert [row[0].replace(SPACE, " ") for row in rows(shown)] == names
    assert [row[5] for row in rows(shown)] == ["", "4,120,000", "never", "13,800,000"]
    assert shown.lead == (
        "At this traffic 2 x EC2 t4g.small cost $24.53 a month, Lambda $86.10. From 4,120,000 "
        "requests a month on, as many EC2 t4g.small as it takes cost less."
    )
    assert "AWS price list, us-east-1 (2026-09-19)" in shown.help
    assert shown.notes[0].startswith("The free tier")


def test_where_lambda_wins_at_any_volume_it_is_said():
    machine = adaptive.month().always_on[0]
    dear = machine.model_copy(update={"usd": 900.0, "equal_at_requests_per_month": None})
    shown = table(with_month(always_on=[dear]), "When not to use Lambda")
    assert shown.lead == (
        "At this traffic Lambda costs less than all machines in the table. None of them costs "
        "less than Lambda at any volume."
    )


def test_notes_stand_under_the_bills_where_no_machine_is_compared():
    [shown] = tables_of(with_month(always_on=[], notes=["no comparison: why"]))
    assert shown.notes == ["No comparison: why."]


def test_architectures_are_one_table_by_cost_with_the_front_marked():
    shown = table(adaptive.whole(), "x86_64 and arm64")
    costs = [float(row[5]) for row in rows(shown)]
    assert costs == sorted(costs)
    assert rows(shown)[0][0] == "arm64"
    assert rows(shown)[0][-1] == "best, Pareto front"
    assert {row[-1] for row in rows(shown)[1:]} == {"Pareto front", ""}
    assert shown.lead == (
        "x86_64 is cart-totals and arm64 is cart-totals-arm. "
        "Durations and costs are means over cold and warm calls."
    )
    warm_only = table(adaptive.not_separable_arch(), "x86_64 and arm64")
    assert warm_only.lead == "x86_64 is cart-totals and arm64 is cart-totals-arm."


def test_the_best_architecture_is_named_only_where_the_data_tell_them_apart():
    apart = arch_sentence(adaptive.whole()).replace(SPACE, " ")
    assert apart.startswith("Of both architectures arm64 at 512 MB is best: against the best of")
    open_question = arch_sentence(adaptive.not_separable_arch()).replace(SPACE, " ")
    assert open_question.startswith("The data do not tell arm64 and x86_64 apart: arm64 at 512 MB")
    assert table(adaptive.not_separable_arch(), "x86_64 and arm64").rows[0].cells[-1] != "best"


def mixed() -> TuneDocument:
    """A recommendation whose figures are over cold and warm calls, as the tuner gives them."""
    document = adaptive.whole()
    taken = document.recommendation
    mix = next(one for one in document.cold.sizes if one.memory_mb == taken.memory_mb)
    figures = {"cost_usd_per_million": mix.cost_usd_per_million, "duration_ms": mix.mean_ms}
    return document.model_copy(
        update={
            "recommendation": taken.model_copy(update=figures),
            "current": document.current.model_copy(update={"memory_mb": 512}),
        }
    )


def test_tiles_over_cold_and_warm_calls_say_so_and_compare_like_with_like():
    document = mixed()
    now = next(one for one in document.cold.sizes if one.memory_mb == document.current.memory_mb)
    tiles = {tile.name: tile for tile in tiles_of(document)}
    cost, duration = tiles["Cost per million invocations"], tiles["Duration, mean"]
    assert cost.before == usd(now.cost_usd_per_million)
    assert duration.before == milliseconds(now.mean_ms)
    assert all(tile.remark.endswith(f"2.0{SPACE}% of the calls cold") for tile in (cost, duration))
    assert "Duration, typical" in {tile.name for tile in tiles_of(adaptive.many_tied())}


def test_the_plan_of_two_architectures_does_not_count_both_as_calls_of_one():
    words = plan_words(adaptive.whole())
    assert "invocations of both architectures, trials included; of this one at" in words


def test_figures_that_lean_on_all_samples_are_not_called_measured():
    figure = cost_figure(adaptive.many_tied(), "run-1")
    assert [column.name for column in figure.data.columns][1] == "Invoked sizes"
    assert "by the samples of all sizes together" in figure.help
    assert [c.name for c in cost_figure(documents.cpu_bound(), "x").data.columns][1] == "Measured"


def test_one_sample_is_no_plural():
    assert (warm_samples(1), warm_samples(2)) == ("1 warm sample", "2 warm samples")


def test_the_best_of_both_architectures_is_not_a_second_recommendation():
    help_text = pareto_figure(adaptive.whole(), "run-1").drawings[0]
    assert help_text.count("Recommended") <= 1
    assert "Best of both: " in help_text
