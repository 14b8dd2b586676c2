"""Run folders and result files, and one clear line for each way in which they can be wrong."""

from __future__ import annotations

import gc
import json
import math
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.errors import InputError
from reports.document import TuneDocument
from reports.load_document import LoadDocument
from reports.run_folder import create_run_folder, read_document, safe_name, write_document
from tests.reports import documents, load_documents

NOW = datetime(2025, 11, 20, 9, 14, 2, tzinfo=UTC)


def test_a_folder_is_named_by_time_kind_and_name(tmp_path):
    folder = create_run_folder(tmp_path / "a" / "runs", "tune", "checkout-api", NOW)
    assert folder == tmp_path / "a" / "runs" / "20251120T091402Z-tune-checkout-api"
    assert folder.is_dir()


def test_the_time_is_utc_whatever_the_zone(tmp_path):
    local = NOW.astimezone(timezone(timedelta(hours=9)))
    assert create_run_folder(tmp_path, "tune", "f", local).name.startswith("20251120T091402Z")
    with pytest.raises(ValueError, match="aware"):
        create_run_folder(tmp_path, "tune", "f", NOW.replace(tzinfo=None))


def test_two_runs_of_one_second_get_folders_of_their_own(tmp_path):
    folders = {create_run_folder(tmp_path, "tune", "f", NOW) for _ in range(3)}
    assert sorted(folder.name[16:] for folder in folders) == ["-tune-f", "-tune-f-2", "-tune-f-3"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("arn:aws:lambda:eu-west-1:1:function:f:7", "arn-aws-lambda-eu-west-1-1-function-f-7"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("$LATEST", "LATEST"),
        ("a b\n\0c", "a-b-c"),
        ("ü" * 300, "unnamed"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_name_is_made_safe_for_file_systems(name, safe, tmp_path):
    assert safe_name(name) == safe
    assert create_run_folder(tmp_path, "tune", name, NOW).parent == tmp_path


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"could not make the run folder .*file") as caught:
        create_run_folder(tmp_path / "file", "tune", "f", NOW)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="could not make the run folder"):
        create_run_folder(tmp_path / "file" / "runs", "tune", "f", NOW)


BOTH = [*documents.all_documents(), *load_documents.all_documents()]


@pytest.mark.parametrize("document", BOTH, ids=lambda d: f"{d.kind} {d.verdict}")
def test_a_document_comes_back_as_it_was_from_folder_or_file(document, tmp_path):
    path = write_document(tmp_path, document)
    assert path == tmp_path / "result.json"
    assert read_document(tmp_path) == read_document(path) == document
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


def test_a_reader_of_one_kind_refuses_the_other(tmp_path):
    write_document(tmp_path, load_documents.one_second())
    assert read_document(tmp_path, LoadDocument).name == "one-second"
    with pytest.raises(InputError, match=r'kind: must be "tune" \(got "load"\)'):
        read_document(tmp_path, TuneDocument)


def test_a_load_run_of_a_later_version_is_refused(tmp_path):
    values = load_documents.one_second().model_dump(mode="json") | {"schema_version": 2}
    (tmp_path / "result.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"schema_version: this version reads 1 \(got 2\)"):
        read_document(tmp_path)


def test_a_wrong_load_run_is_named_by_key_and_value(tmp_path):
    values = load_documents.one_second().model_dump(mode="json")
    values["phases"][0]["requests"]["sent"] = "many"
    (tmp_path / "result.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=r'phases\[0\]\.requests\.sent: .*\(got "many"\)$'):
        read_document(tmp_path)


def test_the_file_is_sorted_indented_and_ends_with_a_newline(tmp_path):
    text = write_document(tmp_path, documents.cpu_bound()).read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_a_second_of_a_run_is_one_line(tmp_path):
    document = load_documents.five_causes()
    text = write_document(tmp_path, document).read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if '"start_lag_p99_ms"' in line and "{" in line]
    assert len(rows) == len(document.seconds)
    assert json.loads(rows[3].rstrip(",")) == document.seconds[3].model_dump(mode="json")
    assert json.loads(text) == document.model_dump(mode="json")
    assert list(json.loads(text)) == sorted(json.loads(text))


def as_it_was_written_before(document, **how):
    return json.dumps(document.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, **how)


@pytest.mark.parametrize(
    "how",
    [{"indent": 2}, {"indent": None}, {"separators": (",", ":")}, {"indent": "\t"}],
    ids=["by earlier versions", "one line", "compact", "tabs"],
)
def test_the_layout_of_a_file_does_not_matter(how, tmp_path):
    document = load_documents.five_causes()
    (tmp_path / "result.json").write_text(as_it_was_written_before(document, **how))
    assert read_document(tmp_path) == document


def test_line_ends_of_windows_do_not_matter(tmp_path):
    document = load_documents.one_second()
    text = write_document(tmp_path, document).read_text()
    (tmp_path / "result.json").write_bytes(text.replace("\n", "\r\n").encode())
    assert read_document(tmp_path) == document


@pytest.mark.parametrize("layout", [{"indent": 2}, {}], ids=["indented", "one line"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"offered": "9"}, r'^.*result\.json: seconds\[1\]\.offered: .*integer \(got "9"\)$'),
        ({"offered": 9.0}, r"seconds\[1\]\.offered: .*integer \(got 9\.0\)$"),
        ({"response_p50_ms": math.nan}, r"result\.json: not JSON: NaN is not a number in JSON$"),
        ({"response_p50_ms": -math.inf}, r"result\.json: not JSON: -Infinity is not a number"),
        ({"throttled": {"stage": None}}, r"seconds\[1\]\.throttled\.stage: .* \(got null\)$"),
        ({"phase": 4}, r"seconds\[1\]\.phase: .*string \(got 4\)$"),
        ({"colour": "red"}, r'seconds\[1\]\.colour: extra inputs .* \(got "red"\)$'),
    ],
)
def test_a_wrong_second_is_named_by_key_and_value(layout, change, said, tmp_path):
    values = load_documents.nothing_completed().model_dump(mode="json")
    values["seconds"][1].update(change)
    (tmp_path / "result.json").write_text(json.dumps(values, sort_keys=True, **layout))
    with pytest.raises(InputError, match=said):
        read_document(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('  "schema_version": 1,', '  "schema_version": 1.0,', r"schema_version: .* \(got 1\.0\)"),
        ('  "schema_version": 1,', '  "schema_version": 3,', r"this version reads 1 \(got 3\)"),
        ('  "kind": "load",', '  "kind": "lode",', r'kind: must be .* \(got "lode"\)'),
        ('  "kind": "load",\n', "", r"kind: must be .* \(got null\)"),
    ],
)
def test_what_a_file_says_of_itself_is_taken_at_its_word(old, new, said, tmp_path):
    text = write_document(tmp_path, load_documents.one_second()).read_text()
    assert old in text
    (tmp_path / "result.json").write_text(text.replace(old, new))
    with pytest.raises(InputError, match=said):
        read_document(tmp_path)


def test_an_unwritable_result_is_an_input_error_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="could not write"):
        write_document(tmp_path / "missing", documents.bare())
    assert list(tmp_path.iterdir()) == []


def changed(**changes):
    values = documents.waiting().model_dump(mode="json")
    values.update(changes)
    return json.dumps(values)


def with_size(**changes):
    values = documents.waiting().model_dump(mode="json")
    values["sizes"][1].update(changes)
    return json.dumps(values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", r"result\.json:1:2: not JSON"),
        ("", r"result\.json:1:1: not JSON"),
        ('{"kind": NaN}', "not JSON: NaN"),
        ("[" * 100_000, "not JSON"),
        ("[1]", r"must be a JSON object \(got \[1\]\)"),
        ("{}", r'kind: must be "tune" or "load" or "limits" or "nightly" \(got null\)'),
        (
            changed(kind="weekly"),
            r'kind: must be "tune" or "load" or "limits" or "nightly" \(got "weekly"\)',
        ),
        (
            changed(kind=["tune"]),
            r'kind: must be "tune" or "load" or "limits" or "nightly" \(got \["tune"\]\)',
        ),
        (changed(kind="load"), r"name: field required; .*; and \d+ more"),
        (changed(schema_version=2), r"schema_version: this version reads 1 \(got 2\)"),
        (changed(schema_version=True), r"schema_version: .* \(got true\)"),
        (changed(verdict="great"), r"verdict: .*'pass'.* \(got \"great\"\)"),
        (changed(surprise=1), r"surprise: extra inputs are not permitted \(got 1\)"),
        (with_size(n="many"), r"sizes\[1\]\.n: .*valid integer \(got \"many\"\)"),
        (with_size(cost_interval=[1]), r"sizes\[1\]\.cost_interval.*: "),
        (changed(errors=[1, 2, 3, 4, 5]), r"errors\[0\]: .*; and 2 more"),
    ],
)
def test_a_wrong_document_is_one_line_that_names_file_key_and_value(text, said, tmp_path):
    (tmp_path / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_document(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert "result.json" in message
    assert re.search(said, message)


def test_a_missing_field_is_named(tmp_path):
    values = documents.waiting().model_dump(mode="json")
    del values["spent"]["usd"]
    (tmp_path / "result.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"spent\.usd: field required$"):
        read_document(tmp_path)


def test_a_missing_file_says_what_to_give(tmp_path):
    with pytest.raises(InputError, match=r"no result\.json in .*give a run folder"):
        read_document(tmp_path)
    with pytest.raises(InputError, match=r"no such file: .*nothing"):
        read_document(tmp_path / "nothing")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "result.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match="byte 0 is not UTF-8"):
        read_document(tmp_path)


def test_reading_leaves_the_collector_of_garbage_as_it_was(tmp_path):
    path = write_document(tmp_path, load_documents.one_second())
    assert gc.isenabled()
    read_document(path)
    assert gc.isenabled()
    gc.disable()
    try:
        read_document(path)
        assert not gc.isenabled()
    finally:
        gc.enable()
