"""`tune fn-a fn-b` and `tune --stack`: plans for all, one question, one run each, one summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.aws.session import AwsSession
from core.confirm import confirm
from core.console import Console
from core.errors import ExitCode
from core.interrupt import StopRequest
from reports.exports import check_exports
from reports.figures import listed, usd
from reports.run_folder import document_text
from reports.several_document import SeveralDocument
from reports.several_exports import export_several
from reports.several_tables import summary_table, together, unmeasured
from reports.tune_findings import cautions
from tuner.answer_view import show_part
from tuner.apply.record import records_folder, warn_of_killed
from tuner.hook_kinds.opening import check_hooks
from tuner.options import TuneOptions, check_options
from tuner.plan import ASK_ABOVE_USD
from tuner.preflight.before_run import warnings_before
from tuner.restore_offer import warn_of_leftovers
from tuner.run import Bench, access
from tuner.several.asked import SeveralAsked, check_asked
from tuner.several.events import events_of, requests_of
from tuner.several.in_turn import InTurn
from tuner.several.plan_view import Plans, grouped, plans_document, show_plans
from tuner.several.planned import Planned, Reached, check_all_free, make_plans, read_targets
from tuner.several.results import build_several
from tuner.several.sources import find_functions


def tune_several(asked: SeveralAsked, options: TuneOptions, console: Console) -> ExitCode:
    """Tunes the functions that are asked for, and gives the most severe of their exit codes.

    Raises:
        ToolError: when the command ends before the first of them is touched.
    """
    check_asked(asked, options)
    check_exports(options.exports, json_output=console.json_output)
    # Now, so that a mistake is found before a sandbox starts or AWS is asked.
    check_options(replace(options, function=asked.functions[0] if asked.functions else "stack"))
    with access(options) as local:
        session = AwsSession(region=options.region, profile=options.profile, local=local)
        reached = Reached(session, session.control_lambda(), local)
        plans = _plans(asked, options, reached)
        show_plans(console, plans, session.region)
        if options.dry_run:
            if console.json_output:
                console.document(plans_document(plans))
            return ExitCode.PASS
        check_all_free(plans.planned)
        if not options.yes:
            _confirm(plans, console)
        bench = Bench(options.runs, session, local, console)
        with StopRequest() as stop:
            results = InTurn(bench, reached, stop).tune(plans.planned)
    document = build_several(
        results, plans.skipped, plans.limits, plans.source.origin, plans.source.notes
    )
    return _deliver(document, options, console)


def _confirm(plans: Plans, console: Console) -> None:
    """Asks when the runs may cost more than a dollar, or when a file chose what runs with what."""
    told = []
    if plans.without_event:
        # Nobody has named them, nor said what they are to do: one may be there to delete things.
        told.append(
            f"without an event of their own, {listed(plans.without_event)} of "
            f"{plans.source.origin} run with {{}}"
        )
    if plans.most_usd > ASK_ABOVE_USD:
        told.append(f"the runs may cost up to {usd(plans.most_usd)} together")
    if told:
        confirm("; ".join(told), "start them?", console)


def _plans(asked: SeveralAsked, options: TuneOptions, reached: Reached) -> Plans:
    """What is going to be done; everything about it is read and checked here."""
    session = reached.session
    source = find_functions(asked, session, sandbox=options.sandbox)
    events = events_of(asked, options, source.functions)
    first = replace(options, function=source.functions[0].name or "")
    requests = requests_of(first, events)
    requests[0].prices.check_region(session.region)
    found, skipped = read_targets(reached, source, options.tenant_id)
    by_function = dict(zip(source.functions, zip(requests, events, strict=True), strict=True))
    own = [by_function[listed] for listed, _ in found]
    planned = make_plans(
        reached,
        [target for _, target in found],
        [request for request, _ in own],
        [event.words for _, event in own],
    )
    check_hooks(requests[0].hooks, session, reached.control)
    return Plans(source, planned, skipped, list(_warnings(reached, planned)))


def _warnings(reached: Reached, planned: Sequence[Planned]) -> Iterator[tuple[str, str]]:
    """What may spoil the runs, or is left of earlier ones, with the function that it is about."""
    for one in planned:
        kept = _Kept()
        warn_of_leftovers(one.target, one.facts.endpoint, kept)
        warn_of_killed(records_folder(), kept, one.target.arn)
        lines = [*kept.lines, *warnings_before(one.facts, reached.control)]
        yield from ((one.target.name, line) for line in lines)


class _Kept(Console):
    """Keeps warnings, so that what is true of several functions is said once."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def warn(self, message: str) -> None:
        self.lines.append(message)


def _deliver(document: SeveralDocument, options: TuneOptions, console: Console) -> ExitCode:
    """Shows and writes the summary; gives the exit code of the command.

    Raises:
        InputError: when an export cannot be written; the summary has been shown by then.
    """
    show_part(console, summary_table(document))
    for name, word, reason in unmeasured(document):
        console.show(f"{name}: {word.lower()}: {reason}")
    console.show(together(document))
    for result in document.functions:
        if result.folder is not None:
            console.show(f"{result.name}: {result.folder}")
    for caution in _cautions(document):
        console.show(f"note: {caution}")
    for error in document.errors:
        console.error(error)
    if options.chart:
        from reports.chart_view import show_charts

        show_charts(console, [one.document for one in document.functions if one.document])
    for spec in options.exports:
        console.say(f"written: {export_several(document, spec)}")
    if console.json_output:
        console.document(document_text(document))
    return ExitCode(document.exit_code)


def _cautions(document: SeveralDocument) -> Iterator[str]:
    """What is to be known of where the figures are from, each once."""
    tuned = [(result.name, result.document) for result in document.functions if result.document]
    told = [(name, caution) for name, found in tuned for caution in cautions(found)]
    return grouped(told, len(tuned))
