"""Samples on disk: written as they come, read back as they were, faults named by line."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from tests.tuner.factories import failed, lost, sample
from tuner.sample import SAMPLES_FILE, SampleFile, read_samples, warm_by_size


def test_samples_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    written = (sample(128, 1.5), sample(128, cold=True, init_ms=99.5), failed(256), lost(512))

    with SampleFile(tmp_path) as file:
        for item in written:
            file.append(item)
            # Each is on disk at once: a kill now must not lose it.
            assert len((tmp_path / SAMPLES_FILE).read_text().splitlines()) > 0

    assert read_samples(tmp_path) == written


def _line(**changes: object) -> str:
    return json.dumps({**asdict(sample()), **changes})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("{", r"samples\.ndjson:2: expected a JSON object", id="cut"),
        pytest.param("[1]", r":2: expected a sample", id="a list"),
        pytest.param('{"memory_mb": 128}', r":2: expected a sample.*missing", id="incomplete"),
        pytest.param(_line(colour="red"), r":2: .*unknown \['colour'\]", id="unknown key"),
        pytest.param(
            _line(memory_mb="big"), r":2: memory_mb: expected MB \(got 'big'\)", id="size"
        ),
        pytest.param(_line(outcome="fine"), r":2: outcome: .*\(got 'fine'\)", id="outcome"),
        pytest.param(_line(duration_ms=-1), r":2: duration_ms: .*\(got -1\)", id="negative"),
        pytest.param(_line(billed_ms=None), r":2: billed_ms: .*\(got None\)", id="not billed"),
        pytest.param(_line(duration_ms=True), r":2: duration_ms: .*\(got True\)", id="a boolean"),
        pytest.param(_line(duration_ms=float("nan")), r":2: .*\(got nan\)", id="no number"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / SAMPLES_FILE).write_text(f"{_line()}\n{line}\n")

    with pytest.raises(InputError, match=message):
        read_samples(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"samples\.ndjson: could not read the samples"):
        read_samples(tmp_path)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("samples")
    (folder / SAMPLES_FILE).write_text(text, encoding="utf-8")

    try:
        read = read_samples(folder)
    except InputError:
        return
    assert read == ()


def test_only_warm_measurements_count() -> None:
    samples = [
        sample(512, 1.0),
        sample(128, 2.0),
        sample(128, 3.0, cold=True),
        sample(128, 4.0, after_error=True),
        failed(128),
        lost(256),
    ]

    warm = warm_by_size(samples)

    assert {size: [s.duration_ms for s in group] for size, group in warm.items()} == {
        128: [2.0],
        512: [1.0],
    }
    assert list(warm) == [128, 512]
