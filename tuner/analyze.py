"""`tune analyze RUN`: another answer from the samples of a run, without invoking anything."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.aws.always_on import ServerPrices
from core.aws.prices import LambdaPrice, other_arch, read_price_file
from core.console import Console
from core.errors import ExitCode
from reports.document import PriceFacts, TuneDocument, Verdict
from reports.exports import check_exports, given_runs
from reports.run_folder import RESULT_NAME, read_document
from tuner.analysis import Answer, Question, analyse
from tuner.answering import Answered
from tuner.arch_document import with_other
from tuner.counting import recorded_counting
from tuner.delivery import deliver
from tuner.facts import recorded_command
from tuner.objective import Goal
from tuner.options import check_goal, check_server_prices
from tuner.power_tuning.link import link_of
from tuner.recorded import recorded_candidates, recorded_price, recorded_refusals
from tuner.result import current_size, judge, price_facts, spent
from tuner.sample import Sample, read_samples
from tuner.usage import Usage, check_usage, given_usage


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """What the command line says, not yet checked."""

    run: Path
    objective: str | None
    weight: float | None
    slo: str | None
    knee: str | None
    cold_share: str | None
    requests_per_month: str | None
    price_file: Path | None
    server_price_file: Path | None
    exports: tuple[str, ...]


def analyze(options: AnalyzeOptions, console: Console) -> ExitCode:
    """Answers again from a run's samples; the run's own files stay as they are.

    Raises:
        InputError: when the run cannot be read or an option is wrong.
    """
    usage = check_usage(options.cold_share, options.requests_per_month)
    asked = _Asked(
        goal=check_goal(options.objective, options.weight, options.slo, options.knee),
        usage=given_usage(usage),
        price_file=options.price_file,
        server_prices=check_server_prices(options.server_price_file, usage),
    )
    check_exports(options.exports, taken=given_runs([options.run]), json_output=console.json_output)
    before = read_document(options.run, TuneDocument)
    folder = options.run if options.run.is_dir() else options.run.parent
    first = _again(before, folder, asked)
    beside = folder / other_arch(before.function.arch)
    if not (beside / RESULT_NAME).exists():
        return deliver(first.document, options.exports, console)
    other = _again(read_document(beside, TuneDocument), beside, asked)
    return deliver(with_other(first, other, asked.goal), options.exports, console)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of the samples this time."""

    goal: Goal
    usage: Usage
    price_file: Path | None
    server_prices: ServerPrices


def _again(before: TuneDocument, folder: Path, asked: _Asked) -> Answered:
    """The answer from the samples in `folder`, and the document of the run with it."""
    samples = read_samples(folder)
    price, price_record = _prices(asked.price_file, before)
    function = before.function
    answer = analyse(
        samples,
        [size.memory_mb for size in before.sizes],
        recorded_refusals(before),
        Question(
            goal=asked.goal,
            current_mb=before.current.memory_mb,
            price=price,
            storage_mb=function.ephemeral_storage_mb,
            seed=before.provenance.seed,
            candidates_mb=recorded_candidates(before),
            usage=asked.usage,
            server_prices=asked.server_prices,
            runtime=function.runtime,
            trial_usd=_trial_usd(before, price),
            counting=recorded_counting(before),
        ),
    )
    verdict, code, errors = _judge_again(before, samples, answer)
    document = before.model_copy(
        update={
            "verdict": verdict,
            "exit_code": int(code),
            "errors": errors,
            "notes": list(dict.fromkeys([*before.notes, *answer.notes, _origin(before)])),
            "recommendation": answer.recommendation,
            "current": current_size(before.current.memory_mb, answer.sizes),
            "sizes": list(answer.sizes),
            "model": answer.model,
            "slo": answer.slo,
            "cold": answer.cold,
            "monthly": answer.monthly,
            "payloads": list(answer.payloads),
            "arch": None,
            "visualization_url": link_of(answer.sizes),
            "prices": price_record,
            "spent": spent(samples, price, function.ephemeral_storage_mb, before.trial),
            "provenance": before.provenance.model_copy(
                update={"command": recorded_command(["tune", *sys.argv[1:]])}
            ),
        }
    )
    return Answered(document, answer)


def _trial_usd(before: TuneDocument, price: LambdaPrice) -> float:
    trial = before.trial
    if trial is None or trial.billed_ms is None:
        return 0.0
    storage_mb = before.function.ephemeral_storage_mb
    return price.invocation_usd(trial.memory_mb, trial.billed_ms, storage_mb=storage_mb)


def _judge_again(
    before: TuneDocument, samples: Sequence[Sample], answer: Answer
) -> tuple[Verdict, ExitCode, list[str]]:
    """Verdict, exit code and problems; a second look does not mend what went wrong in the run."""
    if before.verdict in ("invalid", "interrupted"):
        return before.verdict, ExitCode(before.exit_code), before.errors
    verdict, code, problems = judge(
        samples,
        answer,
        before.budget,
        adaptive=before.provenance.candidates_mb is not None,
        plan=before.provenance.plan,
    )
    if before.exit_code == ExitCode.ERROR:
        # Measured to the end, but not all could be undone: the last error says what was left.
        return verdict, ExitCode.ERROR, [*problems, *before.errors[-1:]]
    return verdict, code, problems


def _origin(before: TuneDocument) -> str:
    return f"answered again from the samples of: {shlex.join(before.provenance.command)}"


def _prices(path: Path | None, before: TuneDocument) -> tuple[LambdaPrice, PriceFacts]:
    """The prices that the run was computed with, or those of another table."""
    if path is None:
        return recorded_price(before), before.prices
    table = read_price_file(path)
    price = table.lambda_price(before.function.region, before.function.arch)
    return price, price_facts(table, price)
