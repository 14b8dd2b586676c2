"""One self-contained HTML page for any mix of runs: tunings, then load runs, then probes.

No external request, no time of rendering: the same documents give the same bytes. All texts of a
document are escaped by Jinja2; the only ready markup is the SVG of the charts. The page allows its
one script and its style sheet by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, TypeAlias

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from reports.figures import closed, listed
from reports.frame import axis_value

# The parts of a page are imported where they are written: models and charts of the kinds of runs
# that a page does not have would take longer than its making.
if TYPE_CHECKING:
    from reports.compare_document import CompareDocument
    from reports.compare_page import Section as CompareSection
    from reports.document import TuneDocument
    from reports.kinds import Document
    from reports.limits_compare_document import LimitsCompareDocument
    from reports.limits_compare_page import LimitsCompareSection
    from reports.limits_document import LimitsDocument
    from reports.limits_page import LimitsSection
    from reports.load_compare_document import LoadCompareDocument
    from reports.load_compare_page import LoadCompareSection
    from reports.load_document import LoadDocument
    from reports.load_page import LoadSection
    from reports.nightly.document import NightlyDocument
    from reports.nightly_page.night_section import NightSection
    from reports.preflight_document import PreflightDocument
    from reports.preflight_page import Section as PreflightSection
    from reports.several_document import SeveralDocument
    from reports.story import Story
    from reports.tune_page import Section as TuneSection

Comparison: TypeAlias = (
    "CompareSection | PreflightSection | LoadCompareSection | LimitsCompareSection"
)


_COMMAND = re.compile(r"`([^`\n]+)`")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_INTERVAL = re.compile(r"^(\S+) (\([^()]+ to [^()]+\))$")


@dataclass(frozen=True, slots=True)
class Around:
    """What a page tells of several tunings besides each: rows without an answer, and sentences."""

    unmeasured: Sequence[tuple[str, str, str]]
    sentences: Sequence[str]


def render_page(
    documents: Sequence[Document], night_folders: Mapping[str, str] | None = None
) -> str:
    """The page as HTML text.

    `night_folders` leads from where the page will be to the folder of each night, by its id;
    without them, runs of nights are named and not linked.

    Raises:
        ValueError: if there is no document.
    """
    if not documents:
        raise ValueError("a page needs at least one document (got none)")
    tunings: list[TuneDocument] = [one for one in documents if one.kind == "tune"]
    loads: list[LoadDocument] = [one for one in documents if one.kind == "load"]
    probes: list[LimitsDocument] = [one for one in documents if one.kind == "limits"]
    nights: list[NightlyDocument] = [one for one in documents if one.kind == "nightly"]
    folders = night_folders or {}
    ordered: list[Document] = [*nights, *tunings, *loads, *probes]
    placed = [(f"run-{number}", one) for number, one in enumerate(ordered, start=1)]
    return _rendered(
        _title(tunings, loads, probes, nights),
        nights=[
            _night_section(one, at, folders.get(one.night_id))
            for at, one in placed
            if one.kind == "nightly"
        ],
        tunings=[_tune_section(one, at) for at, one in placed if one.kind == "tune"],
        loads=[_load_section(one, at, ordered) for at, one in placed if one.kind == "load"],
        probes=[_limits_section(one, at) for at, one in placed if one.kind == "limits"],
        story=_story(placed),
    )


def _tune_section(document: TuneDocument, anchor: str) -> TuneSection:
    from reports.tune_page import section_of

    return section_of(document, anchor)


def _load_section(document: LoadDocument, anchor: str, page: Sequence[Document]) -> LoadSection:
    from reports.load_page import section_of

    return section_of(document, anchor, beside={one.kind for one in page})


def _limits_section(document: LimitsDocument, anchor: str) -> LimitsSection:
    from reports.limits_page import section_of

    return section_of(document, anchor)


def _night_section(document: NightlyDocument, anchor: str, folder: str | None) -> NightSection:
    from reports.nightly_page.night_section import section_of

    return section_of(document, anchor, folder)


def _story(placed: Sequence[tuple[str, Document]]) -> Story | None:
    if len(placed) < 2:
        return None
    from reports.story import story_of

    return story_of(placed)


def render_several(document: SeveralDocument) -> str:
    """The page of several tunings of one command, with what became of those without an answer."""
    from reports.several_tables import several_title, together, unmeasured

    tunings = [result.document for result in document.functions if result.document is not None]
    sections = [
        _tune_section(tuning, f"run-{number}") for number, tuning in enumerate(tunings, start=1)
    ]
    around = Around(unmeasured(document), [closed(together(document)), *document.notes])
    placed = [(section.anchor, tuning) for section, tuning in zip(sections, tunings, strict=True)]
    title = several_title(document)
    return _rendered(title, tunings=sections, around=around, story=_story(placed))


def render_comparison(document: CompareDocument) -> str:
    """The page of two tunings that are compared, as HTML text."""
    from reports.compare_page import section_of

    section = section_of(document)
    return _rendered(section.name, comparisons=[section])


def render_load_comparison(document: LoadCompareDocument) -> str:
    """The page of two load runs that are compared, as HTML text."""
    from reports.load_compare_page import section_of

    section = section_of(document)
    return _rendered(section.name, comparisons=[section])


def render_limits_comparison(document: LimitsCompareDocument) -> str:
    """The page of two probes of limits that are compared, as HTML text."""
    from reports.limits_compare_page import section_of

    section = section_of(document)
    return _rendered(section.name, comparisons=[section])


def render_preflight(document: PreflightDocument) -> str:
    """The page of a preflight, as HTML text."""
    from reports.preflight_page import section_of

    section = section_of(document)
    return _rendered(section.name, comparisons=[section])


def _rendered(
    title: str,
    *,
    nights: Sequence[NightSection] = (),
    tunings: Sequence[TuneSection] = (),
    loads: Sequence[LoadSection] = (),
    probes: Sequence[LimitsSection] = (),
    comparisons: Sequence[Comparison] = (),
    around: Around | None = None,
    story: Story | None = None,
) -> str:
    page = (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            nights=nights,
            tunings=tunings,
            loads=loads,
            probes=probes,
            comparisons=comparisons,
            around=around,
            story=story,
            labels={point.anchor: point.name for point in story.points} if story else {},
            alone=around is None
            and len(nights) + len(tunings) + len(loads) + len(probes) + len(comparisons) == 1,
            css=_asset("page.css"),
            script=_asset("enhance.js"),
            policy=_policy(),
        )
    )
    return page + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "axis_value": axis_value,
        "prose": prose,
        "with_interval": with_interval,
        "whole_dates": whole_dates,
    }
    return environment


def prose(sentence: str) -> Markup:
    """A sentence, escaped, with what stands in backticks as code."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704


def whole_dates(sentence: str) -> Markup:
    """A sentence, escaped, whose dates are not broken at their hyphens."""
    return Markup(_DATE.sub(r'<span class="whole">\g<0></span>', str(escape(sentence))))  # noqa: S704


def with_interval(cell: str) -> Markup:
    """A cell, escaped; an interval in brackets behind a figure is set as what is under it."""
    return Markup(_INTERVAL.sub(r"\1 <small>\2</small>", str(escape(cell))))  # noqa: S704


@cache
def _asset(name: str) -> Markup:
    """A file of the package for the page, without indentation and lines of comment."""
    text = files("reports").joinpath("assets", name).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    kept = [line for line in lines if line and not line.startswith("//")]
    return Markup("\n" + "\n".join(kept) + "\n")  # noqa: S704 - the package's own file


@cache
def _policy() -> Markup:
    """The page's content security policy: it runs and loads nothing but what it brings itself."""
    style, script = (_hash(_asset(name)) for name in ("page.css", "enhance.js"))
    return Markup(  # noqa: S704 - hashes have no markup
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _title(
    tunings: Sequence[TuneDocument],
    loads: Sequence[LoadDocument],
    probes: Sequence[LimitsDocument] = (),
    nights: Sequence[NightlyDocument] = (),
) -> str:
    if nights:
        return _title_with_nights(tunings, loads, probes, nights)
    if not loads and not probes:
        alone = len(tunings) == 1
        return f"Memory tuning of {tunings[0].function.name}" if alone else _several(tunings)
    if not tunings and not probes:
        return f"Load run {loads[0].name}" if len(loads) == 1 else f"{len(loads)} load runs"
    if len(probes) == 1 and not tunings and not loads:
        return f"Limits of {probes[0].name}"
    kinds = ((len(tunings), "tuning"), (len(loads), "load run"), (len(probes), "probe"))
    return listed([_counted(number, noun) for number, noun in kinds if number])


def _title_with_nights(
    tunings: Sequence[TuneDocument],
    loads: Sequence[LoadDocument],
    probes: Sequence[LimitsDocument],
    nights: Sequence[NightlyDocument],
) -> str:
    if len(nights) == 1 and not (tunings or loads or probes):
        from reports.nightly_page.night_words import night_name

        return night_name(nights[0])
    kinds = (
        (len(nights), "night"),
        (len(tunings), "tuning"),
        (len(loads), "load run"),
        (len(probes), "probe"),
    )
    return listed([_counted(number, noun) for number, noun in kinds if number])


def _several(tunings: Sequence[TuneDocument]) -> str:
    return f"Memory tuning, {len(tunings)} runs"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
