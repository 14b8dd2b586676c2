"""The small print of a tuning: the curves that competed, what the run cost, how to repeat it."""

from __future__ import annotations

import math
import shlex

from reports.apply_document import ApplyDocument
from reports.blocks import Column, Table, TableRow
from reports.document import FamilyScore, Model, TuneDocument
from reports.endpoint import is_loopback
from reports.figures import (
    SPACE,
    megabytes,
    moment,
    percent,
    seconds,
    significant,
    unit_price,
    usd,
)
from reports.raw_files import file_facts
from reports.tune_plan import budget_words, exit_words, plan_words
from reports.tune_sizes import is_adaptive


def parameters_of(model: Model | None) -> str:
    """The fitted parameters in one line."""
    if model is None:
        return ""
    pairs = sorted(model.parameters.items())
    return ", ".join(f"{name} = {significant(value, 4)}" for name, value in pairs)


def candidates_table(document: TuneDocument) -> Table | None:
    """All families that were tried, the best first; None where none was."""
    model = document.model
    if model is None or not model.candidates:
        return None
    ranked = sorted(model.candidates, key=lambda score: (score.loo_error is None, score.loo_error))
    rows = [
        TableRow([score.family, _loo(score), "chosen"], "taken")
        if score.family == model.family
        else TableRow([score.family, _loo(score), ""])
        for score in ranked
    ]
    columns = [
        Column("Family", is_text=True),
        Column("Typical error", "at an unseen size"),
        Column("Choice", is_text=True),
    ]
    help_text = "Each size was left out in turn and predicted from the others."
    if is_adaptive(document):
        help_text += (
            " Of the mixture, those between the smallest and the largest size. An adaptive run "
            "goes by the mixture, whichever family comes first here."
        )
    return Table("Candidate curves", columns, rows, help_text)


def _loo(score: FamilyScore) -> str:
    if score.loo_error is None:
        return "not enough sizes"
    return unseen_error(score.loo_error)


def unseen_error(loo_error: float) -> str:
    """By how much predictions of unseen sizes are typically off, as a percentage.

    A root mean square of logarithms is the logarithm of a typical factor.
    """
    return percent(math.expm1(loo_error))


def model_sentence(document: TuneDocument) -> str:
    """Which curve the answer leans on, or why there is none."""
    model = document.model
    if is_adaptive(document):
        if model is None:
            return "No curve was fitted: there is no usable sample."
        return (
            f"The curve is what all samples together lead to expect at each size "
            f"({model.family}); its band is meant to hold the truth with 90 %."
        )
    if model is None:
        return (
            "No curve was fitted. It takes usable samples at three sizes or more; the points above "
            "stand for themselves."
        )
    return (
        f"Billed time follows the {model.family} family; duration the {model.duration_family} "
        "family."
    )


def spent_sentence(document: TuneDocument) -> str:
    """What the run itself cost, and what of it is unknown."""
    spent = document.spent
    text = (
        f"{spent.invocations:,} invocations, {significant(spent.gb_seconds)}{SPACE}GB-s, "
        f"{usd(spent.usd)} by the billed durations that {_printed(document)}."
    )
    if spent.unmeasured_invocations:
        text += (
            f" {spent.unmeasured_invocations:,} of them had no REPORT line; "
            "what those cost is not in this sum."
        )
    return text


def _printed(document: TuneDocument) -> str:
    """Whose REPORT lines they are; a sandbox bills nobody."""
    endpoint = document.provenance.endpoint
    if endpoint is not None and is_loopback(endpoint):
        return "the sandbox printed, at the prices of AWS: nothing was billed"
    return "AWS printed"


def facts_of(document: TuneDocument) -> list[tuple[str, str]]:
    """Names and values of all that somebody needs to repeat the run."""
    run, function, prices = document.provenance, document.function, document.prices
    return [
        ("Run", run.run_id),
        ("Started", moment(run.started_utc)),
        ("Finished", moment(run.finished_utc)),
        ("Command", shlex.join(run.command)),
        ("Exit code", exit_words(document)),
        *_applied_facts(document.applied),
        ("Tool version", run.tool_version),
        *([("Git commit", run.git_commit)] if run.git_commit is not None else []),
        ("Seed", str(run.seed)),
        ("Plan", plan_words(document)),
        ("Samples", _samples(document)),
        *_budget_fact(document),
        ("Payload", f"{run.payload_bytes:,} bytes, SHA-256 {run.payload_sha256}"),
        ("Function", function.arn),
        *_version_fact(document),
        ("Code SHA-256", function.code_sha256),
        ("Runtime", f"{function.runtime or 'unknown'} on {function.arch}"),
        ("Timeout", f"{function.timeout_s:,} s"),
        ("Ephemeral storage", megabytes(function.ephemeral_storage_mb)),
        ("Region", function.region),
        ("Account", function.account or "unknown"),
        ("Endpoint", run.endpoint or "AWS"),
        ("Price table", f"{prices.source}, table of {prices.table_date}"),
        ("Price of compute", f"{unit_price(prices.gb_second_usd)} per GB-second"),
        ("Price of a request", unit_price(prices.request_usd)),
        ("Price of storage", _storage_price(prices.storage_gb_second_usd)),
        *file_facts(document.raw_files),
    ]


def _applied_facts(applied: ApplyDocument | None) -> list[tuple[str, str]]:
    """What --apply did, put back, and counted while an alias was shifted."""
    if applied is None:
        return []
    done = "; ".join([*applied.done, *applied.taken_back]) or "nothing was changed"
    facts = [("Applied", f"{applied.verdict}: {done}")]
    shift = applied.shift
    if shift is not None:
        sides = ", ".join(
            f"version {side.version} {side.calls:,} calls, {side.errors:,} errors"
            for side in (shift.new, shift.old)
        )
        facts.append(("Shifted", f"{percent(shift.share)} for {seconds(shift.seconds)}: {sides}"))
    return facts


def _samples(document: TuneDocument) -> str:
    warm = sum(size.n for size in document.sizes)
    cold = sum(size.n_cold for size in document.sizes)
    failed = sum(size.n_failed for size in document.sizes)
    return f"{warm:,} warm, {cold:,} cold, {failed:,} failed; by size in the table"


def _version_fact(document: TuneDocument) -> list[tuple[str, str]]:
    """The version that was tuned, where it was not the function by its name."""
    version, qualifier = document.provenance.version, document.provenance.qualifier
    if version is None or qualifier is None:
        return []
    return [("Version", version if qualifier == version else f"{version}, of alias {qualifier}")]


def _budget_fact(document: TuneDocument) -> list[tuple[str, str]]:
    words = budget_words(document.budget) if document.budget is not None else ""
    return [("Budget", words)] if words else []


def _storage_price(price: float | None) -> str:
    if price is None:
        return "unknown: storage above 512 MB is not in the costs"
    return f"{unit_price(price)} per GB-second above 512 MB"
