"""Two load runs compared: verdicts where the truth is known, and what keeps them from one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from reports.block_difference import paired
from reports.figures import SPACE
from reports.histogram import decoded, encoded, merged, of_ms, quantile_ms
from reports.load_compare_document import LoadCompareDocument, MetricChange
from reports.load_compare_figures import blocks_words, told_words, verdict_words
from reports.load_compare_judge import Measured, judged
from reports.load_compare_tables import changes_table, marks_help, matrix_cell
from reports.load_compare_words import change_sentence, headline
from reports.load_comparison import compare_loads
from reports.load_document import CalledFunction, ConfiguredLimit, LoadDocument, LoadSpent
from reports.run_folder import document_text
from tests.reports import load_documents
from tests.reports.compared_loads import Told, Truth, provenance, run_of

PLAIN = Told(n=400)
SHOP = (PLAIN, Told("GET /search", 120, n=250, throttled=10, failed=1, ramp=2))


def compared(
    before: LoadDocument, after: LoadDocument, *, forced: bool = False
) -> LoadCompareDocument:
    return compare_loads(before, after, ("runs/a", "runs/b"), forced=forced)


def change(document: LoadCompareDocument, metric: str, part: int = 0) -> MetricChange:
    return next(one for one in document.parts[part].changes if one.metric == metric)


def run(seed: int, *steps: Told, **changes: Any) -> LoadDocument:
    return run_of(Truth(seed, steps or (PLAIN,), changes=changes))


def test_a_slower_run_has_regressed_by_what_was_put_in():
    document = compared(run(1, PLAIN), run(2, replace(PLAIN, median_ms=60)))

    assert (document.verdict, document.exit_code) == ("regressed", 3)
    p50 = change(document, "p50")
    assert p50.verdict == "worse"
    low, high = p50.interval or (0, 0)
    assert low <= 1.2 <= high


def test_a_faster_run_is_improved():
    document = compared(run(1, PLAIN), run(2, replace(PLAIN, median_ms=40)))

    assert (document.verdict, document.exit_code) == ("improved", 0)
    assert change(document, "p50").verdict == "better"


def test_equal_runs_with_many_requests_are_the_same():
    many = replace(PLAIN, n=2500)
    document = compared(run(1, many), run(2, many))

    assert (document.verdict, document.exit_code) == ("same", 0)
    assert {one.verdict for one in document.parts[0].changes} == {"same", "cannot be told"}
    # Only the bill, which has no interval.
    assert [c.metric for c in document.parts[0].changes if c.verdict == "cannot be told"] == [
        "cost"
    ]


def test_equal_runs_with_few_requests_cannot_be_told_and_say_how_long_would_do():
    few = replace(PLAIN, n=90)
    document = compared(run(1, few), run(2, few))

    assert (document.verdict, document.exit_code) == ("cannot be told", 4)
    assert change(document, "p99").interval is None
    assert change(document, "p99").why == "too few ok requests: a block of time needs 200"
    assert "times the length" in document.next_step


def test_more_refusals_of_one_step_are_found_and_named():
    more = replace(SHOP[1], throttled=40)
    document = compared(run(1, *SHOP), run(2, SHOP[0], more))

    step = change(document, "throttled", part=2)
    assert document.verdict == "regressed"
    assert document.parts[2].name == "GET /search"
    assert step.verdict == "worse"
    assert step.change == pytest.approx(40 / 291 - 10 / 261, abs=1e-9)
    assert change(document, "throttled", part=1).p_holm is None  # it never is


def test_fewer_admitted_requests_are_worse_and_more_are_better():
    fewer, more = run(1, replace(PLAIN, n=300)), run(2, PLAIN)

    assert change(compared(more, fewer), "admitted").verdict == "worse"
    assert change(compared(fewer, more), "admitted").verdict == "better"


def test_one_failure_more_among_few_is_no_proof():
    document = compared(run(1, PLAIN), run(2, replace(PLAIN, n=399, failed=1)))

    assert change(document, "failed").verdict in ("same", "cannot be told")


def test_one_step_is_the_whole_run_and_is_judged_once():
    assert len(compared(run(1), run(2)).parts) == 1
    assert len(compared(run(1, *SHOP), run(2, *SHOP)).parts) == 3


def test_false_alarms_of_all_metrics_together_are_as_rare_as_promised():
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(150):
        metrics = [
            Measured("p50", 50.0, 50.0, paired(*rng.normal(0, 0.2, size=(2, 8)))) for _ in range(20)
        ]
        (changes,) = judged([metrics])
        alarms += any(one.verdict in ("worse", "better") for one in changes)

    # 5 % were promised, and four standard errors of 150 are 7 %.
    assert alarms / 150 <= 0.12


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param(
            {"provenance": provenance(2, profile_sha256="e" * 64, profile_text="other")},
            "profile",
            id="profile",
        ),
        pytest.param(
            {"provenance": provenance(2, endpoint="http://127.0.0.1:4566")},
            "where it ran",
            id="endpoint",
        ),
        pytest.param({"provenance": provenance(2, model="closed")}, "model of load", id="model"),
        pytest.param(
            {
                "target": load_documents.one_second().target.model_copy(
                    update={"region": "us-east-1"}
                )
            },
            "region",
            id="region",
        ),
    ],
)
def test_unlike_keys_are_refused_and_compared_when_forced(changes, what):
    first, second = run(1), run(2, **changes)

    refused, forced = compared(first, second), compared(first, second, forced=True)

    assert (refused.verdict, refused.exit_code, refused.parts) == ("not comparable", 4, [])
    assert refused.errors[0].startswith(what)
    assert "--force" in refused.next_step
    assert forced.verdict != "not comparable"
    assert forced.forced
    assert forced.parts


def test_lines_of_the_profile_that_differ_are_shown():
    other = load_documents.PROFILE.replace("rate: 160", "rate: 180")
    second = run(2, provenance=provenance(2, profile_sha256="e" * 64, profile_text=other))

    assert compared(run(1), second).profile_changes == [
        "-     - {name: hold, duration: 60s, rate: 160}",
        "+     - {name: hold, duration: 60s, rate: 180}",
    ]


def test_what_may_explain_a_change_is_listed_and_does_not_forbid_it():
    def function(memory_mb: int) -> CalledFunction:
        return CalledFunction(
            name="list", memory_mb=memory_mb, arch="arm64", timeout_s=3, steps=[0]
        )

    first = run(1, limits=[ConfiguredLimit(layer="stage", name="prod", rate_rps=80, burst=40)])
    second = run(2, limits=[ConfiguredLimit(layer="stage", name="prod", rate_rps=90, burst=40)])
    first = first.model_copy(update={"functions": [function(128)]})
    second = second.model_copy(update={"functions": [function(512)]})

    found = compared(first, second).differences

    assert [one.what for one in found] == ["function list", "limit of stage, prod"]
    assert (found[1].before, found[1].after) == ("80/s, burst 40", "90/s, burst 40")
    assert all(one.comparable for one in found)


def test_an_invalid_run_is_told_before_any_verdict():
    broken = load_documents.invalid().validity
    document = compared(run(1), run(2, replace(PLAIN, median_ms=90), validity=broken))

    assert (document.verdict, document.exit_code) == ("invalid", 5)
    assert document.errors[0].startswith("the newer run is not valid: start lag")


def test_documents_without_histograms_are_compared_without_intervals():
    old = run(1, *SHOP).model_dump(mode="json")
    del old["histograms"]
    for step in old["steps"]:
        del step["blocks"]
    before = LoadDocument.model_validate_json(json.dumps(old))

    document = compared(before, run(2, *SHOP))

    assert (document.verdict, document.exit_code) == ("cannot be told", 4)
    p95 = change(document, "p95")
    assert (p95.interval, p95.why) == (None, "a run has no histograms by block of time")
    assert p95.change is not None
    assert document.next_step.startswith("run both with this version")
    assert [point.q for point in document.before.spectrum] == [0.5, 0.9, 0.95, 0.99, 0.999]


def test_nothing_completed_is_no_error():
    nothing = load_documents.nothing_completed()
    valid = nothing.model_copy(update={"validity": run(2).validity})

    assert compared(nothing, run(2), forced=True).verdict == "invalid"
    assert compared(valid, run(2), forced=True).verdict == "cannot be told"
    assert change(compared(valid, run(2), forced=True), "p50").before is None


def test_runs_of_other_lengths_are_compared_block_against_all():
    long = run_of(Truth(2, (PLAIN,), blocks=12))
    document = compared(run(1), long)

    assert change(document, "p50").interval is not None


def test_steps_of_one_run_alone_are_named_and_left_out():
    document = compared(run(1, *SHOP), run(2, SHOP[0]))

    assert document.only_before == ["browse: GET /search"]
    assert [part.name for part in document.parts] == ["the whole run", "GET /products"]
    # The mix of steps is another one, so that only what is common is judged.
    assert {one.why for one in document.parts[0].changes} == {"the runs have other steps"}
    assert change(document, "p50", part=1).interval is not None


def test_a_step_that_a_flow_has_twice_is_compared_turn_by_turn():
    twice = (PLAIN, replace(PLAIN, median_ms=120))
    document = compared(run(1, *twice), run(2, *twice))

    assert [part.name for part in document.parts[1:]] == ["GET /products"] * 2
    first, second = (change(document, "p50", part) for part in (1, 2))
    assert first.before == pytest.approx(50, rel=0.1)
    assert second.before == pytest.approx(120, rel=0.1)


def test_costs_are_of_a_million_admitted_requests_and_have_no_interval():
    spent = LoadSpent(usd=0.0064, estimated_usd=None, detail=[])
    cost = change(compared(run(1, spent=spent), run(2, spent=spent)), "cost")

    assert cost.before == pytest.approx(2.0)
    assert (cost.change, cost.interval, cost.verdict) == (1.0, None, "cannot be told")


def test_the_older_run_as_the_newer_one_is_noted():
    assert "older" in compared(run(2), run(1)).notes[0]


def test_a_document_survives_its_file():
    document = compared(run(1, *SHOP), run(2, *SHOP))

    assert LoadCompareDocument.model_validate_json(document_text(document)) == document


def test_the_same_runs_give_the_same_document():
    first, second = (document_text(compared(run(1, *SHOP), run(2, *SHOP))) for _ in range(2))

    assert first == second


def test_the_change_is_that_of_the_two_figures_and_the_interval_that_of_the_blocks():
    # One block of eight is much slower: it makes the run's tail, and is an eighth of the mean.
    document = compared(run(1, PLAIN), _with_a_slow_block(3.0))

    p95 = change(document, "p95")
    assert p95.before is not None
    assert p95.after is not None
    assert p95.block_change is not None
    assert p95.interval is not None
    assert p95.change == pytest.approx(p95.after / p95.before)
    assert p95.interval[0] < p95.block_change < p95.interval[1]
    assert p95.block_change == pytest.approx(3.0 ** (1 / 8), rel=0.08)


def test_shares_and_rates_change_by_what_the_two_figures_say():
    document = compared(run(1, *SHOP), run(2, SHOP[0], replace(SHOP[1], throttled=40)))

    throttled, admitted = (change(document, name) for name in ("throttled", "admitted"))
    assert throttled.change == pytest.approx((throttled.after or 0) - (throttled.before or 0))
    assert admitted.change == pytest.approx((admitted.after or 0) / (admitted.before or 1))


def test_a_row_says_that_blocks_differ_where_the_figures_lie_outside_of_the_interval():
    inside = change(compared(run(1), run(2)), "p95")
    outside = inside.model_copy(
        update={"change": 1.4, "block_change": 2.37, "interval": (1.5, 3.0), "verdict": "worse"}
    )

    assert blocks_words(inside) == ""
    assert blocks_words(outside) == f"blocks of time differ, by +137{SPACE}% on average"
    assert told_words(outside) == f"block by block 137{SPACE}% slower"
    # A fall of the figures beside a rise of the blocks: the verdict is that of the blocks.
    assert verdict_words(outside.model_copy(update={"change": 0.9})) == "! slower"


@pytest.mark.parametrize("value", [0.9, 1.4])
def test_page_and_terminal_mark_what_lies_outside_of_its_interval(value):
    document = compared(run(1), run(2))
    moved = {"change": value, "block_change": 2.37, "interval": (1.5, 3.0), "verdict": "worse"}
    changes = [
        one.model_copy(update=moved) if one.metric == "p95" else one
        for one in document.parts[0].changes
    ]
    part = document.parts[0].model_copy(update={"changes": changes})
    document = document.model_copy(update={"parts": [part]})

    assert "*!" in matrix_cell(part, "p95")
    assert "*" in marks_help(document)
    assert f"block by block 137{SPACE}% slower" in headline(compared_as("regressed", document))
    table = changes_table(document)
    assert table is not None
    assert table.rows[1].cells[-1].endswith(f"blocks of time differ, by +137{SPACE}% on average")


def compared_as(verdict: str, document: LoadCompareDocument) -> LoadCompareDocument:
    return document.model_copy(update={"verdict": verdict})


def _with_a_slow_block(times: float) -> LoadDocument:
    """A run like others, but that one block in the middle is so many times slower."""
    slow = run(2, PLAIN)
    blocks = list(slow.steps[0].blocks)
    found = decoded(blocks[3].ok_response or "")
    slower = of_ms(np.repeat(found.values_us, found.counts) / 1000 * times)
    blocks[3] = blocks[3].model_copy(update={"ok_response": encoded(slower)})
    whole = merged([decoded(block.ok_response or "") for block in blocks])
    assert slow.histograms is not None
    assert slow.ok_response_ms is not None
    return slow.model_copy(
        update={
            "histograms": slow.histograms.model_copy(update={"blocks": blocks}),
            "ok_response_ms": slow.ok_response_ms.model_copy(
                update={"p95": quantile_ms(whole, 0.95)}
            ),
        }
    )


def test_an_interval_without_zero_is_not_said_to_be_noise():
    document = compared(run(1), run(2))
    part, p50 = document.parts[0], change(document, "p50")
    untold = {"verdict": "cannot be told", "p_holm": 0.4, "change": 0.75, "block_change": 0.75}
    suspect = p50.model_copy(update={**untold, "interval": (0.62, 0.89)})
    open_one = p50.model_copy(update={**untold, "interval": (0.5, 1.2)})

    assert change_sentence(part, suspect).endswith(", which among so many metrics may be chance")
    assert change_sentence(part, open_one).endswith(", which cannot be told from noise")
