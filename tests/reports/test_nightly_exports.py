"""The files of a night, its Markdown, its answer on the terminal, and `reports` commands on it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from core.errors import InputErrors
from reports import cli, nightly_exports
from reports.nightly.document import NightlyDocument
from reports.nightly.plan import LoadStep, NightlyPlan, Outputs
from reports.nightly_exports import write_night
from reports.nightly_page.markdown import night_markdown
from reports.nightly_view import night_lines
from reports.run_folder import read_document, write_document
from tests.reports import documents
from tests.reports.nightly_documents import State, hostile_night, night_document

STATES: list[State] = [
    "pass", "failed", "suspect", "inconclusive", "invalid", "interrupted", "empty", "first night",
]  # fmt: skip
IN_FOLDER = ["badge.json", "junit.xml", "report.html", "result.json", "summary.md"]


def few(state: State = "failed") -> NightlyDocument:
    return night_document(state, series=4, nights=14)


def plan(**outputs: str) -> NightlyPlan:
    steps = (LoadStep(name="orders", profile="orders.yaml"),)
    return NightlyPlan(name="shop", steps=steps, outputs=Outputs.model_validate(outputs))


@pytest.fixture
def night(tmp_path, monkeypatch) -> Path:
    """An empty folder for a night, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/20261127T020004Z-nightly-shop")
    folder.mkdir(parents=True)
    return folder


def test_a_night_has_its_files_in_its_folder(night):
    document = few()
    written = write_night(document, night, plan(), ())
    assert sorted(path.name for path in written) == IN_FOLDER
    assert sorted(path.name for path in night.iterdir()) == IN_FOLDER
    assert read_document(night) == document
    assert ElementTree.parse(night / "junit.xml").getroot().tag == "testsuites"  # noqa: S314
    assert json.loads((night / "badge.json").read_text())["schemaVersion"] == 1
    assert 'href="./steps/' in (night / "report.html").read_text()


def test_outputs_of_the_plan_stand_beside_it_and_exports_in_the_working_directory(night):
    asked = plan(html="public/index.html", json="public/night.json")
    written = write_night(few(), night, asked, ("md=summary.md", "badge=b.json"))
    assert [str(path) for path in written[5:]] == [
        "profiles/public/night.json", "profiles/public/index.html", "summary.md", "b.json",
    ]  # fmt: skip
    page = Path("profiles/public/index.html").read_text()
    assert 'href="./../../runs/20261127T020004Z-nightly-shop/steps/' in page


def test_a_file_that_cannot_be_written_costs_no_other(night):
    Path("taken").write_text("a file, no folder")
    with pytest.raises(InputErrors) as caught:
        write_night(few(), night, plan(), ("md=taken/summary.md", "html=a.html"))
    assert "could not write taken/summary.md" in str(caught.value)
    assert sorted(path.name for path in night.iterdir()) == IN_FOLDER
    assert Path("a.html").exists()


def test_a_page_that_cannot_be_made_costs_no_gate(night, monkeypatch):
    def broken(document: NightlyDocument, way: str | None) -> str:
        raise ZeroDivisionError("a fault of the page")

    monkeypatch.setattr(nightly_exports, "_html", broken)
    with pytest.raises(InputErrors, match=r"report.html: ZeroDivisionError: a fault of the page"):
        write_night(few(), night, plan(), ())
    assert (night / "junit.xml").exists()
    assert not (night / "report.html").exists()


def test_nothing_is_half_written_beside_the_files(night):
    write_night(few(), night, plan(), ())
    assert not list(night.glob(".*"))


@pytest.mark.parametrize("state", STATES)
def test_the_answer_fits_a_terminal_and_ends_with_what_to_do(state):
    document = few(state)
    lines = night_lines(document, 80)
    commands = [line for line in lines if line.startswith("  reports ")]
    assert all(len(line) <= 80 for line in lines if line not in commands)
    assert lines[0].startswith("shop, night of 2026-11-27: ")
    assert lines[0].endswith(f"exit code {document.exit_code}")
    if state != "pass":
        assert any(line.startswith("Next: ") for line in lines)


def test_the_answer_has_the_figures_of_what_failed():
    text = " ".join(" ".join(night_lines(night_document("failed"), 80)).split())
    assert "p95 rose by 8.5 % (4.3 to 13 %) to 121 ms since 2026-11-25." in text
    assert "! 112 ms before; it began 2 days ago; confirmed: 2 reruns;" in text
    assert "Next: Look at what changed between c4da5b2 and 6311d4d." in text
    assert "▇█" in text


def test_reasons_of_many_gates_are_told_once():
    lines = night_lines(night_document("first night"), 80)
    assert "  ~ 15 gates not judged: 0 nights of the same key, 10 are needed" in lines


def test_the_answer_cannot_command_the_terminal():
    base = few("invalid")
    gates = [gate.model_copy(update={"message": "\x1b[31mred\nline"}) for gate in base.gates]
    lines = night_lines(base.model_copy(update={"gates": gates, "headline": "\x07"}), 80)
    assert not any("\x1b" in line or "\x07" in line or "\n" in line for line in lines)


def test_a_summary_has_the_verdict_first_and_at_most_as_many_rows_as_asked():
    base = night_document("inconclusive", series=30, nights=5)
    text = night_markdown(base, most_rows=20)
    head, _, folded = text.partition("<details><summary>10 more gates</summary>")
    assert text.startswith("## shop, night of 2026-11-27\n\n**Inconclusive, still learning.**")
    assert head.count("| 4 of 10 nights |") == 20
    assert folded.count("| 4 of 10 nights |") == 10
    assert "<details><summary>4 gates passed</summary>" in folded


def test_a_summary_draws_trends_with_characters_alone():
    text = night_markdown(night_document("failed"))
    assert "▇█▆" in text
    assert not re.search(r"<svg|data:|<img", text)
    assert "\nreports history accept profiles/nightly.yaml orders-p95-000088 --reason WHY" in text


def test_names_that_are_markup_stay_text_in_a_summary():
    text = night_markdown(hostile_night())
    code = re.sub(r"^````*\n.*?^````*$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"(?<!\\)<(?!/?(details|summary)>)", code)
    # A row stays a row, whatever is in its cells.
    rows = [line for line in text.splitlines() if line.startswith("| failed")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {9}


@pytest.fixture
def reports(night, monkeypatch, capsys):
    """Runs `reports ARGUMENTS`; gives code, stdout and stderr."""
    write_document(night, few())

    def go(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["reports", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return go


def test_build_makes_the_page_of_a_night_with_its_runs_and_all_exports(reports, night):
    Path("tuning").mkdir()
    write_document(Path("tuning"), documents.cpu_bound())
    exports = [f"{kind}=out.{kind}" for kind in ("md", "json", "junit", "csv", "html")]
    options = [word for spec in exports for word in ("--export", spec)]
    code, out, err = reports("build", str(night), "tuning", "-o", "public.html", *options)
    assert (code, err) == (0, "")
    assert out.split() == ["public.html", "out.md", "out.json", "out.junit", "out.csv", "out.html"]
    page = Path("public.html").read_text()
    assert 'href="./runs/20261127T020004Z-nightly-shop/steps/' in page
    assert "Memory tunings" in page
    assert [run["kind"] for run in json.loads(Path("out.json").read_text())["runs"]] == [
        "nightly", "tune",
    ]  # fmt: skip
    assert "nightly shop / orders" in Path("out.junit").read_text()
    rows = Path("out.csv").read_text().splitlines()
    assert any(",nightly,shop, night" in row or ",nightly," in row for row in rows)
    assert Path("out.md").read_text().startswith("# 2 runs\n")


def test_one_night_is_exported_as_its_own_table_and_summary(reports, night):
    code, _, _ = reports("build", str(night), "--export", "csv=t.csv", "--export", "md=/dev/null")
    assert code == 0
    header, *rows = Path("t.csv").read_text().splitlines()
    assert header.startswith("run_id,kind,run,started_utc,part,item,metric,value,text")
    assert any(",trend,GET /search,value," in row for row in rows)


def test_a_night_is_no_run_to_compare(reports, night):
    code, out, err = reports("compare", str(night), str(night))
    assert (code, out) == (2, "")
    assert "it is a night, which is judged against all before it" in err
    assert "reports history show" in err


def test_a_trend_is_a_chart_by_its_name(reports, night):
    code, out, _ = reports("chart", str(night))
    assert code == 0
    assert "orders-get-search-p95: orders: GET /search, p95, ms" in out
    code, out, _ = reports("chart", str(night), "orders-get-search-p95")
    assert code == 0
    assert "25 Nov +11.8 %" in out
    assert "2026-11-27" in out
    code, _, _ = reports("chart", str(night), "orders-get-search-p95", "-o", "trend.svg")
    assert code == 0
    ElementTree.parse("trend.svg")  # noqa: S314


def test_a_damaged_night_is_one_line(reports, night):
    values = json.loads((night / "result.json").read_text())
    values["gates"][0]["status"] = "great"
    (night / "result.json").write_text(json.dumps(values))
    code, _, err = reports("build", str(night))
    assert code == 2
    assert err.count("\n") == 1
    assert "gates[0].status" in err
