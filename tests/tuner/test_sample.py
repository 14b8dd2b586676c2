"""Samples on disk: written as they come, read back as they were, faults named by line."""

import json
import resource
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError, ToolError
from core.text import one_line
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
        pytest.param(_line(billed_ms=float("inf")), r":2: billed_ms: .*\(got inf\)", id="infinite"),
        pytest.param(_line(duration_ms=1e308), r":2: duration_ms: .*\(got 1e\+308\)", id="a day"),
        pytest.param(_line(wall_ms="5"), r":2: wall_ms: .*\(got '5'\)", id="wall"),
        pytest.param(_line(init_ms=[]), r":2: init_ms: .*\(got \[\]\)", id="init"),
        pytest.param(_line(restore_ms=-1), r":2: restore_ms: .*\(got -1\)", id="restore"),
        pytest.param(
            _line(max_memory_used_mb="a"), r":2: max_memory_used_mb: .*\(got 'a'\)", id="used"
        ),
        pytest.param(_line(memory_mb=10**9), r":2: memory_mb: .*\(got 10+\)", id="huge size"),
        pytest.param(_line(memory_mb=True), r":2: memory_mb: .*\(got True\)", id="a true size"),
        pytest.param(_line(memory_mb=0), r":2: memory_mb: .*\(got 0\)", id="no size"),
        pytest.param(_line(round=1.5), r":2: round: .*\(got 1\.5\)", id="round"),
        pytest.param(_line(version=7), r":2: version: expected a text \(got 7\)", id="version"),
        pytest.param(_line(started_utc=None), r":2: started_utc: .*\(got None\)", id="started"),
        pytest.param(_line(request_id={}), r":2: request_id: .*\(got \{\}\)", id="request"),
        pytest.param(_line(error_type=1), r":2: error_type: .*\(got 1\)", id="error type"),
        pytest.param(_line(error_message=[1]), r":2: error_message: .*\(got \[1\]\)", id="message"),
        pytest.param(_line(cold=1), r":2: cold: expected true or false \(got 1\)", id="cold"),
        pytest.param(_line(after_error="no"), r":2: after_error: .*\(got 'no'\)", id="after error"),
        pytest.param(_line(outcome=[]), r":2: outcome: .*\(got \[\]\)", id="a list as outcome"),
        pytest.param('{"memory_mb": ' + "1" * 5000 + "}", r":2: expected a JSON", id="long number"),
        pytest.param("[" * 100_000, r":2: expected a JSON object", id="nested too deep"),
        pytest.param("[" + "1," * 9999 + "1]", r":2: expected a sample.{0,80}\.\.\.", id="cut"),
    ],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / SAMPLES_FILE).write_text(f"{_line()}\n{line}\n")

    with pytest.raises(InputError, match=message):
        read_samples(tmp_path)


@pytest.mark.parametrize("text", ["half \ud83d", "\x1b[2J", "two\nlines"])
def test_messages_are_read_as_one_line_that_can_be_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / SAMPLES_FILE).write_text(_line(error_type=text, error_message=text) + "\n")

    (read,) = read_samples(tmp_path)

    assert read.error_type == read.error_message == one_line(text)


def test_a_message_with_a_line_end_of_unicode_stays_on_its_line(tmp_path: Path) -> None:
    line = json.dumps({**asdict(sample()), "error_message": "a\u2028b"}, ensure_ascii=False)
    (tmp_path / SAMPLES_FILE).write_text(f"{line}\n", encoding="utf-8")

    assert [read.error_message for read in read_samples(tmp_path)] == ["a b"]


def test_a_full_disk_is_one_line_and_what_was_written_can_be_read(tmp_path: Path) -> None:
    line_bytes = len(_line()) + 1
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    with SampleFile(tmp_path) as file:
        file.append(sample())
        # The next line fits half.
        resource.setrlimit(resource.RLIMIT_FSIZE, (line_bytes + line_bytes // 2, before[1]))
        try:
            with pytest.raises(ToolError, match=r"samples\.ndjson: could not keep the samples: "):
                file.append(sample())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert read_samples(tmp_path) == (sample(),)


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


def test_samples_of_before_there_were_payloads_are_read(tmp_path: Path) -> None:
    record = asdict(sample())
    del record["payload"], record["discarded"]
    (tmp_path / "samples.ndjson").write_text(json.dumps(record))

    (read,) = read_samples(tmp_path)

    assert (read.payload, read.discarded, read.counts_as_warm) == (None, False, True)


def test_a_discarded_call_is_warm_and_does_not_count() -> None:
    discarded = sample(discarded=True)

    assert discarded.is_warm
    assert not discarded.counts_as_warm
