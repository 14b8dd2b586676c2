"""Prices: known bills by hand, and unknown regions said so."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.prices import bundled_prices, parse_price_table, read_price_file
from core.errors import InputError

TABLE: dict[str, Any] = {
    "date": "2026-01-01",
    "regions": {
        "xx-test-1": {
            "request_usd_per_million": "0.20",
            "x86_64": [{"from_gb_s": 0, "usd_per_gb_s": "0.00002"}],
        }
    },
}


@pytest.mark.parametrize(
    ("region", "arch", "memory_mb", "billed_ms", "storage_mb", "usd"),
    [
        pytest.param("us-east-1", "x86_64", 1024, 1000, 512, 0.0000166667 + 2e-7, id="a GB-second"),
        pytest.param("us-east-1", "arm64", 1024, 1000, 512, 0.0000133334 + 2e-7, id="arm64"),
        pytest.param("us-east-1", "x86_64", 128, 1, 512, 2.0833375e-9 + 2e-7, id="the least"),
        pytest.param("us-east-1", "x86_64", 128, 0, 512, 2e-7, id="the request alone"),
        pytest.param(
            "us-east-1",
            "x86_64",
            1024,
            1000,
            1536,
            0.0000166667 + 2e-7 + 3.09e-8,
            id="1 GB of /tmp",
        ),
        pytest.param("af-south-1", "x86_64", 2048, 500, 512, 0.0000221 + 2.7e-7, id="Cape Town"),
        pytest.param("ap-southeast-5", "arm64", 512, 2000, 512, 0.000012 + 1.8e-7, id="Malaysia"),
    ],
)
def test_an_invocation_costs_what_the_price_list_says(
    region: str, arch: Any, memory_mb: int, billed_ms: int, storage_mb: int, usd: float
) -> None:
    price = bundled_prices().lambda_price(region, arch)

    assert price.invocation_usd(memory_mb, billed_ms, storage_mb=storage_mb) == pytest.approx(usd)


def test_tiers_apply_to_what_lies_above_their_start() -> None:
    price = bundled_prices().lambda_price("us-east-1", "x86_64")

    assert price.duration_usd(6e9) == pytest.approx(6e9 * 0.0000166667)
    assert price.duration_usd(7e9) == pytest.approx(6e9 * 0.0000166667 + 1e9 * 0.000015)
    assert price.duration_usd(16e9) == pytest.approx(
        6e9 * 0.0000166667 + 9e9 * 0.000015 + 1e9 * 0.0000133334
    )


@given(st.floats(0, 3e10), st.floats(0, 3e10))
def test_more_gb_seconds_never_cost_less(one: float, other: float) -> None:
    price = bundled_prices().lambda_price("us-east-1", "x86_64")
    low, high = sorted((one, other))

    assert price.duration_usd(low) <= price.duration_usd(high) + 1e-9


def test_an_unknown_region_says_so_and_what_to_do() -> None:
    with pytest.raises(InputError, match=r"region 'mx-central-1'.*--price-file"):
        bundled_prices().lambda_price("mx-central-1", "x86_64")


def test_storage_without_a_price_is_an_error_only_where_it_is_used() -> None:
    price = bundled_prices().lambda_price("us-gov-east-1", "x86_64")

    assert price.invocation_usd(128, 1) > 0
    with pytest.raises(InputError, match="1024 MB of ephemeral storage in us-gov-east-1"):
        price.invocation_usd(128, 1, storage_mb=1024)


def test_a_file_brings_other_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(TABLE))

    price = read_price_file(path).lambda_price("xx-test-1", "x86_64")

    assert price.gb_second_usd == 0.00002
    with pytest.raises(InputError, match="arm64"):
        read_price_file(path).lambda_price("xx-test-1", "arm64")


def _changed(**region: Any) -> str:
    entry = {**TABLE["regions"]["xx-test-1"], **region}
    return json.dumps({**TABLE, "regions": {"xx-test-1": entry}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", r"p\.json:1:2: expected JSON", id="not JSON"),
        pytest.param("[]", r"the document: expected an object \(got \[\]\)", id="a list"),
        pytest.param("{}", "regions: missing", id="empty"),
        pytest.param('{"regions": 3}', r"regions: expected an object \(got 3\)", id="no regions"),
        pytest.param('{"regions": {}}', "date: missing", id="no date"),
        pytest.param(
            _changed(request_usd_per_million="free"),
            r"regions\.xx-test-1\.request_usd_per_million: expected a number .*'free'",
            id="a word",
        ),
        pytest.param(
            _changed(request_usd_per_million=-1), r"from 0 to 1e\+12 \(got -1\)", id="negative"
        ),
        pytest.param(_changed(request_usd_per_million=True), r"got True", id="a boolean"),
        pytest.param(_changed(x86_64=[]), r"x86_64: expected a list of tiers", id="no tiers"),
        pytest.param(
            _changed(x86_64=[{"from_gb_s": 5, "usd_per_gb_s": 1}]), "ascending", id="starts late"
        ),
        pytest.param(_changed(x86_64=[{"from_gb_s": 0}]), "usd_per_gb_s: missing", id="no price"),
        pytest.param(
            _changed(x86_64=[{"from_gb_s": 0, "usd_per_gb_s": 0}]),
            r"p\.json: regions\.xx-test-1\.x86_64\[0\]\.usd_per_gb_s: .* above 0.*\(got 0\)",
            id="free",
        ),
        pytest.param(
            _changed(x86_64=[{"from_gb_s": 0, "usd_per_gb_s": "16.67"}]),
            r"usd_per_gb_s: expected a price in USD .* at most 1 \(got '16\.67'\)",
            id="the price of a million",
        ),
        pytest.param(_changed(request_usd_per_million=10**400), "from 0 to", id="beyond a float"),
        pytest.param(_changed(request_usd_per_million=1e300), "from 0 to", id="beyond reason"),
        pytest.param('{"date": ' + "1" * 5000 + "}", r"p\.json: expected JSON", id="long number"),
        pytest.param("[" * 100_000, r"p\.json: expected JSON", id="nested too deep"),
    ],
)
def test_a_faulty_table_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_price_table(text, "p.json")


def test_names_in_a_table_can_be_shown() -> None:
    table = parse_price_table(json.dumps({**TABLE, "date": "\ud83d", "source": "\x1b[2J"}), "p")

    assert (table.date, table.source) == ("\ufffd", "\ufffd[2J")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"^--price-file: .*no-such: could not read it: No such file"
    ):
        read_price_file(tmp_path / "no-such")
