"""`reports compare` as a user meets it: one door for all kinds, one line for bad input."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports import cli, comparing
from reports.comparing import CompareOptions
from reports.run_folder import write_document
from tests.reports import documents
from tests.reports.compared_loads import Told, Truth, run_of
from tests.reports.pages import Page, svgs
from tests.reports.test_limits_page import probe

PLAIN = Told(n=150)
HOSTILE = "GET /</script><b>|`*"


def store(name: str, document) -> str:
    Path(name).mkdir()
    write_document(Path(name), document)
    return name


@pytest.fixture
def reports(tmp_path, monkeypatch, capsys):
    """Runs `reports compare ARGUMENTS` in an empty directory; gives code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def go(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["reports", "compare", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return go


@pytest.fixture
def loads(reports):
    """Folders of a run and of one that is slower and refuses more at one of two steps."""
    steps = (PLAIN, Told(HOSTILE, 120, n=150, throttled=5))
    slower = replace(steps[1], median_ms=180, throttled=40)
    return (
        store("before", run_of(Truth(1, steps))),
        store("after", run_of(Truth(2, (steps[0], slower)))),
    )


def test_a_regression_is_told_within_80_columns_and_ends_with_3(reports, loads):
    code, out, err = reports(*loads)

    assert (code, err) == (3, "")
    assert "Regressed: In the newer run," in out
    assert "! slower" in out
    assert "One run against one run does not know" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_json_is_one_document_and_the_rest_is_talk(reports, loads):
    code, out, err = reports(*loads, "--json")
    document = json.loads(out)

    assert (code, document["kind"], document["schema_version"]) == (3, "load-compare", 1)
    assert (document["verdict"], document["exit_code"], document["errors"]) == ("regressed", 3, [])
    assert "Regressed" in err


def test_a_comparison_is_written_as_page_table_summary_and_gates(reports, loads):
    kinds = ("html", "md", "csv", "junit", "json")
    code, _, err = reports(*loads, *(f"--export={kind}=out.{kind}" for kind in kinds))

    assert code == 3
    assert [line for line in err.splitlines() if line] == [f"written: out.{k}" for k in kinds]
    assert Path("out.md").read_text().count("\n### ") == 2
    rows = list(csv.DictReader(Path("out.csv").read_text().splitlines()))
    assert [row["verdict"] for row in rows if row["p_holm"] and float(row["p_holm"]) < 0.05]
    root = ElementTree.parse("out.junit").getroot()  # noqa: S314 - our own file
    failures = root.findall(".//failure")
    assert failures
    assert all(f.get("message") for f in failures)
    assert json.loads(Path("out.json").read_text())["kind"] == "load-compare"


def test_the_page_says_verdict_and_validity_first_and_draws_both_runs(reports, loads):
    reports(*loads, "--export=html=out.html")
    html = Path("out.html").read_text(encoding="utf-8")
    page = Page(html)
    words = page.words()

    assert words.index("Regressed") < words.index("Valid:") < words.index("Ok p50")
    assert "<b>" not in html
    assert HOSTILE in page.text
    drawn = svgs(html)
    assert len(drawn) == 6  # two charts, three widths
    titles = {element.findtext("title") for element in drawn}
    assert titles == {"Latency by percentile, both runs", "p95 by block of time"}
    assert page.rows.count(["Step", "Ok, baseline", "Ok, newer", "p50", "p95", "p99",
                            "Throttled", "Failed", "Admitted"]) == 1  # fmt: skip


def test_the_same_runs_give_the_same_page(reports, loads):
    for name in ("one", "two"):
        reports(*loads, f"--export=html={name}.html")

    assert Path("one.html").read_bytes() == Path("two.html").read_bytes()


def test_unlike_runs_are_not_compared_unless_forced(reports, loads):
    other = run_of(Truth(3, (PLAIN,)))
    unlike = other.provenance.model_copy(update={"profile_sha256": "f" * 64})
    store("unlike", other.model_copy(update={"provenance": unlike}))

    code, out, _ = reports("before", "unlike", "--export=html=out.html", "--export=md=out.md")
    forced, told, _ = reports("before", "unlike", "--force")

    assert (code, forced) == (4, 4)
    assert "Not comparable: Profile: one-second, 5d41402abc4b" in " ".join(out.split())
    assert "Not comparable" not in told
    assert "Not comparable" in Page(Path("out.html").read_text()).words()


def test_an_invalid_run_ends_with_5(reports, loads):
    invalid = run_of(Truth(3, (PLAIN,)))
    broken = invalid.validity.model_copy(update={"verdict": "invalid", "reasons": ["too late"]})
    store("invalid", invalid.model_copy(update={"validity": broken}))

    code, out, _ = reports("before", "invalid")

    assert code == 5
    told = " ".join(out.split())
    assert "Invalid: the newer run: too late." in told
    assert "The newer run is not valid: no figure below can be relied on." in told
    assert "slower (95" not in told


def test_two_probes_are_compared_by_their_intervals(reports):
    first = probe()
    rate = first.finding.rate_rps
    assert rate is not None
    moved = rate.model_copy(update={"value": 160.0, "low": 158.0, "high": 162.0})
    second = first.model_copy(
        update={
            "finding": first.finding.model_copy(update={"rate_rps": moved}),
            "provenance": first.provenance.model_copy(update={"run_id": "later"}),
        }
    )
    again = first.model_copy(
        update={"provenance": first.provenance.model_copy(update={"run_id": "again"})}
    )
    for name, document in (("one", first), ("two", second), ("same", again)):
        store(name, document)

    code, out, _ = reports("one", "two", "--export=html=out.html", "--export=md=out.md")
    equal, answer, _ = reports("one", "same", "--json")

    assert code == 3
    assert "! they do not overlap" in " ".join(out.split())
    assert "do not overlap" in Page(Path("out.html").read_text()).words()
    assert equal == 0
    assert json.loads(answer)["kind"] == "limits-compare"


def test_tunings_are_compared_by_the_command_of_the_tuner(reports, monkeypatch):
    store("one", documents.cpu_bound())
    other = documents.cpu_bound()
    later = other.provenance.model_copy(update={"run_id": "later"})
    store("two", other.model_copy(update={"provenance": later}))
    ran = []

    class Done:
        returncode = 4

    def run(command, *, check):
        ran.append(command)
        return Done

    monkeypatch.setattr(comparing.subprocess, "run", run)

    code, _, _ = reports("one", "two", "--json", "-v", "--tolerance", "5%", "--export", "md=x.md")

    assert code == 4
    assert ran[0][:5] == [sys.executable, "-P", "-m", "tuner", "compare"]
    assert ran[0][5:] == [
        "--tolerance=5%", "--export=md=x.md", "--json", "--verbose", "--", "one", "two",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["before", "missing"], "no such file: missing", id="missing"),
        pytest.param(["before", "."], "no result.json in .", id="empty folder"),
        pytest.param(["before", "before"], "both are the run run-1", id="one run twice"),
        pytest.param(["before", "tuning"], "give two runs of one kind", id="mixed kinds"),
        pytest.param(["before", "damaged"], "steps[0].blocks[0].ok_response", id="histogram"),
        pytest.param(["before", "after", "--tolerance", "5%"], "only two tunings", id="tolerance"),
        pytest.param(["before", "after", "--export", "pdf=x"], "must be one of html", id="export"),
        pytest.param(["before"], "Missing argument 'B'", id="one run"),
        pytest.param(["tuning", "tuning2", "--force"], "--force: two tunings", id="force"),
    ],
)
def test_bad_input_is_one_line_and_ends_with_2(reports, loads, arguments, said):
    store("tuning", documents.cpu_bound())
    again = documents.cpu_bound()
    later = again.provenance.model_copy(update={"run_id": "later"})
    store("tuning2", again.model_copy(update={"provenance": later}))
    text = Path("after/result.json").read_text()
    damaged = json.loads(text)
    damaged["steps"][0]["blocks"][0]["ok_response"] = "QUJD"
    Path("damaged").mkdir()
    Path("damaged/result.json").write_text(json.dumps(damaged))

    code, out, err = reports(*arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


def test_options_are_values(reports):
    assert CompareOptions(Path("a"), Path("b")).exports == ()
