"""What a tuning found, in sentences: the verdict line, what supports it, and what is missing.

Every sentence is made from the document alone. A run that is not a pass says so before any number.
"""

from __future__ import annotations

from reports.document import Recommendation, SizeResult, TuneDocument
from reports.endpoint import custom_endpoint, is_loopback
from reports.figures import closed, megabytes
from reports.tune_arch import arch_sentence
from reports.tune_goal import aim, closeness, knee_claim
from reports.tune_monthly import monthly_sentence
from reports.tune_plan import ending_sentence
from reports.tune_saving import SAME_SHARE, saving_sentence
from reports.tune_sizes import is_measured, size_at, standing
from reports.tune_slo import kept_words, no_size_sentence, unkept_problem
from reports.tune_test import TEST_WORDS, is_test_run, test_headline

_VERDICT_WORDS = {
    "pass": "Recommendation",
    "fail": "Infeasible",
    "inconclusive": "Inconclusive",
    "invalid": "Invalid measurement",
    "interrupted": "Interrupted",
}
_CAUTIONS = {
    "inconclusive": "The data are too few or too noisy to choose a size.",
    "invalid": "Do not act on the figures below: the measurement cannot be trusted.",
    "interrupted": "The run was stopped: the figures below are partial.",
}
LOCAL_SANDBOX = (
    "These figures come from the CPU model of the local sandbox, not from AWS. "
    "Repeat the run against AWS before you change a function by them."
)


def verdict_word(document: TuneDocument) -> str:
    """The verdict in a word or two."""
    if is_test_run(document) and document.verdict in TEST_WORDS:
        return TEST_WORDS[document.verdict]
    if document.verdict == "pass" and document.recommendation is None:
        return "No recommendation"
    return _VERDICT_WORDS[document.verdict]


def headline(document: TuneDocument) -> str:
    """The verdict in one sentence, or a caution and then the sentence."""
    if is_test_run(document):
        return test_headline(document)
    caution = _CAUTIONS.get(document.verdict)
    answer = _answer(document)
    return f"{caution} {answer}" if caution else answer


def _answer(document: TuneDocument) -> str:
    taken, limit = document.recommendation, _unkept_limit(document)
    if taken is None:
        return limit or _no_answer(document)
    if document.verdict != "pass":
        return f"{limit} {_so_far(document, taken)}".strip()
    if taken.memory_mb == document.current.memory_mb:
        return _keep(document, taken)
    return _change_of_size(document, taken)


def _unkept_limit(document: TuneDocument) -> str:
    """That no size keeps the limit, or none is shown to; empty where one does, or none was set."""
    if document.slo is None or document.slo.verdict == "met" or document.verdict == "invalid":
        return ""
    return no_size_sentence(document, document.slo)


def _so_far(document: TuneDocument, taken: Recommendation) -> str:
    size, current = megabytes(taken.memory_mb), megabytes(document.current.memory_mb)
    near = _near(document, taken)
    return f"So far {size} looks best for {aim(taken)} (now {current}){near and f': {near}'}."


def _near(document: TuneDocument, taken: Recommendation) -> str:
    """How close to the best the size is; of one size alone that would say nothing."""
    return closeness(taken) if sum(size.n > 0 for size in document.sizes) > 1 else ""


def _keep(document: TuneDocument, taken: Recommendation) -> str:
    """Today's size is the one to have, and why."""
    size = megabytes(taken.memory_mb)
    if document.slo is not None:
        return f"Keep {size}. It is {kept_words(document, document.slo, taken)}."
    if taken.objective == "knee":
        return f"Keep {size}: {knee_claim(taken)}."
    near = _near(document, taken) or f"it is the best measured choice for {aim(taken)}"
    return f"Keep {size}: {near}."


def _change_of_size(document: TuneDocument, taken: Recommendation) -> str:
    """Another size than today's: what speaks for it, and whether to set it."""
    size, current = megabytes(taken.memory_mb), megabytes(document.current.memory_mb)
    wanted, merit = asks_for_a_change(document, taken), _merit(document, taken)
    if (
        taken.saving is None
        and not is_measured(document, document.current.memory_mb)
        and not wanted
    ):
        # Nothing says that it is better than today's, which the limits of the run leave out.
        best = merit or f"{size} looks best for {aim(taken)}."
        return (
            f"{best} Whether to set it instead of {current} is unknown: {current} has no usable "
            "samples in this run."
        )
    if taken.saving is None and not wanted:
        return (
            f"{size} looks best for {aim(taken)}, but the samples at the current {current} "
            "are too few to compare the two."
        )
    claim = f"Set {size} instead of {current}"
    if not wanted:
        # A change that the data do not ask for must not read like an order.
        claim = (
            f"No change is called for: {size} and the current {current} cannot be told apart for "
            f"{aim(taken)}"
        )
    if taken.saving is None:
        return f"{merit} {claim}. {_why_it_fails(document)}".strip()
    if merit:
        # What it saves is not why it is recommended: that is said below.
        return f"{merit} {claim}."
    subject = ": it" if wanted else f". {size}"
    return f"{claim}{subject} {saving_sentence(taken.saving)}{_how_known(document)}."


def _merit(document: TuneDocument, taken: Recommendation) -> str:
    """What makes the size the one that was asked for, where cost and speed do not say it."""
    size = megabytes(taken.memory_mb)
    if document.slo is not None:
        return f"{size} is {kept_words(document, document.slo, taken)}."
    return f"{size} is the knee: {knee_claim(taken)}." if taken.objective == "knee" else ""


def _comparison(document: TuneDocument) -> str:
    """What the size saves, where the headline has another reason for it."""
    taken, current_mb = document.recommendation, document.current.memory_mb
    if taken is None or taken.saving is None or taken.memory_mb == current_mb:
        return ""
    if document.verdict != "pass" or not _merit(document, taken):
        return ""
    saving = f"{saving_sentence(taken.saving)}{_how_known(document)}"
    return f"Against the current {megabytes(current_mb)} it {saving}"


def _how_known(document: TuneDocument) -> str:
    """Today's size needs no call of its own where the curve says enough of it."""
    measured = is_measured(document, document.current.memory_mb)
    return "" if measured else ", today's size estimated from the curve"


def _why_it_fails(document: TuneDocument) -> str:
    now = size_at(document, document.current.memory_mb)
    failure = "" if now is None or now.failure is None else f": {now.failure}"
    return f"{megabytes(document.current.memory_mb)} failed{failure}."


def _no_answer(document: TuneDocument) -> str:
    if document.verdict == "invalid":
        return "No size is recommended: remove the cause, then measure again."
    if document.verdict == "interrupted":
        return "No size is recommended: run it again, to the end."
    if any(size.n for size in document.sizes):
        return "No size is recommended. More samples, or more sizes, would settle it."
    why = " The table says why, size by size." if any(s.failure for s in document.sizes) else ""
    return f"No size is recommended: there is no usable sample.{why}"


def support(document: TuneDocument) -> list[str]:
    """The sentences under the verdict: what went wrong, how sure it is, and why this size."""
    taken = document.recommendation
    reasons = taken.reasons if taken is not None else []
    is_said = taken is not None and taken.objective in ("slo", "knee")
    if taken is not None and not reasons and not is_said and asks_for_a_change(document, taken):
        # The other headlines name the objective themselves.
        reasons = [f"The objective was {aim(taken)}"]
    found = [
        *_problems(document),
        ending_sentence(document),
        _comparison(document),
        _confidence(document),
        _unverified(document),
        _failed_calls(document),
        *reasons,
        arch_sentence(document),
        monthly_sentence(document),
    ]
    return [closed(sentence) for sentence in found if sentence]


def _problems(document: TuneDocument) -> list[str]:
    """What went wrong, but not that a limit is not kept: the headline has that."""
    said = unkept_problem(document.slo) if document.slo and _unkept_limit(document) else None
    return [error for error in document.errors if error != said]


def _confidence(document: TuneDocument) -> str:
    """How close to the best the size is, where the headline does not say it."""
    taken = document.recommendation
    near = _near(document, taken) if taken is not None else ""
    if taken is None or not near or near in headline(document):
        return ""
    return f"{megabytes(taken.memory_mb)} is {near}"


def _unverified(document: TuneDocument) -> str:
    """That nobody has invoked the size that is named."""
    taken = document.recommendation
    if taken is None or is_measured(document, taken.memory_mb):
        return ""
    size = megabytes(taken.memory_mb)
    return f"{size} is not verified by a call: its figures are estimated from the curve"


def _failed_calls(document: TuneDocument) -> str:
    """That calls fail at the recommended size, which a row of the table says too quietly."""
    taken = document.recommendation
    size = size_at(document, taken.memory_mb) if taken is not None else None
    if size is None or not size.n_failed:
        return ""
    calls = "1 call" if size.n_failed == 1 else f"{size.n_failed:,} calls"
    return f"{calls} at {megabytes(size.memory_mb)} failed: find the cause before you rely on it"


def asks_for_a_change(document: TuneDocument, taken: Recommendation) -> bool:
    """Whether the data speak for another size than today's."""
    current_mb = document.current.memory_mb
    if document.verdict != "pass" or current_mb == taken.memory_mb:
        return False
    now = size_at(document, current_mb)
    if taken.saving is None:
        # A size that fails is no choice; one that was not measured may be the better one.
        return now is not None and now.failure is not None
    return current_mb not in taken.tied_mb or _gains_the_other_quality(taken)


def _gains_the_other_quality(taken: Recommendation) -> bool:
    """Whether a size that ties by the objective is surely better in what the objective leaves out.

    For the least cost that is speed, for speed it is cost; a balance leaves nothing out.
    """
    if taken.saving is None or taken.objective in ("balanced", "knee"):
        return False
    left_out = "cost" if taken.objective == "speed" else "duration"
    gains = {"duration": taken.saving.duration_interval, "cost": taken.saving.cost_interval}
    return gains[left_out][0] > SAME_SHARE


def cautions(document: TuneDocument) -> list[str]:
    """What a reader must know before any number: where the figures come from."""
    endpoint = document.provenance.endpoint
    if endpoint is None:
        return []
    if is_loopback(endpoint):
        return [LOCAL_SANDBOX]
    return [custom_endpoint(endpoint)]


def remark(size: SizeResult, document: TuneDocument) -> list[str]:
    """Why a row of the table stands out: recommended, tied, current, failed."""
    words = standing(document, size.memory_mb)
    if size.failure is not None:
        words.append(f"failed: {size.failure}")
    elif size.n_failed:
        words.append(f"{size.n_failed} failed")
    if size.failure is None and size.n == 0:
        answers = is_test_run(document) and size.n_cold and not size.n_failed
        words.append("answers" if answers else "not measured")
    return words
