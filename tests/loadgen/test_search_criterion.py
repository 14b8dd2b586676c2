"""Which conditions a search can test, and which requests speak against them."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InputError
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.records import RECORD
from loadgen.search.criterion import criteria_of, criterion_of


def records(*rows: tuple[float, Outcome]) -> np.ndarray:
    found = np.zeros(len(rows), RECORD)
    found["service_us"] = [round(ms * 1000) for ms, _ in rows]
    found["first_byte_us"] = found["service_us"] // 2
    found["kind"] = [Kind(outcome, Cause.NONE, Evidence.WIRE).code for _, outcome in rows]
    return found


ROWS = records(
    (100, Outcome.OK), (300, Outcome.OK), (1, Outcome.THROTTLED), (900, Outcome.SERVER_ERROR)
)


@pytest.mark.parametrize(
    ("text", "limit_share", "counted", "bad"),
    [
        ("p95(ok_response) < 300ms", 0.05, 2, 1),
        ("p95(ok_response) <= 300ms", 0.05, 2, 0),
        ("p99(response) < 300ms", 0.01, 4, 2),
        ("p99.9(first_byte) < 100ms", 0.001, 4, 2),
        ("rate(throttled) < 1%", 0.01, 4, 1),
        ("rate(failed) < 2%", 0.02, 4, 1),
        ("rate(ok) > 99%", 0.01, 4, 2),
        ("rate(admitted) >= 95%", 0.05, 4, 1),
    ],
)
def test_conditions_are_shares_of_bad_requests(text, limit_share, counted, bad):
    found = criterion_of(text)
    assert found.limit_share == pytest.approx(limit_share)
    chosen = found.counted(ROWS)
    assert (chosen.sum(), (found.bad(ROWS) & chosen).sum()) == (counted, bad)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max(response) < 1s", "percentiles and shares"),
        ("count(failed) == 0", "percentiles and shares"),
        ("rate(throttled:stage) < 1%", "causes are found after a run"),
        ("rate(dropped) < 1%", "'dropped' is not tested"),
        ("p95(connect) < 1s", "'connect' is not tested"),
        ("p95(response) > 1s", "an upper limit"),
        ("rate(failed) < 0%", "no number of requests can show"),
        ("rate(failed) == 1%", "no number of requests can show"),
        ("p95 < 1s", "did you mean p95(response) < 1s"),
    ],
)
def test_what_cannot_be_tested_is_refused(text, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(")", r"\)")):
        criterion_of(text)


@pytest.mark.parametrize(
    ("slo", "assumed"),
    [
        (["p95(response) < 1s"], ["rate(failed) < 1%", "rate(throttled) < 1%"]),
        (["rate(throttled) < 5%"], ["rate(failed) < 1%"]),
        (["rate(failed) < 5%"], ["rate(throttled) < 1%"]),
        (["rate(ok) > 99%"], []),
    ],
)
def test_what_an_slo_is_silent_about_is_asked_all_the_same(slo, assumed):
    found = [str(one.condition) for one in criteria_of(slo) if one.assumed]
    assert found == assumed
