"""Messages as lines, and frames on disk: what was written comes back, as far as it was written."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from loadgen.frames_file import FramesWriter, read_frames
from loadgen.histogram import Histogram
from loadgen.messages import (
    Assignment,
    Cell,
    Control,
    Drained,
    Failure,
    Frame,
    NewSteps,
    PhaseCount,
    from_line,
    to_line,
)
from tests.loadgen.full_disk import FullDisk

LATENCIES = Histogram.of([5, 70, 900_000]).encode()
FRAME = Frame(
    0, 3, 4_000_123,
    [Cell(3, 0, 1, 4113, 3, 99, LATENCIES, LATENCIES), Cell(3, 0, 0, 0, 0, 0, "", "", "", "", "")],
    [PhaseCount(3, 0, 10, 1, 9), PhaseCount(4, 1)],
    2, 0, 0.25, LATENCIES, 7, ["a note with \"quotes\", ünïcödé and a\nline"],
    [Failure(0, 1, "checks.status: expected 200, got 404", 3)],
)  # fmt: skip
DRAINED = Drained(0, 4, 10, 1, 9, 8, 1, {"0": 1})
STEPS = NewSteps(1, 2, [["GET", "/a b"], ["POST", "x"]])
ASSIGNMENT = Assignment(
    1, 2, {"name": "p", "load": {"phases": [1, None, 2.5]}}, "/base", "http://h/", 2**53 - 1,
    None, {"profile": {"token": "hidden"}},
)  # fmt: skip
CONTROL = Control("start", at_unix_ns=1_767_225_600_000_000_001)

# -- lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [FRAME, DRAINED, STEPS, ASSIGNMENT, CONTROL, Control("stop")],
    ids=lambda message: type(message).__name__,
)
def test_a_message_comes_back_from_its_line_unchanged(message):
    line = to_line(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert from_line(line) == message
    assert from_line(line.decode().strip()) == message


@given(st.lists(st.text(), max_size=3), st.integers(-(2**63), 2**63 - 1), st.floats(0, 64))
def test_any_values_fit_on_one_line(notes, at_us, share):
    frame = Frame(0, 0, at_us, [], [], 0, 0, share, "", notes=notes)
    try:
        line = to_line(frame)
    except TypeError:  # lone surrogates are no text
        return
    assert line.count(b"\n") == 1
    assert from_line(line) == frame


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", "no JSON, or cut short"),
        (to_line(FRAME)[:-30], "no JSON, or cut short"),
        (b"\xff\xfe", "no JSON, or cut short"),
        (b"[1]", "no JSON object"),
        (b"{}", "its type is none"),
        (b'{"type":["frame"]}', "its type is none"),
        (b'{"type":"greeting"}', "its type is none"),
        (b'{"type":"control"}', "control: do is missing"),
        (b'{"type":"control","do":5}', "control.do: is not of its type .got int"),
        (b'{"type":"control","do":"stop","now":1}', "has a key that it does not know"),
        (b'{"type":"control","do":"stop","at_unix_ns":true}', "at_unix_ns: is not of its type"),
        (b'{"type":"frame","cells":5,"counts":[]}', "frame.cells: must be a list"),
        (b'{"type":"frame","cells":[5],"counts":[]}', "frame.cells: must be a list of objects"),
        (b'{"type":"frame","cells":[{"second":1}],"counts":[]}', "frame.cells: .*missing"),
        (b'{"type":"frame","cells":[],"counts":[]}', "frame: at_us, .*missing"),
        (b'{"type":"frame","cells":[],"counts":[],"failures":[{"step":1}]}', "failures: .*missing"),
        (b'{"type":"frame","cells":[],"counts":[],"failures":{}}', "failures: must be a list"),
        (b'{"type":"newsteps","injector":0,"first":0,"steps":[["GET",1]]}', "not of its type"),
    ],
)
def test_what_is_no_message_is_refused(line, said):
    with pytest.raises(ValueError, match=said):
        from_line(line)


def test_a_frame_of_an_earlier_version_has_no_failures():
    line = to_line(Frame(0, 0, 1, [], [], 0, 0, 0.1, "")).replace(b',"failures":[]', b"")
    assert b"failures" not in line
    assert from_line(line).failures == []


def test_the_error_about_a_message_never_shows_what_is_in_it():
    line = to_line(ASSIGNMENT).replace(b'"seed":', b'"seeds":')
    with pytest.raises(ValueError, match="assignment") as caught:
        from_line(line)
    assert "hidden" not in str(caught.value)
    cut = to_line(ASSIGNMENT)[:-3]
    with pytest.raises(ValueError, match="cut short") as caught:
        from_line(cut)
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None


# -- files ----------------------------------------------------------------------------------------

WRITTEN = [STEPS, FRAME, FRAME, DRAINED]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "frames.ndjson.gz"
    with FramesWriter(path) as writer:
        for message in WRITTEN:
            writer.write(message)
    return path


def test_what_was_written_is_read_in_its_order(path):
    assert list(read_frames(path)) == WRITTEN


def test_any_gzip_reads_the_file_as_lines_of_json(path):
    lines = gzip.decompress(path.read_bytes()).splitlines()
    assert [from_line(line) for line in lines] == WRITTEN


def test_a_message_is_in_the_file_as_soon_as_it_was_written(tmp_path):
    writer = FramesWriter(tmp_path / "frames.ndjson.gz")
    for n, message in enumerate(WRITTEN, 1):
        writer.write(message)
        assert list(read_frames(writer.path)) == WRITTEN[:n]
    writer.close()


def test_a_file_cut_short_anywhere_gives_its_whole_messages(path):
    data = path.read_bytes()
    found = []
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        messages = list(read_frames(path))
        assert messages == WRITTEN[: len(messages)]
        found.append(len(messages))
    assert found == sorted(found)
    assert {0, 1, 2, 3} <= set(found)


def test_a_full_disk_costs_one_message_and_nothing_else(tmp_path):
    writer = FramesWriter(tmp_path / "frames.ndjson.gz")
    disk = writer._file = FullDisk(writer._file)
    writer.write(STEPS)
    disk.room = 50
    with pytest.raises(OSError, match="No space left"):
        writer.write(FRAME)
    disk.room = None
    writer.write(FRAME)
    writer.write(DRAINED)
    writer.close()
    assert list(read_frames(writer.path)) == [STEPS, FRAME, DRAINED]


def test_an_empty_file_has_no_frames(tmp_path):
    FramesWriter(tmp_path / "frames.ndjson.gz").close()
    assert list(read_frames(tmp_path / "frames.ndjson.gz")) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no gzip file", "is damaged, or no gzip file"),
        (gzip.compress(to_line(FRAME)) + b"\0\1\2 something else", "is damaged"),
        (gzip.compress(b"{}\n"), ":1: not a message"),
        (gzip.compress(to_line(FRAME)) + gzip.compress(to_line(CONTROL)), ":2: is no frame"),
    ],
    ids=["text", "text behind a frame", "another object", "another message"],
)
def test_something_else_is_refused_by_name(tmp_path, content, said):
    path = tmp_path / "frames.ndjson.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        list(read_frames(path))
    assert str(path) in str(caught.value)


def test_a_flipped_bit_is_noticed(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="frames"):
        list(read_frames(path))


def test_nothing_is_written_over(path):
    with pytest.raises(FileExistsError):
        FramesWriter(path)
