"""A comparison of two tunings as a page and as Markdown."""

from __future__ import annotations

from typing import Any

import pytest

from reports.compare_document import (
    CallFailures,
    Change,
    ChangeVerdict,
    ChoiceChange,
    CompareDocument,
    ComparedRun,
    Difference,
    JudgedSize,
    SizeChange,
    StartChange,
)
from reports.compare_findings import compare_headline, compare_support
from reports.compare_markdown import render_compare_markdown
from reports.page import render_comparison
from tests.reports.pages import Page

HOSTILE = "<script>alert(1)</script>|`*"


def change(verdict: ChangeVerdict, ratio: float = 1.1, half: float = 0.04) -> Change:
    return Change(ratio=ratio, interval=(ratio - half, ratio + half), verdict=verdict)


def ran(name: str = "orders", **more: Any) -> ComparedRun:
    plain: dict[str, Any] = {
        "run": "runs/a",
        "run_id": "0123456789ab",
        "started_utc": "2026-01-01T00:00:00+00:00",
        "function": name,
        "arn": f"arn:{name}",
        "verdict": "pass",
        "current_mb": 512,
        "recommended_mb": 1024,
        "invocations": 30,
    }
    return ComparedRun(**{**plain, **more})


def a_comparison(**more: Any) -> CompareDocument:
    slower, dearer = change("slower"), change("dearer")
    plain: dict[str, Any] = {
        "verdict": "fail",
        "exit_code": 3,
        "errors": ["512 MB (in use) got slower and dearer"],
        "notes": ["the second run is the older one"],
        "tolerance_share": 0.03,
        "before": ran(),
        "after": ran(),
        "differences": [Difference(what="code", before="abc", after="def", meaning="")],
        "duration": slower,
        "cost": dearer,
        "sizes": [
            SizeChange(
                memory_mb=size,
                n_before=9,
                n_after=8,
                before_ms=100,
                after_ms=110,
                duration=slower,
                cost=dearer,
            )
            for size in (512, 2048)
        ],
        "judged": [
            JudgedSize(
                memory_mb=512,
                roles=["in use"],
                measured=True,
                duration=slower,
                cost=dearer,
                fails_before=None,
                fails_after=None,
            )
        ],
        "choice": None,
        "failures": CallFailures(
            before_failed=0,
            before_calls=30,
            after_failed=4,
            after_calls=30,
            verdict="more",
            newly_failing={128: "out of memory"},
            no_longer_failing=[],
        ),
        "starts": StartChange(sizes=4, before_ms=200, after_ms=210, start=change("cannot be told")),
    }
    return CompareDocument(**{**plain, **more})


def test_the_page_has_the_verdict_what_differs_and_the_sizes() -> None:
    page = render_comparison(a_comparison())

    assert '<span class="badge failed">Regression</span>' in page
    assert "What differs besides" in page
    assert "By memory size" in page
    assert "2,048" in page
    assert "older one" in page


def test_texts_of_a_document_stay_texts() -> None:
    document = a_comparison(before=ran(HOSTILE), after=ran(HOSTILE))

    assert HOSTILE not in render_comparison(document)
    assert HOSTILE not in render_compare_markdown(document)


def test_markdown_has_the_same_in_short() -> None:
    text = render_compare_markdown(a_comparison())

    assert text.startswith("## Two tunings of orders\n\n**Regression.** 512 MB")
    assert "| code | abc | def |" in text
    assert "slower, dearer, current" in text


def test_the_sentences_name_every_finding() -> None:
    said = " ".join(compare_support(a_comparison()))

    assert "calls take 10 % more time (90 % interval 6.0 to 14 %)" in said.replace("\u00a0", " ")
    assert "128\u00a0MB fails now: out of memory" in said
    assert "0 of 30 before, 4 of 30 after (more)" in said
    assert "Over all 2 sizes" in said
    assert "no size, so that recommendations are not compared" in said


def test_without_a_regression_the_headline_says_what_is_ruled_out() -> None:
    fine = JudgedSize(
        memory_mb=512,
        roles=["in use", "recommended"],
        measured=True,
        duration=change("same", 1.0),
        cost=change("same", 1.01),
        fails_before=None,
        fails_after=None,
    )

    document = a_comparison(verdict="pass", exit_code=0, errors=[], judged=[fine])

    headline = compare_headline(document).replace("\u00a0", " ")
    assert headline.startswith("512 MB (in use and recommended) did not get slower or dearer")
    assert "more than 5.0 % is ruled out" in headline


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        pytest.param("same", "Both runs recommend 1,024 MB", id="same"),
        pytest.param("changed", "The best size changed from 512 MB to 1,024 MB", id="changed"),
        pytest.param("surer", "the earlier one left it open", id="surer"),
        pytest.param("cannot be told", "whether that is better cannot be told", id="open"),
        pytest.param("not compared", "answer different questions: cost, and speed", id="goals"),
    ],
)
def test_a_choice_is_said_with_what_the_old_one_costs(verdict: Any, words: str) -> None:
    choice = ChoiceChange(
        before_mb=1024 if verdict == "same" else 512,
        after_mb=1024,
        objective_before="cost",
        objective_after="speed" if verdict == "not compared" else "cost",
        verdict=verdict,
        old_cost=None if verdict == "same" else change("dearer", 1.2),
        old_duration=None if verdict == "same" else change("faster", 0.9),
    )

    said = " ".join(compare_support(a_comparison(choice=choice))).replace("\u00a0", " ")

    assert words in said
    told = "512 MB would cost 20 % more (16 to 24 %) than 1,024 MB and take 10 % less time" in said
    assert told is (verdict in ("changed", "surer", "cannot be told"))


def test_without_any_difference_what_remains_is_said() -> None:
    assert "Nothing else is known to differ" in render_comparison(a_comparison(differences=[]))


def test_the_page_says_whether_both_are_valid_and_what_is_absent():
    words = Page(render_comparison(a_comparison(starts=None))).words()
    broken = Page(render_comparison(a_comparison(after=ran(verdict="invalid")))).words()

    assert "Valid: neither tuning lost measurements." in words
    assert "cold calls at the same sizes in both" in words.partition("Not on this page")[2]
    assert "Invalid: the later tuning lost measurements." in broken
