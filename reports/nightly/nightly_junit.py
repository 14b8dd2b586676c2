"""A night's gates as suites of tests, one for each step.

Servers keep the history of a test by its name. Names are those of the plan, the step, the part of
it and the condition, which stay; what tonight measured is in the message. What is only suspected,
muted or cannot be told is skipped, with the reason: it is no failure, and no pass either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from reports.gate import Gate, GateSuite, Status
from reports.nightly.document import GateStatus, NightGate, NightlyDocument, NightStep

_WHOLE = "the night"
_STATUSES: dict[GateStatus, Status] = {
    "passed": "passed",
    "failed": "failed",
    "suspect": "inconclusive",
    "muted": "inconclusive",
    "inconclusive": "inconclusive",
    "invalid": "invalid",
}
# Whatever its document says: it ended with an error, or was wrong.
_NO_ANSWER = (1, 2)
_NO_RESULT = ("error", "refused", "interrupted", "timed out", "killed", "no result")


def nightly_suites(document: NightlyDocument) -> list[GateSuite]:
    """The night itself as a suite, then each of its steps."""
    night = GateSuite(
        name=f"nightly {document.name}",
        kind="nightly",
        gates=tuple(_night_gates(document)),
        properties=_properties(document),
        started_utc=document.provenance.started_utc,
        finished_utc=document.provenance.finished_utc,
    )
    named = {step.name for step in document.steps}
    others = dict.fromkeys(gate.step for gate in document.gates if gate.step not in named)
    return [
        night,
        *(_step_suite(document, step) for step in document.steps),
        *(_suite_of(document, other, _distinct(_gates_of(document, other))) for other in others),
    ]


def _step_suite(document: NightlyDocument, step: NightStep) -> GateSuite:
    suite = _suite_of(document, step.name, _step_gates(document, step))
    properties = (*suite.properties, *_step_properties(step))
    if not step.runs:
        return replace(suite, properties=properties)
    started = step.runs[0].started_utc
    finished = _later(started, sum(run.seconds for run in step.runs))
    return replace(suite, properties=properties, started_utc=started, finished_utc=finished)


def _suite_of(document: NightlyDocument, step: str, gates: Iterator[Gate]) -> GateSuite:
    """A suite that took no time."""
    started = document.provenance.started_utc
    return GateSuite(
        name=f"nightly {document.name} / {step}",
        kind="nightly",
        gates=tuple(gates),
        properties=_properties(document),
        started_utc=started,
        finished_utc=started,
    )


def _later(started_utc: str, seconds: float) -> str:
    try:
        return (datetime.fromisoformat(started_utc) + timedelta(seconds=seconds)).isoformat()
    except (ValueError, OverflowError):
        return started_utc


def _night_gates(document: NightlyDocument) -> Iterator[Gate]:
    """Whether the night came to its end, and whether it knew all that was before it."""
    text = "the night comes to its end"
    if document.verdict in ("error", "refused", "interrupted"):
        said = "; ".join(dict.fromkeys(document.errors)) or document.headline
        yield Gate(_WHOLE, text, "invalid", f"{document.verdict}: {said}")
    else:
        yield Gate(_WHOLE, text, "passed", document.headline)
    problems = "; ".join(document.history_problems)
    known: Status = "inconclusive" if problems else "passed"
    yield Gate(_WHOLE, "all of the history can be read", known, problems)


def _step_gates(document: NightlyDocument, step: NightStep) -> Iterator[Gate]:
    yield _ended(step)
    yield from _distinct(_gates_of(document, step.name))


def _ended(step: NightStep) -> Gate:
    """That a step has a result: without this test, one that broke would only be missing."""
    said = "; ".join(dict.fromkeys(step.errors)) or step.headline
    message = f"{step.verdict}: {said}" if said else step.verdict
    status: Status = "passed"
    if step.verdict == "not begun":
        status = "inconclusive"
    elif step.verdict in _NO_RESULT or step.exit_code in _NO_ANSWER:
        status = "invalid"
    return Gate("the step", "the step has a result", status, message)


def _gates_of(document: NightlyDocument, step: str) -> Iterator[tuple[NightGate, Gate]]:
    for gate in document.gates:
        if gate.step == step:
            status = _STATUSES[gate.status]
            # What is skipped is inconclusive unless something else is said.
            told = gate.status in ("suspect", "muted")
            message = f"{gate.status}: {gate.message}" if told else gate.message
            yield gate, Gate(gate.scope, gate.text, status, message)


def _distinct(gates: Iterator[tuple[NightGate, Gate]]) -> Iterator[Gate]:
    """Servers take two tests of one name for one: what else tells them apart joins the name."""
    taken = set[tuple[str, str]]()
    for night_gate, gate in gates:
        text = gate.text
        for more in (night_gate.metric, night_gate.kind):
            if (gate.scope, text) in taken:
                text = f"{text} ({more})"
        taken.add((gate.scope, text))
        yield Gate(gate.scope, text, gate.status, gate.message)


def _properties(document: NightlyDocument) -> tuple[tuple[str, str], ...]:
    run = document.provenance
    known = (
        ("verdict", document.verdict),
        ("exit_code", str(document.exit_code)),
        ("night", document.night),
        ("night_id", document.night_id),
        ("sequence", str(document.sequence)),
        ("tool_version", run.tool_version),
        ("command", " ".join(run.command)),
        ("plan_file", run.plan_file),
        ("plan_sha256", run.plan_sha256),
        ("history", run.history),
        ("environment", run.environment),
        ("branch", run.branch),
        ("git_commit", run.git_commit),
    )
    return tuple((name, value) for name, value in known if value)


def _step_properties(step: NightStep) -> tuple[tuple[str, str], ...]:
    runs: dict[str, list[str]] = {}
    for run in step.runs:
        if run.run_id:
            runs.setdefault(f"run.{run.purpose}", []).append(run.run_id)
    found = [("step_verdict", step.verdict), ("step_exit_code", str(step.exit_code))]
    return (*found, *((name, ", ".join(ids)) for name, ids in runs.items()))
