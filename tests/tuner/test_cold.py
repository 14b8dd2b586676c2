"""The share of cold calls as it is given, and where more of them are measured."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from tests.tuner.factories import failed, sample
from tuner.cold import cold_by_size, cold_rounds, cold_sizes, parse_cold_share, wait_ms
from tuner.sample import Sample


def cold(memory_mb: int, version: str = "1", **changes: object) -> Sample:
    return sample(memory_mb, **{"cold": True, "init_ms": 300.0, "version": version, **changes})  # type: ignore[arg-type] # changes of any field


@pytest.mark.parametrize(
    ("text", "share"),
    [
        pytest.param("auto", "auto", id="to be measured"),
        pytest.param(" AUTO ", "auto", id="in capitals"),
        pytest.param("0.02", 0.02, id="share"),
        pytest.param(".5", 0.5, id="share without a zero"),
        pytest.param("2%", 0.02, id="percentage"),
        pytest.param("2.5 %", 0.025, id="percentage with a space"),
        pytest.param("0", 0.0, id="none"),
        pytest.param("1", 1.0, id="all"),
        pytest.param("100%", 1.0, id="all, as a percentage"),
    ],
)
def test_a_share_is_given_as_a_number_or_a_percentage(text: str, share: float | str) -> None:
    assert parse_cold_share(text) == share


@pytest.mark.parametrize(
    "text", ["", "2", "101%", "-0.1", "nan", "inf", "1e-3", "0_1", "%", "2%%", "many", "٢%%"]
)
def test_anything_else_names_option_and_value(text: str) -> None:
    with pytest.raises(InputError, match=r"^--cold-share: expected auto, a share .* \(got '"):
        parse_cold_share(text)


@given(st.floats(0, 1), st.sampled_from(["{:.6f}", "{:.4%}"]))
def test_shares_are_read_as_they_are_written(share: float, form: str) -> None:
    assert parse_cold_share(form.format(share)) == pytest.approx(share, abs=1e-6)


@given(st.text())
def test_any_text_is_a_share_or_an_input_error(text: str) -> None:
    with suppress(InputError):
        share = parse_cold_share(text)
        assert share == "auto" or 0 <= share <= 1


def test_a_caller_waits_for_init_or_restore_and_for_the_duration() -> None:
    restored = cold(512, duration_ms=40.0, init_ms=None, restore_ms=90.0)

    assert wait_ms(cold(512, duration_ms=40.0)) == 340
    assert wait_ms(restored) == 130


def test_what_follows_an_error_is_no_cold_sample() -> None:
    samples = [
        cold(1024),
        cold(512),
        sample(512),
        failed(512),
        cold(512, after_error=True),
        cold(256, outcome="failed"),
    ]

    assert cold_by_size(samples) == {512: [samples[1]], 1024: [samples[0]]}


def test_cold_samples_are_for_measured_sizes_that_may_be_chosen_and_for_todays() -> None:
    assert cold_sizes(512, (512, 448, 640), 128, (128, 512, 640, 1769)) == (128, 512, 640)
    assert cold_sizes(512, (512,), 128, (512, 1769)) == (512,)


def test_each_round_has_the_sizes_that_lack_cold_samples() -> None:
    samples = [cold(128), cold(512), cold(512, version="2"), cold(1024)]

    assert cold_rounds(samples, (1024, 512, 1024), 2) == (1024,)
    assert cold_rounds(samples, (128, 512), 3) == (128, 512)
    assert cold_rounds(samples, (128, 512), 1) == ()
    assert cold_rounds(samples, (), 9) == ()


@pytest.mark.parametrize(
    "start", [pytest.param(failed(128), id="fails"), pytest.param(sample(128), id="is not cold")]
)
@pytest.mark.parametrize("wanted", [1, 5])
def test_a_size_that_gives_no_cold_samples_is_not_started_for_ever(
    start: Sample, wanted: int
) -> None:
    samples: list[Sample] = []
    while cold_rounds(samples, (128,), wanted):
        samples.append(sample(128, version=str(len(samples)), outcome=start.outcome))

    assert len(samples) == wanted + 2
