"""Every word that a user meets has an entry, and entries say what is true of documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from core.errors import InputError
from loadgen.condition import CAUSES, COUNTS, LATENCIES
from reports.document import TuneDocument
from reports.glossary import GROUPS, plain_name, term_of, terms
from reports.limits_document import LimitsDocument
from reports.load_document import LoadDocument
from reports.nightly.doctor_document import DoctorDocument
from reports.nightly.document import NightlyDocument
from reports.run_charts import charts_of
from tests.reports.everything import everything
from tests.reports.test_reports_cli import run  # noqa: F401 - a fixture

MEASURES = ("p50", "p90", "p95", "p99", "p99.9", "max", "mean", "rate", "count", "rps")


def properties() -> set[str]:
    """All names that documents have, at whatever depth."""
    models = (TuneDocument, LoadDocument, LimitsDocument, NightlyDocument, DoctorDocument)
    return {name for model in models for name in names_in(model.model_json_schema())}


def names_in(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        found = schema.get("properties")
        if isinstance(found, dict):
            yield from found
        for value in schema.values():
            yield from names_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from names_in(value)


@pytest.mark.parametrize("word", [*MEASURES, *LATENCIES, *COUNTS])
def test_every_metric_of_thresholds_has_an_entry(word):
    assert term_of(word).group in ("latency", "measure", "outcome")


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_an_entry(cause):
    assert term_of(cause)


def test_every_chart_has_an_entry_that_says_how_to_draw_it():
    names = {figure.name for document in everything() for figure in charts_of(document)}
    assert names - {term.chart for term in terms()} == set()


@pytest.mark.parametrize("term", terms(), ids=lambda term: term.name)
def test_an_entry_is_whole_sentences_with_a_trap_and_a_group(term):
    assert term.group in dict(GROUPS)
    for text in (term.what, term.trap):
        assert text.endswith(".")
        assert "  " not in text
        assert text.isascii()
    assert term_of(term.name) == term


def test_no_two_entries_share_a_name():
    names = [plain_name(term.name) for term in terms()]
    assert len(set(names)) == len(names)


def test_places_in_documents_exist():
    known = properties()
    for term in terms():
        for place in re.findall(r"[a-z_][a-z0-9_]*", re.sub(r"\*_\w+|_\w*\*", "", term.where)):
            assert place in known or place in ("p50", "p90", "p95", "p99", "p999"), (
                term.name,
                place,
            )


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("p95(response)", "response time"),
        ("P95 (Service)", "service time"),
        ("rate(throttled:quota)", "throttled"),
        ("Response-Time", "response time"),
        ("ttfb", "first_byte"),
        ("429", "throttled"),
        ("spectrum", "chart spectrum"),
        ("rate", "rate"),
        ("chart rate", "chart rate"),
        ("change points", "change point"),
        ("e-divisive", "E-divisive"),
        ("floor", "effect floor"),
    ],
)
def test_a_word_is_found_however_it_is_written(asked, name):
    assert term_of(asked).name == name


def test_a_typing_error_is_told_with_what_may_have_been_meant():
    with pytest.raises(InputError, match=r"'regrett' is not a word.*did you mean regret\?"):
        term_of("regrett")
    with pytest.raises(InputError, match="reports explain lists all"):
        term_of("xyzzy")


# -- the command ----------------------------------------------------------------------------------


def test_an_entry_is_printed_with_its_unit_formula_and_trap(run):  # noqa: F811
    code, out, err = run("explain", "p95(response)")
    assert (code, err) == (0, "")
    assert out.startswith("response time, ms\n")
    assert "Formula: end of the answer - intended start" in out
    assert "Trap: " in out


def test_without_a_word_all_are_listed(run):  # noqa: F811
    _, out, _ = run("explain")
    assert all(f"  {term.name}: " in out for term in terms())
    _, out, _ = run("explain", "--json")
    assert len(json.loads(out)["terms"]) == len(terms())


def test_with_json_an_entry_is_a_document(run):  # noqa: F811
    _, out, _ = run("explain", "regret", "--json")
    assert json.loads(out)["term"]["unit"] == "share of 1, shown in %"


def test_an_unknown_word_is_one_line_and_exit_code_2(run):  # noqa: F811
    code, out, err = run("explain", "xyzzy")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
