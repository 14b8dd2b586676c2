"""What a million invocations are made of: parts that add up, with their assumptions said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cost_split import cold_percent_usd, cost_split, cost_splits
from reports.document import ColdMix, ColdSize
from reports.figures import SPACE
from reports.tune_split import split_figure, split_table, splits_of
from tests.reports import adaptive_documents as adaptive
from tests.reports import documents
from tests.reports.pages import svgs

FEE_USD = 0.2
GB_SECONDS_USD = 512 / 1024 * 0.2 * documents.GB_SECOND_USD * 1e6
HALF_SECOND_USD = 512 / 1024 * 0.5 * documents.GB_SECOND_USD * 1e6


def one_size(storage_mb: int = 512, storage_price: float | None = 3.09e-8, **changes):
    """A size of 512 MB that takes 200 ms, as billed."""
    cost = documents.cost_of(512, 200.0)
    size = documents.size_result(512, documents.flat).model_copy(
        update={
            "cost_usd_per_million": cost,
            "cost_interval": (cost - 0.1, cost + 0.1),
            "billed_typical_ms": 200.0,
            "cold_billed_typical_ms": 700.0,
        }
    )
    document = documents.document([size], **changes)
    return document.model_copy(
        update={
            "function": document.function.model_copy(update={"ephemeral_storage_mb": storage_mb}),
            "prices": document.prices.model_copy(update={"storage_gb_second_usd": storage_price}),
        }
    )


def mix(share: float, cold_cost: float | None = None, memory_mb: int = 512) -> ColdMix:
    cost = documents.cost_of(memory_mb, 200 + share * 500)
    found = ColdSize(
        memory_mb=memory_mb,
        n_cold=3,
        init_ms=400,
        cold_ms=700,
        cold_billed_ms=700,
        mean_ms=200 + share * 500,
        cost_usd_per_million=cost,
        cost_interval=(cost, cost),
        cold_cost_usd_per_million=cold_cost,
    )
    return ColdMix(cold_share=share, source="given", sizes=[found])


def words(texts) -> str:
    return " ".join(texts).replace(SPACE, " ")


def test_a_warm_call_is_its_fee_and_its_gb_seconds():
    split = cost_split(one_size(), 512)
    assert split is not None
    assert split.fee_usd == pytest.approx(FEE_USD)
    assert split.handler_usd == pytest.approx(GB_SECONDS_USD)
    assert (split.storage_usd, split.cold_usd) == (0.0, None)


@pytest.mark.parametrize(
    ("storage_mb", "price", "storage"),
    [(512, None, 0.0), (10240, None, None), (10240, 3.09e-8, "a share")],
    ids=["nothing is billed", "no price", "billed"],
)
def test_storage_above_512_mb_is_a_part_of_its_own(storage_mb, price, storage):
    split = cost_split(one_size(storage_mb, price), 512)
    assert split is not None
    if storage == "a share":
        rates = (9728 * 3.09e-8, 512 * documents.GB_SECOND_USD)
        storage = GB_SECONDS_USD * rates[0] / sum(rates)
    assert split.storage_usd == (None if storage is None else pytest.approx(storage))


@pytest.mark.parametrize(
    ("cold_cost", "each"),
    [(None, HALF_SECOND_USD), (50.0, 50 - FEE_USD - GB_SECONDS_USD)],
    ids=["older document, by what is billed", "by what a cold call costs"],
)
def test_cold_starts_are_what_cold_calls_cost_more(cold_cost, each):
    split = cost_split(one_size(cold=mix(0.02, cold_cost)), 512)
    assert split is not None
    assert split.cold_usd == pytest.approx(0.02 * each)
    assert cold_percent_usd(one_size(), 512) == pytest.approx(0.01 * HALF_SECOND_USD)


@given(
    memory_mb=st.integers(128, 10240),
    billed_ms=st.floats(1, 900_000),
    storage_mb=st.integers(512, 10240),
    share=st.none() | st.floats(0, 1),
)
def test_the_parts_of_a_cost_are_its_sum(memory_mb, billed_ms, storage_mb, share):
    cost = documents.cost_of(memory_mb, billed_ms)
    size = documents.size_result(memory_mb, documents.flat).model_copy(
        update={"cost_usd_per_million": cost}
    )
    document = documents.document(
        [size], cold=None if share is None else mix(share, 9 * cost, memory_mb)
    )
    facts = document.function.model_copy(update={"ephemeral_storage_mb": storage_mb})
    split = cost_split(document.model_copy(update={"function": facts}), memory_mb)
    assert split is not None
    parts = (split.fee_usd, split.handler_usd, split.storage_usd or 0, split.cold_usd or 0)
    assert all(part >= 0 for part in parts)
    if split.handler_usd > 0:
        assert sum(parts) == pytest.approx(split.total_usd)


def test_a_mix_of_an_older_version_is_read():
    old = mix(0.02).model_dump(mode="json")
    del old["sizes"][0]["cold_cost_usd_per_million"]
    assert ColdMix.model_validate(old) == mix(0.02)


def test_two_sizes_are_compared_with_cold_calls_at_both_or_at_none():
    document = adaptive.whole()
    assert document.cold is not None
    [current, taken] = cost_splits(document, [1536, 1408])
    assert (current.cold_usd, taken.cold_usd) == (None, None)
    [other, _] = cost_splits(document, [1024, 1408])
    assert other.cold_usd is not None
    table = split_table(document)
    assert table is not None
    assert "what they cost is not known at both sizes" in words(table.notes)


def test_now_stands_beside_the_recommended_size_with_the_interval_of_the_sum():
    names = [name.replace(SPACE, " ") for name, _ in splits_of(documents.cpu_bound())]
    table = split_table(documents.cpu_bound())
    assert names == ["Now, 512 MB", "Recommended, 1,769 MB"]
    assert table is not None
    assert [row.cells[0] for row in table.rows] == [
        "Request fee",
        "GB-seconds of the handler",
        "Sum",
        "90 % interval of the sum",
    ]
    assert [list(row.cells[1:]) for row in table.rows[:1]] == [["0.20", "0.20", "0.00"]]
    assert "All calls are taken to be warm." in table.lead
    assert "a load run of the API fills those in" in words(table.notes)


@pytest.mark.parametrize(
    ("document", "names"),
    [
        (documents.local(), ["Now and recommended, 512 MB"]),
        (documents.inconclusive(), ["Now, 1,024 MB", "Best so far, 512 MB"]),
        (documents.invalid(), ["Now, 512 MB"]),
        (documents.bare(), []),
    ],
    ids=["stays", "inconclusive", "no recommendation", "no cost"],
)
def test_sizes_whose_cost_is_known_are_told(document, names):
    assert [name.replace(SPACE, " ") for name, _ in splits_of(document)] == names
    assert (split_table(document) is None) == (split_figure(document, "a") is None) == (not names)


def test_bars_share_one_axis_that_begins_at_zero():
    figure = split_figure(documents.cpu_bound(), "run-1")
    assert figure is not None
    drawing = svgs(figure.drawings[0])[0]
    rects = [r for r in drawing.iter("rect") if r.attrib["height"] == "30"]
    fee, handler = rects[:2]
    scale = float(fee.attrib["width"]) / FEE_USD
    now = splits_of(documents.cpu_bound())[0][1]
    assert float(handler.attrib["width"]) == pytest.approx(now.handler_usd * scale, rel=0.25)
    assert "data-plot" not in drawing.attrib
    assert "0" in [(text.text or "")[:1] for text in drawing.iter("text")]
    assert figure.data is not None
    assert len(figure.data.rows) == 2
