"""What a night has to say beside code: failures, suspects, and savings on the line to change.

Made from the document; of files, only the templates that the plan names are read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from core.errors import InputError
from core.located_yaml import Unreadable, read_document, read_text
from reports.figures import megabytes, percent, percent_range
from reports.nightly.document import NightGate, NightlyDocument, SavingFound
from reports.nightly.plan import NightlyPlan, TuneStep
from reports.nightly.template_place import memory_size_place
from reports.nightly.workflow_command import Annotation, Kind, few

_KINDS: dict[str, Kind] = {"failed": "error", "suspect": "warning", "invalid": "warning"}


def night_annotations(
    document: NightlyDocument, plan: NightlyPlan, root: Path
) -> tuple[list[Annotation], list[str]]:
    """What to show, and notes about templates that could not be read.

    `root` is the checkout: files are named as seen from there, which is how a runner knows them.
    """
    found, notes = list[Annotation](), list[str]()
    found += _ended(document)
    for gate in document.gates:
        kind = _KINDS.get(gate.status)
        if kind is not None:
            found.append(Annotation(kind, _title(document, gate), f"{gate.text}: {gate.message}"))
    for saving in document.savings:
        file, line = _place(saving, document, plan, root, notes)
        found.append(
            Annotation("notice", f"Memory of {saving.function}", _saving_words(saving), file, line)
        )
    return list(few(found)), notes


def _ended(document: NightlyDocument) -> Iterator[Annotation]:
    """That the night could not say more."""
    if document.verdict in ("error", "refused", "interrupted"):
        said = "\n".join(dict.fromkeys(document.errors)) or document.headline
        yield Annotation("error", f"{document.name}: {document.verdict}", said)
    elif document.verdict == "inconclusive" and document.exit_code:
        yield Annotation("warning", f"{document.name}: inconclusive", document.headline)


def _title(document: NightlyDocument, gate: NightGate) -> str:
    return f"{document.name}: {gate.step}, {gate.scope}"


def _saving_words(saving: SavingFound) -> str:
    low, high = saving.saving_interval
    sizes = f"MemorySize {saving.from_mb} -> {megabytes(saving.to_mb)}"
    return (
        f"{sizes} saves {percent(saving.saving_share)} of the cost "
        f"(interval {percent_range(low, high)})"
    )


def _place(
    saving: SavingFound,
    document: NightlyDocument,
    plan: NightlyPlan,
    root: Path,
    notes: list[str],
) -> tuple[str | None, int | None]:
    """File and line of the setting, as seen from `root`; None where the plan names no template."""
    step = next((step for step in plan.steps if step.name == saving.step), None)
    if not isinstance(step, TuneStep) or step.template is None:
        return None, None
    template = Path(document.provenance.plan_file).parent / step.template
    name = step.resource or saving.function
    try:
        line = _line_in(template, name)
    except InputError as reason:
        notes.append(f"{saving.step}: no place for the saving: {reason}")
        return None, None
    if line is None:
        notes.append(
            f"{saving.step}: no place for the saving: {step.template} has no function {name}; "
            "the step's `resource` names it"
        )
    return _seen_from(root, template), line


def _line_in(template: Path, name: str) -> int | None:
    """The line of the function's memory size.

    Raises:
        InputError: the file could not be read, or is no YAML.
    """
    text = read_text(template)
    if text.lstrip().startswith("{"):
        # JSON may be indented with tabs and YAML may not; in texts JSON has none.
        text = text.replace("\t", " ")
    try:
        document = read_document(text, is_template=True)
    except Unreadable as error:
        raise InputError(error.problems[0].text(str(template))) from error
    place = memory_size_place(document, name)
    return place.line if place else None


def _seen_from(root: Path, file: Path) -> str | None:
    """The path of a file from `root`; None for one elsewhere, which no runner could show."""
    relative = os.path.relpath(file.resolve(), root.resolve())
    return None if relative.startswith("..") else Path(relative).as_posix()
