"""Builds the result document of a run: the answer, the bill, and what it takes to repeat it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.aws.prices import LambdaPrice, PriceTable
from core.errors import ExitCode
from core.git_commit import git_commit
from core.version import toolkit_version
from reports.document import (
    Budget,
    CurrentSize,
    FunctionFacts,
    PlanKind,
    PriceFacts,
    Provenance,
    Recommendation,
    SizeResult,
    Slo,
    Spent,
    Trial,
    TuneDocument,
    Verdict,
)
from reports.document import CallRules as RecordedRules
from reports.figures import percent
from reports.tune_slo import unkept_problem
from tuner.adaptive import SIZES_AT_START, WARM_TO_VERIFY
from tuner.analysis import Answer
from tuner.call_rules import CallRules
from tuner.estimate import MIN_SAMPLES_FOR_INTERVAL
from tuner.facts import RunFacts
from tuner.fingerprint import settings_fingerprint
from tuner.power_tuning.link import link_of
from tuner.sample import Sample
from tuner.sampler import answers_ceased
from tuner.tried_sizes import judge_test

# With more lost than this, those that are left may not be typical of all.
_LOST_SHARE_MOST = 0.2
# A recommendation that is expected to be worse than the unknown best by more than this is a guess.
_REGRET_MOST = 0.15


def build_document(facts: RunFacts, samples: Sequence[Sample], answer: Answer) -> TuneDocument:
    """The document of a run that has ended, whichever way."""
    verdict, code, errors = _judge(facts, samples, answer)
    trial = trial_of(facts)
    return TuneDocument(
        verdict=verdict,
        exit_code=code,
        errors=errors,
        notes=[*facts.plan.notes, *facts.notes, *answer.notes],
        function=_function(facts),
        current=current_size(facts.target.memory_mb, answer.sizes),
        recommendation=answer.recommendation,
        sizes=list(answer.sizes),
        model=answer.model,
        spent=spent(samples, facts.price, facts.target.storage_mb, trial),
        prices=price_facts(facts.price_table, facts.price),
        provenance=_provenance(facts),
        budget=facts.budget,
        slo=answer.slo,
        cold=answer.cold,
        monthly=answer.monthly,
        payloads=list(answer.payloads),
        calls=_calls(facts.calls),
        trial=trial,
        visualization_url=link_of(answer.sizes),
    )


def _judge(
    facts: RunFacts, samples: Sequence[Sample], answer: Answer
) -> tuple[Verdict, ExitCode, list[str]]:
    """Verdict, exit code and what is wrong; what was left behind decides the code, and is last."""
    verdict, code, problems = _judge_measurement(facts, samples, answer)
    if facts.left_behind is None:
        return verdict, code, [*facts.errors, *problems]
    return verdict, ExitCode.ERROR, [*facts.errors, *problems, facts.left_behind]


def _judge_measurement(
    facts: RunFacts, samples: Sequence[Sample], answer: Answer
) -> tuple[Verdict, ExitCode, list[str]]:
    if facts.error_code is not None:
        return "invalid", facts.error_code, []
    if facts.stop_code is not None:
        return "interrupted", facts.stop_code, ["stopped before the plan was done"]
    return judge(
        samples,
        answer,
        facts.budget,
        adaptive=facts.candidates_mb is not None,
        plan=facts.plan.kind,
    )


def judge(
    samples: Sequence[Sample],
    answer: Answer,
    budget: Budget | None,
    *,
    adaptive: bool,
    plan: PlanKind = "fixed",
) -> tuple[Verdict, ExitCode, list[str]]:
    """Verdict, exit code and problems of samples that were taken to the end, or to a limit."""
    if plan == "test":
        return judge_test(answer.sizes)
    problem = _answers_ceased(samples, adaptive=adaptive) or _lost_too_many(samples)
    if problem is None and not any(size.n for size in answer.sizes):
        if budget is not None and budget.ended_by is not None:
            missing = f"no {_counted_calls(plan)} call was made within the limit"
            return "inconclusive", ExitCode.INCONCLUSIVE, [missing]
        problem = _nothing_measured(answer.sizes)
    if problem:
        return "invalid", ExitCode.INVALID, [problem]
    if answer.slo is not None and answer.slo.verdict != "met":
        return _limit_not_met(answer.slo)
    doubt = _too_little(answer.recommendation, answer.sizes, _counted_calls(plan))
    if doubt:
        return "inconclusive", ExitCode.INCONCLUSIVE, [doubt]
    return "pass", ExitCode.PASS, []


def _counted_calls(plan: PlanKind) -> str:
    return "cold" if plan == "cold" else "warm"


def _answers_ceased(samples: Sequence[Sample], *, adaptive: bool) -> str | None:
    sizes = SIZES_AT_START if adaptive else len({sample.memory_mb for sample in samples})
    if not answers_ceased(samples, sizes):
        return None
    answered = [number for number, s in enumerate(samples, 1) if s.outcome != "lost"]
    lost = samples[answered[-1] if answered else 0 :]
    return _why_lost(lost, f"ended early: the last {len(lost)} invocations gave no measurement")


def _lost_too_many(samples: Sequence[Sample]) -> str | None:
    lost = [sample for sample in samples if sample.outcome == "lost"]
    if len(lost) <= _LOST_SHARE_MOST * len(samples):
        return None
    return _why_lost(lost, f"{len(lost)} of {len(samples)} invocations gave no measurement")


def _why_lost(lost: Sequence[Sample], message: str) -> str:
    # Later ones say what came of looking for it in the logs.
    without_report = [sample for sample in lost if sample.error_type == "NoReport"]
    told = without_report[-1] if without_report else lost[0]
    return f"{message}: {told.error_message or told.error_type}"


def _nothing_measured(sizes: Sequence[SizeResult]) -> str:
    reasons = sorted({size.failure for size in sizes if size.failure})
    cold_only = any(size.n_cold for size in sizes)
    nothing = "no call was warm" if cold_only else "no invocation was made"
    return f"no size could be measured: {'; '.join(reasons) or nothing}"


def _limit_not_met(slo: Slo) -> tuple[Verdict, ExitCode, list[str]]:
    problem = [unkept_problem(slo)]
    if slo.verdict == "infeasible":
        return "fail", ExitCode.FAILED, problem
    return "inconclusive", ExitCode.INCONCLUSIVE, problem


def _too_little(
    recommendation: Recommendation | None, sizes: Sequence[SizeResult], counted: str
) -> str | None:
    measured = {size.memory_mb: size.n for size in sizes if size.n}
    if recommendation is None:
        return "no size ran without failing: see the table"
    if len(measured) < 2:
        return "only one size was measured: nothing to choose from"
    n = measured.get(recommendation.memory_mb, 0)
    few = f"1 {counted} sample" if n == 1 else f"{n} {counted} samples"
    regret = recommendation.regret_share
    if regret is None:
        if n >= MIN_SAMPLES_FOR_INTERVAL:
            return None
        return (
            f"{few} at {recommendation.memory_mb} MB cannot tell sizes apart; "
            f"take at least {MIN_SAMPLES_FOR_INTERVAL} with --samples"
        )
    if n < WARM_TO_VERIFY:
        verb = "does" if n == 1 else "do"
        return (
            f"{few} at {recommendation.memory_mb} MB {verb} not verify it; allow more invocations"
        )
    if regret > _REGRET_MOST:
        return (
            f"{recommendation.memory_mb} MB is expected to be {percent(regret)} worse than the "
            "best size: the samples are too few or too noisy; a longer run (--thorough) may tell "
            "more"
        )
    return None


def spent(
    samples: Sequence[Sample], price: LambdaPrice, storage_mb: int, trial: Trial | None
) -> Spent:
    """What the invocations cost, the trial's among them, by the times that Lambda billed."""
    calls = [(sample.memory_mb, sample.billed_ms) for sample in samples]
    if trial is not None:
        calls.append((trial.memory_mb, trial.billed_ms))
    billed = [(memory_mb, ms) for memory_mb, ms in calls if ms is not None]
    return Spent(
        invocations=len(calls),
        gb_seconds=sum(memory_mb / 1024 * ms / 1000 for memory_mb, ms in billed),
        usd=sum(price.invocation_usd(mb, ms, storage_mb=storage_mb) for mb, ms in billed),
        unmeasured_invocations=len(calls) - len(billed),
    )


def trial_of(facts: RunFacts) -> Trial | None:
    """The call before anything was changed, for the record; None where there was none."""
    call = facts.trial
    if call is None:
        return None
    return Trial(
        memory_mb=call.memory_mb,
        cold=call.cold,
        duration_ms=call.duration_ms,
        billed_ms=call.billed_ms,
        max_memory_used_mb=call.max_memory_used_mb,
        error_type=call.error_type,
    )


def _function(facts: RunFacts) -> FunctionFacts:
    target = facts.target
    return FunctionFacts(
        name=target.name,
        arn=target.arn,
        runtime=target.runtime,
        arch=target.arch,
        code_sha256=target.code_sha256,
        timeout_s=target.timeout_s,
        ephemeral_storage_mb=target.storage_mb,
        region=facts.region,
        account=facts.account,
        settings_fingerprint=settings_fingerprint(target.settings_sha256, target.arn),
    )


def current_size(memory_mb: int, sizes: Sequence[SizeResult]) -> CurrentSize:
    """The function's own setting, with what was measured at it."""
    measured = next((size for size in sizes if size.memory_mb == memory_mb), None)
    return CurrentSize(
        memory_mb=memory_mb,
        cost_usd_per_million=measured.cost_usd_per_million if measured else None,
        duration_p50_ms=measured.duration_ms.p50 if measured and measured.duration_ms else None,
    )


def price_facts(table: PriceTable, price: LambdaPrice) -> PriceFacts:
    """The prices for the record."""
    return PriceFacts(
        table_date=table.date,
        source=table.source,
        gb_second_usd=price.gb_second_usd,
        request_usd=price.request_usd,
        storage_gb_second_usd=price.storage_usd_per_gb_s,
    )


def _calls(rules: CallRules) -> RecordedRules | None:
    if rules == CallRules():
        return None
    return RecordedRules(
        allowed_errors=sorted(rules.allowed_errors),
        discard_share=rules.discard_share,
        discard_first=rules.discard_first,
        sleep_s=rules.sleep_s,
        outputs_kept=rules.keep_outputs,
    )


def _provenance(facts: RunFacts) -> Provenance:
    return Provenance(
        tool_version=toolkit_version(),
        command=list(facts.command),
        started_utc=facts.started.isoformat(timespec="seconds"),
        finished_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=facts.plan.seed,
        run_id=facts.run_id,
        payload_sha256=facts.payloads.sha256,
        payload_bytes=facts.payloads.size_bytes,
        samples_per_size=facts.plan.samples_per_size,
        parallel=facts.plan.parallel,
        plan=facts.plan.kind,
        candidates_mb=list(facts.candidates_mb) if facts.candidates_mb else None,
        endpoint=facts.endpoint,
        qualifier=facts.target.qualifier,
        version=facts.target.version,
        git_commit=git_commit(Path.cwd(), os.environ),
    )
