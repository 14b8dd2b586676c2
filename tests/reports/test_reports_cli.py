"""`reports` as a user meets it: paths on stdout, talk on stderr, one line for bad input."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from reports import cli
from reports.run_folder import write_document
from tests.reports import documents, load_documents

HEAVY = ("jinja2", "pandas", "pydantic", "scipy", "numpy", "boto3", "botocore", "rich")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs `reports ARGUMENTS` in a directory with three runs; gives code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    shown = {
        "one": documents.cpu_bound(),
        "two": documents.inconclusive(),
        "load": load_documents.failed(),
    }
    for name, document in shown.items():
        (tmp_path / name).mkdir()
        write_document(tmp_path / name, document)

    def go(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["reports", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return go


def test_a_page_is_built_and_its_path_printed(run, tmp_path):
    code, out, err = run("build", "one", "two/result.json", "-o", "page.html")
    assert (code, out, err) == (0, "page.html\n", "")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "checkout-api" in text
    assert "report-nightly" in text


def test_tunings_and_load_runs_go_on_one_page(run, tmp_path):
    code, out, err = run("build", "load", "one", "two", "-o", "page.html")
    assert (code, out, err) == (0, "page.html\n", "")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>2 tunings and 1 load run</title>" in text


def test_a_run_that_is_given_twice_is_on_the_page_once(run, tmp_path):
    code, out, err = run("build", "load", "./load", "one", "load/result.json", "-o", "page.html")
    twice = "warning: load/result.json: given twice; it is on the page once\n"
    assert (code, out) == (0, "page.html\n")
    assert err.endswith(twice)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>1 tuning and 1 load run</title>" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["build", "one", "-o", "one/result.json"], "that of the run one", id="page"),
        pytest.param(
            ["build", "one", "--export", "md=two/../one/result.json"], "the run one", id="export"
        ),
        pytest.param(
            ["compare", "load", "again", "--export", "md=again/result.json"],
            "the run again",
            id="compare",
        ),
        pytest.param(["build", "one", "-o", "/dev/stdout", "--json"], "--json is on", id="--json"),
        pytest.param(["build", "one", "-o", "-"], 'must be a file (got "-")', id="a dash"),
        pytest.param(["build", "one", "-o", "a" * 300], "could not be written: File", id="long"),
        pytest.param(["build", "a" * 300], ": File name too long", id="long run"),
    ],
)
def test_what_is_read_or_takes_another_document_is_not_written_to(arguments, said, tmp_path, run):
    document = load_documents.failed()
    provenance = document.provenance.model_copy(update={"run_id": "another"})
    (tmp_path / "again").mkdir()
    write_document(tmp_path / "again", document.model_copy(update={"provenance": provenance}))
    before = (tmp_path / "one/result.json").read_bytes()
    code, out, err = run(*arguments)
    assert code == 2
    assert said in (json.loads(out)["errors"][0] if "--json" in arguments else err)
    assert (tmp_path / "one/result.json").read_bytes() == before


def test_an_export_to_stdout_follows_what_is_there(run, tmp_path):
    start = "from reports.cli import main; main()"
    command = [sys.executable, "-c", start, "build", "one", "--export", "md=/dev/stdout"]
    (tmp_path / "summary.md").write_text("first\n")
    with (tmp_path / "summary.md").open("a") as summary:
        subprocess.run(command, stdout=summary, check=True)
    lines = (tmp_path / "summary.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "first"
    assert lines[1].startswith("## Memory tuning")
    assert lines[-1] == "report.html"


def test_json_is_one_document(run, tmp_path):
    code, out, _ = run("build", "one", "--json")
    assert code == 0
    assert json.loads(out) == {
        "schema_version": 1,
        "verdict": "pass",
        "exit_code": 0,
        "errors": [],
        "path": "report.html",
    }
    assert (tmp_path / "report.html").is_file()


def test_verbose_tells_what_is_read_and_quiet_only_the_path(run):
    _, _, err = run("build", "one", "-v")
    assert "reading one" in err
    assert run("build", "one", "-q") == (0, "report.html\n", "")


@pytest.mark.parametrize("more", [[], ["-q"], ["--json"]], ids=["", "quiet", "json"])
def test_of_several_runs_one_without_a_result_is_skipped_with_a_warning(run, tmp_path, more):
    (tmp_path / "broken-off").mkdir()
    code, out, err = run("build", "load", "broken-off", "one", *more)
    assert (code, err) == (0, "warning: skipped broken-off: no result.json in it\n")
    assert "report.html" in out
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<title>1 tuning and 1 load run</title>" in text


def test_where_no_run_has_a_result_there_is_no_page(run, tmp_path):
    (tmp_path / "broken-off").mkdir()
    (tmp_path / "too").mkdir()
    code, out, err = run("build", "broken-off", "too")
    assert (code, out) == (2, "")
    assert err.startswith("error: could not read a run: no result.json in broken-off")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "one", "nothing"], "no such file: nothing"),
        (["build", "nothing"], "no such file: nothing"),
        (["build", "."], "no result.json in ."),
        (["build", "one", "-o", "missing/page.html"], "the directory must exist"),
        (["build", "one", "-o", "two"], "must be a file"),
        (["build", "one", "--oops"], "--oops"),
        (["build"], "RUN"),
        (["bild", "one"], "bild"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_exit_code_2(run, arguments, said, tmp_path):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.parametrize("arguments", [["build", "nothing", "--json"], ["build", "--json"]])
def test_bad_input_with_json_is_a_document_too(run, arguments):
    code, out, _ = run(*arguments)
    answer = json.loads(out)
    assert (code, answer["exit_code"], answer["verdict"]) == (2, 2, "error")
    assert answer["errors"]


def help_of(*arguments: str) -> tuple[str, set[str]]:
    """What `--help` prints in a fresh interpreter, and which heavy modules it imported."""
    code = (
        "import sys\nfrom reports.cli import main\n"
        f"sys.argv = ['reports', *{arguments!r}, '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n"
        f"    print(end.code, *[m for m in {HEAVY!r} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *lines, last = ran.stdout.splitlines()
    code, *imported = last.split()
    assert code == "0"
    return "\n".join(lines), set(imported)


def test_help_names_the_commands_and_imports_nothing_heavy():
    text, imported = help_of()
    assert "build" in text
    assert imported == set()


def test_help_of_a_command_has_examples_and_imports_nothing_of_ours():
    text, imported = help_of("build")
    assert "reports build runs/*-tune-* runs/*-load-* -o report.html" in text
    # typer itself reads the options of a group with pydantic before it reaches a command.
    assert imported <= {"pydantic"}


# -- charts ---------------------------------------------------------------------------------------


def test_charts_are_listed_with_what_they_show(run):
    code, out, err = run("chart", "one")
    assert (code, err) == (0, "")
    assert "cost: Cost per million invocations\n  " in out


def test_a_chart_is_drawn_in_the_terminal(run):
    code, out, err = run("chart", "load", "rate")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "requests/s\n" in out


def test_a_chart_is_written_as_svg_and_its_path_printed(run, tmp_path):
    assert run("chart", "one", "cost", "-o", "cost.svg", "--dark") == (0, "cost.svg\n", "")
    assert (tmp_path / "cost.svg").read_text(encoding="utf-8").startswith("<svg xmlns=")


def test_with_json_a_chart_is_its_data(run):
    _, out, _ = run("chart", "load", "rate", "--json")
    chart = json.loads(out)["chart"]
    assert chart["columns"][1] == "ok, requests/s"
    assert chart["rows"][0]["x"] == 0
    _, out, _ = run("chart", "load", "--json")
    assert "rate" in [found["name"] for found in json.loads(out)["charts"]]


def test_build_draws_and_exports_and_prints_each_path(run, tmp_path):
    code, out, err = run("build", "one", "load", "--chart", "--export", "md=a.md", "-o", "p.html")
    assert (code, err) == (0, "")
    assert out.endswith("\np.html\na.md\n")
    assert "Cost per million invocations" in out
    assert (tmp_path / "a.md").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chart", "nothing"], "no such file: nothing"),
        (["chart", "one", "costs"], "did you mean cost?"),
        (["chart", "one", "cost", "-o", "c.gif"], "must end in .svg or .png"),
        (["chart", "one", "cost", "-o", "c"], "must end in .svg or .png"),
        (["chart", "one", "-o", "c.svg"], "needs the NAME of a chart"),
        (["chart", "one", "cost", "-o", "missing/c.svg"], "the directory must exist"),
        (["chart", "one", "cost", "--dark"], "--dark: needs a picture"),
        (["chart", "one", "cost", "--width", "300"], "--width: needs a picture"),
        (["chart", "one", "cost", "-o", "c.svg", "--width", "3"], "expected 200 to 10000"),
        (["chart", "one", "cost", "-o", "c.svg", "--width", "x"], "expected a whole number"),
        (["build", "one", "--export", "pdf=x"], "must be one of html=PATH"),
        (["build", "one", "--export", "md="], "needs a path"),
        (["build", "one", "--export", "html=report.html"], "must have a path of its own"),
        (["build", "one", "--export", "md=a", "--export", "csv=a"], "must have a path of its own"),
        (["build", "nothing", "--export", "md=no/a.md"], "the directory must exist"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_line_before_anything_is_written(run, arguments, said, tmp_path):
    before = set(tmp_path.rglob("*"))
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert said in err
    assert set(tmp_path.rglob("*")) == before
