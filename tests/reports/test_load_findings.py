"""The sentences of a load run: what they claim, and what they must not claim."""

from __future__ import annotations

import pytest

from reports.figures import SPACE
from reports.load_document import CauseCount, ConfiguredLimit, Outcomes, Rates, Requests
from reports.load_findings import (
    admitted_rps,
    cautions,
    headline,
    refused_words,
    support,
    verdict_word,
)
from reports.load_outcome_tables import causes_table
from reports.load_tables import phases_table, thresholds_table
from reports.load_words import (
    cause_phrase,
    cause_word,
    evidence_words,
    failures_in_words,
    known_words,
    limit_words,
    limits_for,
    totals_of,
)
from tests.reports import load_documents
from tests.reports.load_documents import threshold


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def refused(**counts: int):
    """A run of a thousand requests, refused by these causes."""
    total = sum(counts.values())
    return load_documents.locustfile().model_copy(
        update={
            "requests": Requests(offered=1000, sent=1000, completed=1000, cut=0, dropped=0),
            "outcomes": Outcomes(ok=1000 - total, throttled=total),
            "throttled_by_cause": [
                CauseCount(outcome="throttled", cause=cause, evidence="wire", count=count)
                for cause, count in counts.items()
            ],
        }
    )


STAGE = "the stage's throttle"
METHOD = "a method's or route's throttle"
QUOTA = "the usage plan's quota"
ACCOUNT = "the account's throttle"


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "none was refused"),
        ({"stage": 340}, f"34 % were refused, all by {STAGE}"),
        (
            {"stage": 100, "quota": 300},
            f"40 % were refused, of them 75 % by {QUOTA} and 25 % by {STAGE}",
        ),
        (
            {"stage": 40, "quota": 30, "method": 20, "account": 10},
            (
                f"10 % were refused, of them 40 % by {STAGE}, 30 % by {QUOTA}, "
                f"20 % by {METHOD} and 10 % by {ACCOUNT}"
            ),
        ),
        (
            {"stage": 50, "quota": 20, "method": 10, "account": 10, "waf": 10},
            (
                f"10 % were refused, of them 50 % by {STAGE}, 20 % by {QUOTA}, "
                f"10 % by {ACCOUNT} and 20 % by 2 other causes"
            ),
        ),
        ({"stage": 1}, f"0.1 % were refused, all by {STAGE}"),
    ],
    ids=["none", "one", "two", "four", "five", "a single request"],
)
def test_what_was_refused_is_told_by_cause_with_the_greatest_first(counts, said):
    assert plain(refused_words(refused(**counts))) == said


def test_requests_without_an_outcome_are_no_part_of_shares():
    text = plain(headline(load_documents.invalid()))
    assert "34 % of those completed were refused" in text
    assert any(
        plain(line) == "Without an outcome: 3,011 dropped because too many were in flight, "
        "12 cut when the drain ended and 5 lost with an injector."
        for line in support(
            load_documents.five_causes().model_copy(
                update={
                    "requests": Requests(
                        offered=9000, sent=5989, completed=5972, cut=12, dropped=3011, lost=5
                    )
                }
            )
        )
    )


@pytest.mark.parametrize(
    ("document", "word", "said"),
    [
        (load_documents.five_causes(), "Passed", "The API admitted 80.3 of 125 offered"),
        (load_documents.one_second(), "Passed", "The API admitted all 31 offered requests/s; none"),
        (
            load_documents.locustfile(),
            "Completed",
            "users sent; none was throttled, but 2.0 % failed",
        ),
        (load_documents.failed(), "Threshold failed", "2 of 4 thresholds do not hold. The API"),
        (load_documents.invalid(), "Invalid measurement", "Do not act on the figures below"),
        (load_documents.interrupted(), "Interrupted", "the figures below are partial"),
        (load_documents.nothing_completed(), "Invalid measurement", "None of 50 requests was"),
        (load_documents.nothing_at_all(), "Stopped by a guard", "No request was sent"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_verdict_is_one_sentence(document, word, said):
    assert verdict_word(document) == word
    assert said in plain(headline(document))


def outcomes_of(**counts):
    """A run of 10 s with these outcomes and no threshold."""
    completed = sum(counts.values())
    return load_documents.five_causes().model_copy(
        update={
            "outcomes": Outcomes(**counts),
            "throttled_by_cause": [],
            "requests": Requests(
                offered=completed, sent=completed, completed=completed, cut=0, dropped=0
            ),
            "rates": Rates(
                offered_rps=completed / 10, admitted_rps=completed / 10, throttled_rps=0
            ),
            "measured_s": 10,
            "thresholds": [],
        }
    )


def ended(outcome: str, cause: str):
    """A run in which all of 90 requests ended in one way."""
    entry = CauseCount(outcome=outcome, cause=cause, evidence="wire", count=90)
    part = "throttled_by_cause" if outcome == "throttled" else "errors_by_cause"
    none = {"throttled_by_cause": [], "errors_by_cause": [], "ok_response_ms": None}
    return outcomes_of(**{outcome: 90}).model_copy(update=none | {part: [entry]})


def test_an_api_that_answered_nothing_admitted_nothing():
    silent = outcomes_of(connection_error=160, timeout=12)
    assert plain(headline(silent)) == (
        "None of the 17.2 offered requests/s was served: "
        "93 % had connection errors and 7.0 % timed out."
    )
    assert admitted_rps(silent) == 0
    rest = silent.rates.model_copy(update={"admitted_rps": 17.2 + 1e-14})
    assert admitted_rps(silent.model_copy(update={"rates": rest})) == 0
    half = plain(headline(outcomes_of(connection_error=50, ok=150)))
    assert half == (
        "The API admitted 15 of 20 offered requests/s; none was refused; "
        "25 % got no whole response."
    )


@pytest.mark.parametrize(
    ("outcome", "cause", "said"),
    [
        ("client_error", "waf", "served: all got client errors (4xx), caused by AWS WAF"),
        (
            "client_error",
            "authorizer",
            (
                "served: all got client errors (4xx), "
                "caused by the check of authorizer, signature or API key"
            ),
        ),
        ("client_error", "unknown", "served: all got client errors (4xx)"),
        ("server_error", "none", "served: all got server errors (5xx)"),
        (
            "connection_error",
            "refused",
            "served: all had connection errors, caused by a refused connection",
        ),
        ("timeout", "response_timeout", "served: all got no response in time"),
        ("throttled", "stage", f"served: 100 % were refused, all by {STAGE}"),
        ("check_failed", "none", "ok: all failed a check"),
    ],
)
def test_where_nothing_was_ok_the_headline_says_what_happened(outcome, cause, said):
    words = plain(headline(ended(outcome, cause)))
    assert words == f"None of the 9 offered requests/s was {said}."


def test_what_happened_is_of_those_completed_where_some_were_not():
    requests = Requests(offered=120, sent=90, completed=90, cut=0, dropped=30)
    one = ended("client_error", "waf").model_copy(update={"requests": requests})
    assert ": all of those completed got client errors" in headline(one)
    two = outcomes_of(throttled=45, timeout=45).model_copy(update={"requests": requests})
    assert plain(headline(two)).endswith(
        ": 50 % of those completed were refused and 50 % timed out."
    )


def test_an_api_that_failed_often_is_not_praised_for_throttling_nothing():
    said = plain(headline(load_documents.forbidden()))
    assert said.endswith("offered requests/s; none was throttled, but 48 % failed.")
    both = outcomes_of(ok=50, throttled=30, client_error=20)
    assert plain(headline(both)).endswith("; 30 % were refused; 20 % failed.")


def test_a_run_in_which_nothing_was_ok_fails_without_a_threshold_and_says_so_once():
    failed = load_documents.forbidden(1.0)
    assert verdict_word(failed) == "Failed"
    assert headline(failed).startswith("None of the 19.2 offered requests/s was served: all got")
    assert support(failed) == [
        "The profile sets no threshold, but a run in which no request is ok fails."
    ]


def test_counts_by_cause_are_told_where_the_headline_has_no_room_for_them():
    error = "none of 100 completed requests was ok: 60 x timeout and 40 x throttled: quota"
    several = outcomes_of(throttled=40, timeout=60).model_copy(
        update={"verdict": "failed", "errors": [error]}
    )
    assert support(several)[0] == f"{error[0].upper()}{error[1:]}."
    assert not any("of completed requests failed" in line for line in support(several))


def test_one_threshold_that_does_not_hold_is_named_in_the_headline():
    one = load_documents.failed().model_copy(
        update={"thresholds": [threshold("p95(ok) < 1s", 1200, 1000, scope="phase hold")]}
    )
    assert headline(one).startswith("p95(ok) < 1s (phase hold) does not hold. ")


def test_an_open_question_is_told_and_is_no_failure():
    open_ = load_documents.five_causes().model_copy(
        update={
            "verdict": "inconclusive",
            "thresholds": [threshold("p95(ok) < 1s", None, 1000)],
        }
    )
    assert headline(open_).startswith("A threshold could not be judged. The API")
    assert "1 of 1 thresholds could not be judged." in support(open_)


def test_percentiles_of_a_refusing_api_are_those_of_what_succeeded():
    lines = [plain(line) for line in support(load_documents.five_causes())]
    assert any(line.startswith("Responses that were ok took 29.5 ms at p50") for line in lines)
    lines = [plain(line) for line in support(load_documents.one_second())]
    assert "Responses took 3.00 ms at p50, 13.2 ms at p95 and 20.6 ms at p99." in lines


def test_percentiles_of_a_failing_api_are_those_of_what_succeeded():
    lines = [plain(line) for line in support(load_documents.forbidden())]
    assert any(
        line.startswith("Responses that were ok took 24.0 ms at p50")
        and line.endswith("; failures do not count there.")
        for line in lines
    )
    both = outcomes_of(ok=90, throttled=5, client_error=5)
    assert any("; refusals and failures do not count there." in line for line in support(both))
    few = outcomes_of(ok=990, client_error=10)
    assert any(line.startswith("Responses took") for line in support(few))


def test_how_soon_failures_came_is_no_latency_of_the_api():
    document = load_documents.forbidden(1.0)
    assert document.response_ms is not None
    assert not any("p50" in line for line in [headline(document), *support(document)])


def test_an_invalid_run_without_a_reason_still_has_a_next_step():
    silent = load_documents.invalid()
    validity = silent.validity.model_copy(update={"reasons": []})
    assert support(silent.model_copy(update={"errors": [], "validity": validity})) == [
        "Remove the cause, then measure again."
    ]


def test_a_custom_endpoint_is_named():
    document = load_documents.five_causes()
    run = document.provenance.model_copy(update={"endpoint": "https://gateway.example.org"})
    [caution] = cautions(document.model_copy(update={"provenance": run}))
    assert "https://gateway.example.org" in caution


def test_causes_from_a_later_version_are_shown_as_they_are():
    assert cause_word("moon_phase") == cause_phrase("moon_phase") == "moon phase"
    assert evidence_words({"tea_leaves": 3}) == "tea leaves"


def test_the_causes_that_loadgen_knows_have_words():
    from loadgen.outcome import Cause, Evidence

    named = {cause.name.lower(): cause_word(cause.name.lower()) for cause in Cause}
    assert [cause for cause, word in named.items() if "_" in word] == []
    from reports import load_words

    assert set(named) <= set(load_words._CAUSES)
    assert {evidence.name.lower() for evidence in Evidence} <= set(load_words._EVIDENCE)


def test_one_cause_of_several_outcomes_is_counted_once():
    counts = [
        CauseCount(outcome="throttled", cause="stage", evidence="wire", count=3),
        CauseCount(outcome="throttled", cause="quota", evidence="wire", count=4),
        CauseCount(
            outcome="throttled",
            cause="stage",
            evidence="access_log",
            count=9,
            by_evidence={"access_log": 8, "wire": 1},
        ),
    ]
    first, second = totals_of(counts)
    assert (first.cause, first.count, second.count) == ("stage", 12, 4)
    assert evidence_words(first.by_evidence) == "the access log says (8) and the response says (4)"


@pytest.mark.parametrize(
    ("outcome", "by_evidence", "said"),
    [
        ("check_failed", {"none": 3}, ""),
        ("connection_error", {"wire": 3}, "the load generator saw it"),
        ("timeout", {"wire": 3}, "the load generator saw it"),
        ("server_error", {"wire": 3}, "the response says"),
        ("server_error", {"none": 2, "rule": 1}, "nothing says so (2) and a rule of the profile"),
    ],
)
def test_nothing_says_what_nobody_claims_and_no_response_says_that_there_is_none(
    outcome, by_evidence, said
):
    entry = CauseCount(
        outcome=outcome, cause="none", evidence="none", count=3, by_evidence=by_evidence
    )
    assert known_words(entry).startswith(said)
    assert bool(known_words(entry)) is bool(said)


def test_a_cause_that_the_response_does_not_tell_is_not_known_from_it():
    unknown = CauseCount(outcome="client_error", cause="unknown", evidence="wire", count=3)
    assert known_words(unknown) == "the response does not tell"
    logged = unknown.model_copy(update={"evidence": "access_log"})
    assert known_words(logged) == "the access log says"
    assert cause_word("authorizer") == "authorizer, signature or API key"


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"layer": "stage", "rate_rps": 80, "burst": 40}, "x: 80/s, burst 40"),
        ({"layer": "method", "rate_rps": 0.5}, "x: 0.500/s"),
        ({"layer": "quota", "quota": 2000, "period": "WEEK"}, "x: 2,000 a week"),
        ({"layer": "lambda_concurrency", "concurrency": 5}, "x: 5 at once"),
        ({"layer": "waf"}, "x"),
    ],
    ids=["throttle", "slow", "quota", "concurrency", "nothing"],
)
def test_a_limit_is_one_line(limit, said):
    assert limit_words(ConfiguredLimit(name="x", **limit)) == said


def test_a_throttle_that_nothing_names_may_be_any_of_the_throttles():
    table = causes_table(load_documents.sandbox())
    assert table is not None
    [cell] = [row.cells[4] for row in table.rows if "nothing names" in row.cells[0]]
    assert cell.startswith("one of eu-west-1: 10,000/s, burst 5,000; prod: 80/s")
    assert cell.endswith("; and 2 more")
    names = [limit.layer for limit in limits_for("quota", load_documents.SHOP_LIMITS)]
    assert names == ["quota"]


def test_measured_and_limit_are_told_apart():
    document = load_documents.failed().model_copy(
        update={
            "thresholds": [
                threshold("rate(throttled) < 1%", 0.0100004, 0.01, unit="share"),
                threshold("p95(response) < 300ms", 300.0, 300),
                threshold("count(timeout) < 1", 2, 1, unit="count"),
            ]
        }
    )
    table = thresholds_table(document)
    assert table is not None
    cells = [[plain(cell) for cell in row.cells[2:4]] for row in table.rows]
    assert cells == [["1.00004 %", "1 %"], ["300 ms", "300 ms"], ["2", "1"]]


def test_phases_say_when_they_were_and_whether_they_count():
    table = phases_table(load_documents.five_causes())
    assert table is not None
    assert [list(row.cells[:3]) for row in table.rows[:2]] == [
        ["1. warm-up (not measured)", "0:00 to 0:10", "20 requests/s"],
        ["2. ramp", "0:10 to 1:10", "20 to 160 requests/s"],
    ]
    assert [row.css for row in table.rows] == ["apart", "", "", ""]


def test_tables_have_the_times_of_what_succeeded_where_much_did_not():
    table = phases_table(load_documents.forbidden())
    assert table is not None
    assert [column.name for column in table.columns[8:13]] == [
        "Ok p50", "Ok p95", "Ok p99", "All p95", "Service p95",
    ]  # fmt: skip
    assert table.rows[0].cells[8] == "24.0"
    table = phases_table(load_documents.one_second())
    assert table is not None
    assert [column.name for column in table.columns[8:12]] == ["p50", "p95", "p99", "Ok p95"]


def test_failures_are_listed_by_class_and_in_number():
    outcomes = Outcomes(ok=5, timeout=12, check_failed=1, client_error=3)
    assert failures_in_words(outcomes) == "12 timeouts, 3 client errors (4xx) and 1 failed check"
