"""The month: what people write, when a tuning has paid for itself, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.always_on import ServerPrices
from core.aws.prices import LambdaPrice, Tier, bundled_prices
from core.errors import InputError
from reports.document import Monthly
from tests.tuner.month_rig import ARM, cost, month, notes_about, size, without_interval
from tuner.bill import SizeCost
from tuner.monthly import monthly_view, parse_requests

# 128 MB is dear and slow; 512 and 1,024 MB cost about the same.
SIZES = [size(128, 1000), size(512, 150), size(1024, 60)]
COSTS = [cost(128, 1000), cost(512, 150), cost(1024, 60)]
NO_SERVERS = ServerPrices("2026-01-01", "nobody", {})


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        ("auto", "auto"),
        (" AUTO ", "auto"),
        ("3.2M", 3.2e6),
        ("3.2m", 3.2e6),
        ("250k", 250e3),
        ("250K", 250e3),
        ("2B", 2e9),
        ("1e6", 1e6),
        ("1E+6", 1e6),
        ("1.5e3k", 1.5e6),
        ("1_000_000", 1e6),
        ("1", 1.0),
        ("1e12", 1e12),
    ],
)
def test_requests_are_read_as_people_write_them(text: str, requests: object) -> None:
    assert parse_requests(text) == requests


@pytest.mark.parametrize(
    "text",
    [
        "", "many", "0", "0.4", "-1", "-5M", "+5", "1e13", "2000B", "3,2M", "1,000,000", "3.2 M",
        "M", "1e", "1e-3M", "1__000", "1_", "nan", "inf", "0x10", "١٢", "1MM", "5%", "auto5",
        "9" * 400, "1e999",
    ],
)  # fmt: skip
def test_what_is_no_number_of_requests_is_told_with_what_was_expected(text: str) -> None:
    with pytest.raises(InputError, match="--requests-per-month: expected auto, or a number"):
        parse_requests(text)


@given(st.integers(1, 10**12))
def test_every_whole_number_means_itself(count: int) -> None:
    assert parse_requests(str(count)) == count
    assert parse_requests(f"{count:_}") == count


@given(st.text(max_size=12))
def test_no_text_is_worse_than_an_input_error(text: str) -> None:
    try:
        requests = parse_requests(text)
    except InputError:
        return
    assert requests == "auto" or 1 <= requests <= 1e12


def test_the_month_has_each_size_with_its_bill_and_what_it_saves() -> None:
    view = monthly_view(month(1e6), COSTS, SIZES)

    assert [row.memory_mb for row in view.sizes] == [128, 512, 1024]
    # 0.125 GB x 1 s, 0.5 GB x 0.15 s and 1 GB x 0.06 s, a million times, and the fees.
    assert [row.usd for row in view.sizes] == pytest.approx([2.2833375, 1.4500025, 1.200002])
    assert [row.saving_usd for row in view.sizes] == pytest.approx([0, 0.833335, 1.0833355])
    assert (view.requests_per_month, view.source) == (1e6, "given")


def test_a_tuning_has_paid_for_itself_when_its_cost_is_saved() -> None:
    view = monthly_view(month(1e6, spent_usd=0.01083), COSTS, SIZES)

    # 1.0833 USD are saved in a month of 30.4 days: a hundredth of that is a hundredth of a month.
    assert view.break_even_requests == pytest.approx(10_000, rel=1e-3)
    assert view.break_even_days == pytest.approx(730 / 24 / 100, rel=1e-3)
    assert notes_about("break-even", view.notes) == []


@given(st.floats(1, 1e12), st.floats(0, 1000))
def test_the_break_even_is_what_pays_the_tuning_exactly(requests: float, spent_usd: float) -> None:
    view = monthly_view(
        month(requests, spent_usd=spent_usd, servers=NO_SERVERS), [COSTS[0], COSTS[2]], SIZES
    )
    [_, taken] = view.sizes

    assert view.break_even_requests is not None
    assert view.break_even_days is not None
    assert taken.saving_usd is not None
    saved_usd = taken.saving_usd / requests * view.break_even_requests
    assert saved_usd == pytest.approx(spent_usd, rel=1e-9, abs=1e-12)
    assert view.break_even_days / (730 / 24) == pytest.approx(view.break_even_requests / requests)


@pytest.mark.parametrize(
    ("costs", "current_mb", "recommended_mb", "why"),
    [
        pytest.param(COSTS, 1024, 1024, None, id="the size stays"),
        pytest.param(COSTS, 128, None, None, id="no recommendation"),
        pytest.param(
            [cost(512, 120, spread=0.1), cost(1024, 60, spread=0.1)],
            512,
            1024,
            "includes zero",
            id="the saving may be none",
        ),
        pytest.param(COSTS, 1024, 128, "costs more than the current one", id="bought speed"),
        pytest.param(
            [COSTS[0], without_interval(COSTS[2])], 128, 1024, "too few samples", id="few samples"
        ),
        pytest.param(
            COSTS, 3008, 1024, "current 3,008\N{NO-BREAK SPACE}MB is not known", id="not measured"
        ),
    ],
)
def test_nothing_is_paid_back_without_a_sure_saving(
    costs: list[SizeCost], current_mb: int, recommended_mb: int | None, why: str | None
) -> None:
    view = monthly_view(
        month(1e6, current_mb=current_mb, recommended_mb=recommended_mb), costs, SIZES
    )

    assert (view.break_even_requests, view.break_even_days) == (None, None)
    said = notes_about("break-even", view.notes)
    assert said == [] if why is None else why in said[0]


def test_without_a_month_of_traffic_nothing_is_paid_and_nothing_saved() -> None:
    view = monthly_view(month(0), COSTS, SIZES)

    assert [row.usd for row in view.sizes] == [0, 0, 0]
    assert view.break_even_days is None


@pytest.mark.parametrize(
    ("requests", "takes_off"),
    [
        # At 1,024 MB a request is 0.06 GB-s: 400,000 GB-s are 6.67 million of them.
        pytest.param(5e5, "$0.60", id="all is free"),
        pytest.param(1e9, "$6.87", id="no more than there is of it"),
    ],
)
def test_the_free_tier_is_not_subtracted_but_told(requests: float, takes_off: str) -> None:
    view = monthly_view(month(requests), COSTS, SIZES)

    [said] = notes_about("free tier", view.notes)
    assert f"takes off {takes_off} at most" in said


@pytest.mark.parametrize(
    ("price", "requests", "said"),
    [
        pytest.param(ARM, 1e9, None, id="in the first tier"),
        pytest.param(ARM, 2e11, "of all arm64 functions in us-east-1", id="in a higher tier"),
        pytest.param(
            bundled_prices().lambda_price("eu-west-1", "x86_64"),
            2e11,
            "only the first tier is known for x86_64 in eu-west-1",
            id="where the table has no higher tiers",
        ),
    ],
)
def test_what_the_tiers_take_for_granted_is_told(
    price: LambdaPrice, requests: float, said: str | None
) -> None:
    sizes = [size(1024, 60, price=price)]

    view = monthly_view(month(requests, price=price), [cost(1024, 60, price=price)], sizes)

    told = notes_about(" tier", [note for note in view.notes if "free tier" not in note])
    assert told == [] if said is None else said in told[0]


def view_of(requests: float, **changes: Any) -> Monthly:
    return monthly_view(month(requests, **changes), COSTS, SIZES)


def test_at_low_traffic_two_machines_cost_more_than_lambda() -> None:
    view = view_of(1e6)

    lambda_usd = view.sizes[2].usd
    assert [machine.count for machine in view.always_on] == [2, 2, 2]
    assert all(machine.usd > 10 * lambda_usd for machine in view.always_on)
    assert all((machine.equal_at_requests_per_month or 0) > 1e7 for machine in view.always_on)
    assert view.always_on_prices is not None
    assert "2025-03-02" in view.always_on_prices


def test_at_high_traffic_machines_cost_less_and_say_from_where_on() -> None:
    view = view_of(1e9)

    # A request takes 46.3 ms of CPU at most (57.9 % of 80 ms at 1,024 MB; the other sizes bound it
    # less), so 380.5 a second take 17.6 vCPUs: 44.05 t3 at a baseline of 20 % of two.
    first = view.always_on[0]
    assert (first.name, first.count) == ("EC2 t3.small", 45)
    assert first.usd == pytest.approx(45 * 0.0208 * 730)
    assert first.usd < view.sizes[2].usd
    assert first.equal_at_requests_per_month is not None
    assert first.equal_at_requests_per_month < 1e9


def test_what_the_comparison_takes_for_granted_and_leaves_out_is_told() -> None:
    notes = view_of(1e6).notes

    for word in ("at least 2", "60\N{NO-BREAK SPACE}%", "waiting is in that", "not in the compar"):
        assert notes_about(word, notes), word


@pytest.mark.parametrize(
    ("price", "used_mb", "changes", "why"),
    [
        pytest.param(
            bundled_prices().lambda_price("af-south-1", "x86_64"),
            90,
            {},
            "prices of af-south-1 are not in the table",
            id="a region without prices",
        ),
        pytest.param(ARM, None, {}, "the memory used is not known", id="no memory used"),
        pytest.param(
            ARM, 200_000, {}, "none in the table is large enough", id="more than any machine has"
        ),
        pytest.param(ARM, 90, {"recommended_mb": None}, None, id="no recommendation"),
    ],
)
def test_without_a_comparison_there_is_a_reason(
    price: LambdaPrice, used_mb: int | None, changes: dict[str, Any], why: str | None
) -> None:
    sizes = [size(1024, 60, used_mb=used_mb, price=price)]

    view = monthly_view(month(1e6, price=price, **changes), [cost(1024, 60, price=price)], sizes)

    assert (view.always_on, view.always_on_prices) == ([], None)
    said = notes_about("no comparison", view.notes)
    assert said == [] if why is None else why in said[0]


def test_the_volume_is_found_beyond_a_bend_of_lambdas_prices() -> None:
    """Tiers of 1,000 GB-s: Lambda's bill bends at 16,667 requests, and is straight after that."""
    price = LambdaPrice("us-east-1", "x86_64", (Tier(0, 2e-5), Tier(1000, 1.5e-5)), 2e-7, None)
    sizes = [size(1024, 60, price=price)]

    view = monthly_view(month(1e6, price=price), [cost(1024, 60, price=price)], sizes)

    first = view.always_on[0]
    # 1.1 USD for a million requests, and 0.005 USD more for the first 16,667.
    assert first.usd == pytest.approx(2 * 0.0208 * 730)
    assert first.equal_at_requests_per_month == pytest.approx((first.usd - 0.005) / 1.1e-6)
