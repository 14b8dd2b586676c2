"""Runs in the forms that pipelines read: summary, gates and tables of the same documents."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pandas as pd
import pytest

from core.errors import InputError
from reports import runs_markdown
from reports.exports import check_exports, export_document, parse_export
from reports.gate import Gate
from reports.gates import gates_of, unmeasured_gates
from reports.histogram import encoded, of_ms
from reports.junit import junit_text
from reports.load_histograms import LatencyBlock, RunHistograms
from reports.load_tables import thresholds_table
from reports.run_frames import LONG_COLUMNS, frame_of, long_frame
from reports.runs_exports import export_runs
from reports.runs_markdown import render_runs_markdown
from tests.reports import adaptive_documents, documents, load_documents
from tests.reports.junit_form import assert_junit_form

TUNING = adaptive_documents.whole()
LOAD = load_documents.failed()
NOTHING_OK = LOAD.model_copy(update={"thresholds": []})
RUNS = [LOAD, TUNING, documents.invalid()]


# -- gates ----------------------------------------------------------------------------------------


def gates(document) -> dict[str, Gate]:
    return {gate.text: gate for gate in gates_of(document).gates}


def test_a_threshold_is_a_gate_with_value_limit_and_number_of_requests():
    found = gates(LOAD)["p99(response) < 200 ms"]
    assert (found.scope, found.status) == ("step GET /search", "failed")
    assert found.message == "measured 413 ms, limit 200 ms, n = 2,948"


@pytest.mark.parametrize(
    ("document", "text", "status"),
    [
        pytest.param(LOAD, "the measurement is valid", "passed", id="valid"),
        pytest.param(LOAD, "count(timeout) < 1", "passed", id="holds"),
        pytest.param(LOAD, "p95(response) < 1 s", "inconclusive", id="nothing measured"),
        pytest.param(
            load_documents.invalid(), "the measurement is valid", "invalid", id="invalid load run"
        ),
        pytest.param(documents.invalid(), "a memory size is found", "invalid", id="invalid tuning"),
        pytest.param(
            adaptive_documents.slo_met(), "p95(duration) < 300 ms", "passed", id="limit kept"
        ),
        pytest.param(
            adaptive_documents.slo_infeasible(), "p95(duration) < 200 ms", "failed", id="not kept"
        ),
        pytest.param(
            adaptive_documents.slo_open(), "p95(duration) < 400 ms", "inconclusive", id="open"
        ),
        pytest.param(documents.bare(), "a memory size is found", "inconclusive", id="no size"),
        pytest.param(NOTHING_OK, "a request is ok", "failed", id="nothing was ok"),
    ],
)
def test_a_gate_is_passed_failed_inconclusive_or_invalid(document, text, status):
    assert gates(document)[text].status == status


def test_why_a_run_is_invalid_is_said_once():
    message = gates(load_documents.invalid())["the measurement is valid"].message
    assert message.startswith("invalid: start lag p99 is 41.2 ms")
    assert message.count("start lag") == 1


def with_blocks(*medians_ms: float):
    """A run whose p95 of ok requests is limited, with a block of time for each median."""
    limit = load_documents.threshold("p95(ok_response) < 50ms", 60.0, 50.0, ok=False)
    blocks = [
        LatencyBlock(
            from_s=at,
            to_s=at + 1,
            completed=200,
            ok=200,
            throttled=0,
            failed=0,
            ok_response=encoded(of_ms([median + request * 0.2 for request in range(-100, 100)])),
        )
        for at, median in enumerate(medians_ms)
    ]
    whole = RunHistograms(response=None, service=None, ok_response=None, blocks=blocks)
    return LOAD.model_copy(update={"thresholds": [limit], "histograms": whole})


def test_a_percentile_of_ok_requests_has_the_interval_of_its_blocks():
    message = gates(with_blocks(50, 51, 50, 51, 50, 51, 50, 51))["p95(ok_response) < 50 ms"].message
    found = re.search(r"95 % interval ([\d.]+) to ([\d.]+) ms, n = ", message)
    assert found is not None, message
    assert 60 < float(found[1]) < float(found[2]) < 75


def test_where_blocks_allow_no_interval_that_is_said():
    message = gates(with_blocks(50, 500))["p95(ok_response) < 50 ms"].message
    assert "no interval: blocks of time are too few or differ too much" in message


# -- JUnit ----------------------------------------------------------------------------------------


def parsed(*runs) -> ElementTree.Element:
    text = junit_text([gates_of(run) for run in runs])
    return ElementTree.fromstring(text)  # noqa: S314 - our own file


def test_the_file_has_the_form_that_the_common_schema_asks_for():
    assert_junit_form(parsed(*documents.all_documents(), *load_documents.all_documents()))


def test_names_say_the_run_the_scope_and_the_gate():
    [suite] = parsed(LOAD)
    case = next(case for case in suite.iter("testcase") if case.find("failure") is not None)
    assert suite.attrib["name"] == "load orders-nightly"
    assert case.attrib["classname"] == "load orders-nightly.step GET /search"
    assert case.attrib["name"] == "p99(response) < 200 ms"


def test_the_figures_of_gates_that_passed_are_told_as_well():
    [suite] = parsed(LOAD)
    told = suite.findtext("system-out").splitlines()
    assert told[0] == "passed: the measurement is valid (validity)"
    assert "passed: count(timeout) < 1 (the run): measured 0, limit 1" in told


def test_provenance_stands_in_properties():
    [suite] = parsed(LOAD)
    found = {p.attrib["name"]: p.attrib["value"] for p in suite.iter("property")}
    run = LOAD.provenance
    assert found["run_id"] == run.run_id
    assert found["profile_sha256"] == run.profile_sha256
    assert found["exit_code"] == "3"


def test_what_xml_cannot_hold_is_left_out_and_markup_stays_text():
    hostile = load_documents.hostile()
    changed = hostile.thresholds[0].model_copy(update={"that": "a\x00\x08\ud800<b>\ufffe&]]>"})
    [suite] = parsed(hostile.model_copy(update={"thresholds": [changed]}))
    names = [case.attrib["name"] for case in suite.iter("testcase")]
    assert "a<b>&]]>" in names


def test_functions_without_a_tuning_are_a_suite_of_their_own():
    from tests.reports.test_several_page import not_tuned, several

    [suite] = unmeasured_gates(several(not_tuned("a", "error", "no permission")))
    assert [(gate.scope, gate.status, gate.message) for gate in suite.gates] == [
        ("a", "invalid", "no permission"),
        ("steps", "inconclusive", "it is a durable function"),
    ]


# -- tables ---------------------------------------------------------------------------------------


def test_the_long_table_has_the_same_columns_for_runs_of_all_kinds():
    frame = long_frame(RUNS)
    assert tuple(frame.columns) == LONG_COLUMNS
    assert set(frame["kind"]) == {"tune", "load"}
    assert (
        not frame[frame["metric"] != "text"]
        .duplicated(["run_id", "run", "part", "item", "metric", "value", "text"])
        .any()
    )


def test_a_figure_of_the_long_table_is_that_of_the_document():
    frame = long_frame([LOAD])
    rows = frame[(frame["item"] == "GET /search") & (frame["metric"] == "response_p99_ms")]
    step = next(step for step in LOAD.steps if step.name == "GET /search")
    assert step.response_ms is not None
    assert rows["value"].tolist() == [step.response_ms.p99]


def test_what_was_not_measured_has_no_row():
    frame = long_frame([load_documents.nothing_at_all()])
    assert not frame["metric"].str.startswith("response_").any()
    assert frame[frame["metric"] == "verdict"]["text"].notna().all()


@pytest.mark.parametrize("document", [TUNING, LOAD], ids=["tuning", "load run"])
def test_parquet_and_csv_have_the_same_table(document, tmp_path):
    pytest.importorskip("pyarrow")
    parquet = pd.read_parquet(export_document(document, f"parquet={tmp_path / 'run.parquet'}"))
    wide = frame_of(document)
    assert list(parquet.columns) == list(wide.columns)
    assert len(parquet) == len(wide)
    assert parquet["n" if document is TUNING else "sent"].tolist() == (
        wide["n" if document is TUNING else "sent"].tolist()
    )


def test_without_pyarrow_parquet_is_refused_before_a_run_begins(monkeypatch, tmp_path):
    monkeypatch.setattr("reports.parquet.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs pyarrow, .* \(pip install pyarrow\)"):
        check_exports([f"parquet={tmp_path / 'x.parquet'}"])


# -- summary --------------------------------------------------------------------------------------


def test_the_summary_of_several_runs_begins_with_the_verdict_and_a_table_of_them():
    lines = render_runs_markdown(RUNS).splitlines()
    assert lines[0] == "# 3 runs"
    assert lines[2].startswith("**Invalid measurement.** ")
    table = [line for line in lines[:12] if line.startswith("| ")]
    assert [line.split(" | ")[1] for line in table] == ["Kind", "tuning", "tuning", "load run"]
    headings = [line for line in lines if line.startswith("## ")]
    assert headings == [
        "## Memory tuning of everything",
        "## Memory tuning of orders-stream",
        "## Load run orders-nightly",
    ]


def test_the_summary_of_one_run_is_its_own():
    assert render_runs_markdown([LOAD]).startswith("## Load run ")


def test_a_summary_stays_below_a_mebibyte_and_says_what_is_left_out(monkeypatch):
    text = render_runs_markdown(RUNS)
    monkeypatch.setattr(runs_markdown, "MOST_BYTES", len(text.encode()) - 500)
    short = render_runs_markdown(RUNS)
    assert len(short.encode()) < runs_markdown.MOST_BYTES
    assert short.endswith(
        "1 run is not told here: the summary would be over 1 MiB. The page has all of them.\n"
    )


def test_json_has_all_documents_in_the_order_in_which_they_were_given(tmp_path):
    found = json.loads(export_runs(RUNS, f"json={tmp_path / 'runs.json'}").read_text())
    assert [run["kind"] for run in found["runs"]] == ["load", "tune", "tune"]


@pytest.mark.parametrize("kind", ["md", "junit", "csv", "json", "html"])
def test_the_same_runs_give_the_same_bytes(kind, tmp_path):
    first = export_runs(RUNS, f"{kind}={tmp_path / 'a'}").read_bytes()
    assert export_runs(RUNS, f"{kind}={tmp_path / 'b'}").read_bytes() == first


def test_the_file_of_a_kind_is_named_in_the_message():
    with pytest.raises(InputError, match=r"as in junit=report\.xml"):
        parse_export("junit=")


def test_two_one_sided_bounds_are_not_told_as_one_interval_of_95_percent():
    gate = next(g for g in gates_of(adaptive_documents.slo_met()).gates if "p95" in g.text)
    assert gate.message.count("with 95 %") == gate.message.count("at ")


def test_page_and_gate_have_the_same_interval_and_say_where_the_limit_lies_in_it():
    document = with_blocks(50, 51, 50, 51, 50, 51, 50, 51)
    gate = gates(document)["p95(ok_response) < 50 ms"]
    interval = re.search(r"interval ([\d.]+ to [\d.]+)", gate.message)[1]
    told = thresholds_table(document).rows[0].cells[-1].replace("\N{NO-BREAK SPACE}", " ")
    assert told.endswith(f"95 % interval {interval} ms")
    low, high = (float(end) for end in interval.split(" to "))
    near = document.thresholds[0].model_copy(update={"limit": (low + high) / 2})
    within = document.model_copy(update={"thresholds": [near]})
    assert thresholds_table(within).rows[0].cells[-1].endswith(", and the limit lies in it")
