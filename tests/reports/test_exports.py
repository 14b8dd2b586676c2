"""Exports: checked before a run, written in one step, readable by what they are made for."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from core.errors import InputError
from reports.exports import check_exports, export_document, parse_export
from reports.page import render_page
from reports.run_folder import read_document
from tests.reports import adaptive_documents, documents, load_documents


def test_json_and_html_are_the_document_and_its_page(tmp_path):
    document = documents.cpu_bound()
    path = export_document(document, f"json={tmp_path / 'run.json'}")
    assert read_document(path) == document
    page = export_document(document, f"html={tmp_path / 'run.html'}")
    assert page.read_text(encoding="utf-8") == render_page([document])


@pytest.mark.parametrize("document", documents.all_documents(), ids=lambda d: d.function.name)
def test_csv_has_a_row_a_size_with_empty_cells_for_what_is_absent(document, tmp_path):
    path = export_document(document, f"csv={tmp_path / 'run.csv'}")
    frame = pd.read_csv(path, dtype={"max_memory_used_mb": "Int64"})
    ordered = sorted(document.sizes, key=lambda size: size.memory_mb)
    assert list(frame["memory_mb"]) == [size.memory_mb for size in ordered]
    costs = [size.cost_usd_per_million for size in ordered]
    assert [None if pd.isna(cost) else cost for cost in frame["cost_usd_per_million"]] == costs
    assert b"\r" not in path.read_bytes()


def test_csv_counts_stay_whole_numbers(tmp_path):
    path = export_document(documents.with_failures(), f"csv={tmp_path / 'run.csv'}")
    frame = pd.read_csv(io.StringIO(path.read_text()), dtype=str)
    assert list(frame["max_memory_used_mb"]) == ["256", "512", "74", "74", "74"]
    assert frame["remark"][1] == "current, failed: timeout after 30 s"


def test_markdown_has_the_verdict_and_a_table_of_equal_rows(tmp_path):
    text = export_document(documents.waiting(), f"md={tmp_path / 'run.md'}").read_text()
    assert "**Recommendation.** Set 128 MB instead of 512 MB" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 5
    assert {row.count("|") for row in rows} == {12}
    assert "recommended" in rows[2]


def test_markdown_shows_hostile_texts_as_text(tmp_path):
    text = export_document(documents.hostile(), f"md={tmp_path / 'run.md'}").read_text()
    assert "<b" not in text.replace("\\<b", "")
    assert "</script>" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.replace("\\|", "").count("|") for row in rows} == {12}


def csv_of(document, tmp_path):
    return pd.read_csv(export_document(document, f"csv={tmp_path / 'run.csv'}"))


def test_csv_has_the_month_the_mix_and_the_limit_beside_their_size(tmp_path):
    document = adaptive_documents.whole()
    frame = csv_of(document, tmp_path)
    row = frame[(frame["part"] == "size") & (frame["memory_mb"] == 1408)].iloc[0]
    assert (row["slo_verdict"], row["slo_upper_ms"], row["slo_n"]) == ("met", 299.9, 61)
    bill = next(size for size in document.monthly.sizes if size.memory_mb == 1408)
    assert (row["month_usd"], row["month_saving_usd"]) == (bill.usd, bill.saving_usd)
    mix = next(size for size in document.cold.sizes if size.memory_mb == 1408)
    assert (row["mix_mean_ms"], row["mix_cost_low_usd_per_million"]) == (
        mix.mean_ms,
        mix.cost_interval[0],
    )


def test_csv_says_what_each_row_is_about(tmp_path):
    document = adaptive_documents.whole()
    frame = csv_of(document, tmp_path)
    counts = frame["part"].value_counts().to_dict()
    candidates = len(adaptive_documents.CANDIDATES) - len(document.sizes)
    assert counts == {"size": 4, "candidate": candidates, "arch": 8, "always_on": 3}
    machines = frame[frame["part"] == "always_on"]
    assert list(machines["machine"]) == ["EC2 t4g.small", "EC2 c7g.medium", "Fargate 1 vCPU"]
    assert set(frame[frame["part"] == "arch"]["arch"]) == {"x86_64", "arm64"}
    now = frame[(frame["part"] == "candidate") & (frame["memory_mb"] == 1536)].iloc[0]
    assert (now["n"], now["remark"]) == (0, "current, estimated")


def test_csv_of_a_fixed_plan_has_no_row_for_a_size_that_was_not_invoked(tmp_path):
    assert set(csv_of(documents.cpu_bound(), tmp_path)["part"]) == {"size"}


def test_csv_of_tunings_fit_together(tmp_path):
    headers = {
        export_document(document, f"csv={tmp_path / 'run.csv'}").read_text().splitlines()[0]
        for document in [*documents.all_documents(), *adaptive_documents.all_adaptive()]
    }
    assert len(headers) == 1


def test_markdown_has_the_tables_that_were_asked_for(tmp_path):
    text = export_document(adaptive_documents.whole(), f"md={tmp_path / 'run.md'}").read_text()
    titles = [line for line in text.splitlines() if line.startswith("###")]
    assert titles == [
        "### p95 against the limit",
        "### With cold starts",
        "### x86\\_64 and arm64",
        "### A month of 12,000,000 requests",
        "### When not to use Lambda",
    ]
    assert "- The free tier is not subtracted" in text
    assert "| EC2 t4g.small | 2 | 2 | 2 | 24.53 | 4,120,000 | cheaper |" in text


def test_markdown_names_ties_as_ranges(tmp_path):
    text = export_document(adaptive_documents.many_tied(), f"md={tmp_path / 'run.md'}").read_text()
    assert "- Sizes from 256 to 1,664 MB cannot be told apart in cost by these data." in text


def test_json_has_every_new_part(tmp_path):
    document = adaptive_documents.whole()
    path = export_document(document, f"json={tmp_path / 'run.json'}")
    assert read_document(path) == document


def test_markdown_shows_hostile_texts_of_the_new_parts_as_text(tmp_path):
    document = adaptive_documents.hostile_parts()
    text = export_document(document, f"md={tmp_path / 'run.md'}").read_text()
    assert "<b" not in text.replace("\\<b", "")
    assert "</script>" not in text


@pytest.mark.parametrize("document", load_documents.all_documents(), ids=lambda d: d.name)
def test_csv_of_a_load_run_has_rows_for_the_run_its_steps_and_its_phases(document, tmp_path):
    path = export_document(document, f"csv={tmp_path / 'run.csv'}")
    frame = pd.read_csv(path)
    parts = ["run"] + ["step"] * len(document.steps) + ["phase"] * len(document.phases)
    assert list(frame["part"]) == parts
    slices = [document, *document.steps, *document.phases]
    assert list(frame["completed"]) == [part.requests.completed for part in slices]
    p95 = [part.response_ms.p95 if part.response_ms else None for part in slices]
    assert [None if pd.isna(value) else value for value in frame["response_p95_ms"]] == p95
    causes = [name for name in frame.columns if name.startswith("throttled_by_")]
    assert list(frame[causes].sum(axis=1)) == list(frame["throttled"])


def test_csv_of_load_runs_fit_together(tmp_path):
    headers = {
        export_document(document, f"csv={tmp_path / 'run.csv'}").read_text().splitlines()[0]
        for document in load_documents.all_documents()
    }
    assert len(headers) == 1


def test_json_and_html_of_a_load_run_are_the_document_and_its_page(tmp_path):
    document = load_documents.failed()
    path = export_document(document, f"json={tmp_path / 'run.json'}")
    assert read_document(path) == document
    page = export_document(document, f"html={tmp_path / 'run.html'}")
    assert page.read_text(encoding="utf-8") == render_page([document])


def test_markdown_of_a_load_run_has_verdict_thresholds_causes_and_steps(tmp_path):
    text = export_document(load_documents.failed(), f"md={tmp_path / 'run.md'}").read_text()
    assert text.startswith("## Load run orders-nightly\n\n**Threshold failed.** 2 of 4 thresholds")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert sum(row.startswith("|---") for row in rows) == 5
    assert "| count\\(timeout\\) \\< 1 | the run | 0 | 1 | ✓ holds |" in rows
    assert any("The stage's throttle" in row and "80/s, burst 40" in row for row in rows)


def test_markdown_of_a_load_run_has_status_codes_and_the_reasons_of_failed_checks(tmp_path):
    text = export_document(load_documents.wrong_answers(), f"md={tmp_path / 'run.md'}").read_text()
    assert "| 200 | 1,394 | 78 % |\n| 429 | 341 | 19 % |" in text
    assert "| GET /products | checks.json.\\$\\[0\\].name: expected Lamp, got Chair | 18 |" in text


def test_markdown_of_a_load_run_is_short_however_many_steps_there_are(tmp_path):
    document = load_documents.one_second()
    steps = document.steps * 300
    many = document.model_copy(update={"steps": steps})
    text = export_document(many, f"md={tmp_path / 'run.md'}").read_text()
    assert "<details><summary>200 more rows</summary>\n\n| " in text
    assert "80 more rows are in the document." in text
    assert len(text) < 25_000


def test_markdown_of_a_load_run_shows_hostile_texts_as_text(tmp_path):
    text = export_document(load_documents.hostile(), f"md={tmp_path / 'run.md'}").read_text()
    assert "<b" not in text.replace("\\<b", "")
    assert "</script>" not in text
    assert "<script>" not in text


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("pdf=x", "must be one of html=PATH, json=PATH, csv=PATH, md=PATH"),
        ("html", "must be one of"),
        ("=x", "must be one of"),
        ("", "must be one of"),
        ("csv=", "needs a path"),
        ("md=missing/summary.md", 'the directory must exist (got "missing")'),
        ("json=folder", 'must be a file (got the directory "folder")'),
    ],
)
def test_a_wrong_spec_is_refused_early_and_named(spec, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(InputError) as caught:
        parse_export(spec)
    assert str(caught.value).startswith(f"--export {spec}: ")
    assert said in str(caught.value)
    with pytest.raises(InputError):
        export_document(documents.bare(), spec)
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


def test_two_exports_to_one_file_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_exports(["html=a.html", "md=a.md"])
    with pytest.raises(InputError, match=r"md=\./a\.html: .*got that of --export html=a\.html"):
        check_exports(["html=a.html", "md=./a.html"])


def test_a_path_may_hold_an_equals_sign(tmp_path):
    assert parse_export(f"md={tmp_path}/a=b.md").path.name == "a=b.md"


def test_an_old_file_is_replaced_through_its_link(tmp_path):
    real = tmp_path / "real.md"
    real.write_text("old")
    link = tmp_path / "link.md"
    link.symlink_to(real)
    export_document(documents.bare(), f"md={link}")
    assert link.is_symlink()
    assert real.read_text().startswith("## Memory tuning of bare")


def test_a_pipe_is_written_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        export_document(documents.bare(), f"md={pipe}")
        assert os.read(reader, 100).startswith(b"## Memory tuning of bare")
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_checking_a_spec_imports_nothing_heavy():
    code = (
        "import sys; from reports.exports import parse_export; import reports.run_folder;"
        "parse_export('html=x.html');"
        "print([m for m in ('jinja2', 'pandas', 'pydantic', 'numpy') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
