"""What a night says beside code, in the form that GitHub's runner carries out."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.nightly.annotations import night_annotations
from reports.nightly.document import NightlyDocument
from reports.nightly.plan import NightlyPlan, TuneStep
from reports.nightly.workflow_command import Annotation, few
from tests.reports.nightly_documents import hostile_night, night_document

TEMPLATE = """\
Resources:
  Thumbnail:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: shop-thumbnail
      MemorySize: 1024
"""


def plan(
    template: str | None = "../template.yaml",
    resource: str | None = None,
    name: str = "thumbnail",
) -> NightlyPlan:
    step = TuneStep(name=name, function="shop-thumbnail", template=template, resource=resource)
    return NightlyPlan(name="shop", steps=(step,))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    return tmp_path


def night_in(checkout: Path, document: NightlyDocument) -> NightlyDocument:
    changed = {"plan_file": str(checkout / "profiles" / "nightly.yaml")}
    return document.model_copy(
        update={"provenance": document.provenance.model_copy(update=changed)}
    )


def lines(document: NightlyDocument, checkout: Path, of: NightlyPlan | None = None) -> list[str]:
    found, _ = night_annotations(night_in(checkout, document), of or plan(), checkout)
    return [annotation.text() for annotation in found]


def test_a_failure_is_an_error_that_names_step_scope_and_figures(checkout: Path) -> None:
    [line] = [one for one in lines(night_document("failed"), checkout) if one.startswith("::error")]

    assert line.startswith(
        "::error title=shop%3A orders%2C GET /search::p95 within 7 %25 of 28 nights: "
    )
    assert "n = 11,900" in line


def test_a_saving_stands_on_the_line_of_the_memory_size(checkout: Path) -> None:
    [line] = lines(night_document("pass"), checkout)

    assert line.replace("\N{NO-BREAK SPACE}", " ") == (
        "::notice file=template.yaml,line=6,title=Memory of shop-thumbnail::"
        "MemorySize 1024 -> 512 MB saves 31 %25 of the cost (interval 24 to 37 %25)"
    )


@pytest.mark.parametrize(
    ("of", "note"),
    [
        pytest.param(plan(None), None, id="no template"),
        pytest.param(plan(name="other"), None, id="no such step"),
        pytest.param(plan("../none.yaml"), "could not read", id="missing file"),
        pytest.param(plan("../bad.yaml"), "bad.yaml:1:5: is not YAML", id="no YAML"),
        pytest.param(plan(resource="Other"), "has no function Other", id="no such resource"),
        pytest.param(plan("../two.yaml"), "has no function shop-thumbnail", id="not in it"),
    ],
)
def test_without_a_place_a_saving_is_told_all_the_same(
    checkout: Path, of: NightlyPlan, note: str | None
) -> None:
    (checkout / "bad.yaml").write_text("a: [", encoding="utf-8")
    two = TEMPLATE.replace("shop-thumbnail", "other")
    (checkout / "two.yaml").write_text(two, encoding="utf-8")
    night = night_in(checkout, night_document("pass"))

    [annotation], notes = night_annotations(night, of, checkout)

    assert annotation.message.startswith("MemorySize 1024 -> ")
    assert len(notes) == (note is not None)
    if note:
        assert note in notes[0]


def test_a_template_outside_of_the_checkout_is_not_named(checkout: Path) -> None:
    night = night_in(checkout, night_document("pass"))

    [annotation], _ = night_annotations(night, plan(), checkout / "profiles")

    assert annotation.file is None
    assert "line=" not in annotation.text()


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        ("pass", ["notice"]),
        ("suspect", ["warning"]),
        ("interrupted", ["error"]),
        ("empty", ["error"]),
        ("first night", ["warning"]),
    ],
)
def test_what_each_state_shows(checkout: Path, state: str, kinds: list[str]) -> None:
    night = night_document(state)  # type: ignore[arg-type]

    assert [line.split()[0].strip(":") for line in lines(night, checkout)] == kinds


def test_names_cannot_begin_a_command_of_their_own(checkout: Path) -> None:
    found = lines(hostile_night(), checkout)

    assert found
    assert all("\n" not in line and "\r" not in line for line in found)


@pytest.mark.parametrize(("given_of_a_kind", "shown"), [(1, 1), (10, 10), (11, 10), (500, 10)])
def test_at_most_ten_of_a_kind_are_shown_and_the_rest_counted(
    given_of_a_kind: int, shown: int
) -> None:
    errors = [Annotation("error", "t", str(number)) for number in range(given_of_a_kind)]
    found = list(few([*errors, Annotation("notice", "t", "kept")]))

    assert len(found) == shown + 1
    assert found[-1].message == "kept"
    if given_of_a_kind > 10:
        assert found[-2].message == f"{given_of_a_kind - 9} more are in the report"


COMMAND = re.compile(r"::(error|warning|notice)(?: ([^\r\n]*?))?::([^\r\n]*)")


@given(st.text(), st.text(), st.text(min_size=1))
def test_what_is_escaped_reads_as_it_was(title: str, message: str, file: str) -> None:
    """Read back as the runner does: properties between commas, then escapes undone."""
    line = Annotation("error", title, message, file, 3).text()
    found = COMMAND.fullmatch(line)

    assert found is not None
    properties = dict(part.split("=", 1) for part in found[2].split(","))
    assert set(properties) <= {"file", "line", "title"}
    plain = [character for character in message if character.isprintable()]
    told = unquote(found[3])
    if len(message) < 2_000 and plain == list(message):
        assert told == message


def test_a_long_message_is_cut() -> None:
    assert len(Annotation("error", "t" * 999, "m" * 99_999).text()) < 2_500
