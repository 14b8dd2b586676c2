"""Around the verdict of a tuning: validity before any number, the next step, absent parts."""

from __future__ import annotations

import pytest

from reports.apply_document import ApplyDocument, ShiftResult, VersionCalls
from reports.figures import SPACE
from reports.page import render_page
from reports.raw_files import RawFile
from reports.tune_absent import absent_parts
from reports.tune_facts import facts_of
from reports.tune_markdown import render_tune_markdown
from reports.tune_next import next_step
from reports.tune_page import section_of
from reports.tune_validity import validity_line
from tests.reports import adaptive_documents as adaptive
from tests.reports import documents
from tests.reports.pages import Page


def said(text: str) -> str:
    return text.replace(SPACE, " ")


def run(document, **changes):
    """The document with another provenance."""
    return document.model_copy(
        update={"provenance": document.provenance.model_copy(update=changes)}
    )


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (
            documents.cpu_bound(),
            (
                "Valid: 160 warm and 16 cold samples at 8 sizes, 20 warm at the recommended size; "
                "no call failed or lacks its REPORT line."
            ),
        ),
        (
            documents.with_failures(),
            (
                "Valid: 60 warm and 6 cold samples at 3 sizes, 20 warm at the recommended size; "
                "8 calls failed or gave no measurement."
            ),
        ),
        (
            documents.invalid(),
            (
                "Invalid: the function's code changed during the run; 40 warm and 4 cold samples "
                "at 2 sizes; no call failed or lacks its REPORT line."
            ),
        ),
        (
            documents.interrupted(),
            (
                "Partial: stopped by SIGINT after 6 of 60 invocations; 4 warm and 4 cold samples "
                "at 2 sizes; no call failed; 2 calls without a REPORT line."
            ),
        ),
        (
            adaptive.too_little_budget(),
            (
                "Valid: 2 warm and 2 cold samples at 1 size, 0 warm at the best so far; 3 calls "
                "failed or gave no measurement; stopped by --max-seconds 90."
            ),
        ),
    ],
    ids=["pass", "failures", "invalid", "interrupted", "ended by a limit"],
)
def test_what_speaks_for_and_against_the_measurement_is_one_sentence(document, line):
    assert validity_line(document) == line
    words = Page(render_page([document])).words()
    assert words.index(line) < words.index(said(section_of(document, "a").headline)[:20])


@pytest.mark.parametrize(
    ("document", "step", "code"),
    [
        (documents.cpu_bound(), "`tune apply RUN --to latest` sets 1,769 MB", "0 (pass)"),
        (run(documents.cpu_bound(), qualifier="live"), "`tune apply RUN --to alias=live`", "0"),
        (run(documents.cpu_bound(), qualifier="7"), "`tune apply RUN --to latest`", "0"),
        (documents.local(), "repeat the run against AWS", "0"),
        (adaptive.keeps_its_size(), "nothing to set; `tune compare RUN RUN`", "0"),
        (
            documents.inconclusive(),
            "take more samples: `tune report-nightly --sizes 256,512,1024 --samples 40`",
            "4 (inconclusive)",
        ),
        (adaptive.slo_open(), "take more samples: `tune slo-open --thorough`", "4"),
        (adaptive.too_little_budget(), "allow more with --max-seconds", "4"),
        (adaptive.slo_infeasible(), "allow larger sizes with --max-memory", "3 (failed)"),
        (documents.invalid(), "remove the cause, then measure again", "5 (invalid)"),
        (documents.interrupted(), "run it to the end with `tune search-index`", "130 (stopped"),
        (run(documents.cpu_bound(), plan="test"), "`tune checkout-api` measures", "0"),
    ],
    ids=[
        "set it", "by an alias", "of a version", "sandbox", "keep it", "more samples",
        "more, adaptive", "a limit", "infeasible", "invalid", "interrupted", "test run",
    ],
)  # fmt: skip
def test_the_next_step_is_a_command_and_the_exit_code_is_told(document, step, code):
    told = said(next_step(document))
    assert told.startswith(f"Next: {step}")
    assert f"Exit code: {code}" in told
    assert told in said(section_of(document, "a").support[-1])


@pytest.mark.parametrize("undo", ["tune apply runs/x --undo", None])
def test_a_size_that_was_applied_can_be_taken_back(undo):
    applied = ApplyDocument(
        verdict="pass", exit_code=0, run_id="x", function_arn="y", to="latest", applied=True,
        undo=undo,
    )  # fmt: skip
    told = next_step(documents.cpu_bound().model_copy(update={"applied": applied}))
    assert told.startswith("Next: the size is set")
    assert ("`tune apply runs/x --undo` takes it back" in told) == (undo is not None)


def test_what_apply_did_is_in_the_small_print():
    sides = [
        VersionCalls(version=version, calls=calls, errors=0, throttles=0, median_ms=80.0)
        for version, calls in (("8", 120), ("7", 1080))
    ]
    applied = ApplyDocument(
        verdict="pass", exit_code=0, run_id="x", function_arn="y", to="shift=live", applied=True,
        done=["published version 8", "live leads to 8"],
        shift=ShiftResult(share=0.1, seconds=300, new=sides[0], old=sides[1]),
    )  # fmt: skip
    facts = dict(facts_of(documents.cpu_bound().model_copy(update={"applied": applied})))
    assert facts["Applied"] == "pass: published version 8; live leads to 8"
    assert said(facts["Shifted"]) == (
        "10 % for 5 min: version 8 120 calls, 0 errors, version 7 1,080 calls, 0 errors"
    )
    refused = applied.model_copy(update={"verdict": "refused", "done": [], "shift": None})
    facts = dict(facts_of(documents.cpu_bound().model_copy(update={"applied": refused})))
    assert facts["Applied"] == "refused: nothing was changed"
    assert "Shifted" not in facts


def test_what_is_absent_says_what_would_fill_it():
    named = dict(absent_parts(documents.cpu_bound()))
    assert named["Cold starts in the cost"] == "`tune checkout-api --cold-share auto`"
    assert named["The bill of a month"] == "`tune checkout-api --requests-per-month auto`"
    assert "loadgen run" in named["Cost of API Gateway, data and logs"]
    assert "Cost against duration" not in named
    whole = dict(absent_parts(adaptive.whole()))
    assert not {"Cold starts in the cost", "The bill of a month", "x86_64 beside arm64"} & set(
        whole
    )
    assert "Cost against duration" in dict(absent_parts(documents.bare()))


def test_raw_files_and_the_commit_are_in_the_small_print():
    file = RawFile(name="samples.ndjson", sha256="ab" * 32, bytes=12345)
    document = run(documents.cpu_bound(), git_commit="c" * 40)
    assert "Raw data by SHA-256" in dict(absent_parts(document))
    told = document.model_copy(update={"raw_files": [file]})
    facts = dict(facts_of(told))
    assert facts["Raw data"] == f"samples.ndjson, 12,345 bytes, SHA-256 {'ab' * 32}"
    assert facts["Git commit"] == "c" * 40
    assert facts["Exit code"] == "0 (pass)"
    assert facts["Samples"] == "160 warm, 16 cold, 0 failed; by size in the table"
    assert "Raw data by SHA-256" not in dict(absent_parts(told))


def test_markdown_has_validity_before_the_table_and_the_next_step():
    text = render_tune_markdown(documents.cpu_bound())
    assert text.index("Valid: 160 warm") < text.index("| Memory, MB |")
    assert "Next: " in text
