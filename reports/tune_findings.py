"""What a tuning found, in sentences: the verdict line, what supports it, and what is missing.

Every sentence is made from the document alone. A run that is not a pass says so before any number.
"""

from __future__ import annotations

from reports.document import Recommendation, Saving, SizeResult, TuneDocument
from reports.endpoint import custom_endpoint, is_loopback
from reports.figures import closed, megabytes, percent, percent_range

_VERDICT_WORDS = {
    "pass": "Recommendation",
    "inconclusive": "Inconclusive",
    "invalid": "Invalid measurement",
    "interrupted": "Interrupted",
}
_CAUTIONS = {
    "inconclusive": "The data are too few or too noisy to choose a size.",
    "invalid": "Do not act on the figures below: the measurement cannot be trusted.",
    "interrupted": "The run was stopped: the figures below are partial.",
}
_OBJECTIVE_WORDS = {
    "cost": "the lowest cost",
    "speed": "the shortest duration",
    "balanced": "a balance of cost and duration",
}
# Up to here on both sides of zero a change is called "about the same": hardly anybody would move
# a production function for less. A wider interval around zero is an open question, not equality.
_SAME_SHARE = 0.05
LOCAL_SANDBOX = (
    "These figures come from the CPU model of the local sandbox, not from AWS. "
    "Repeat the run against AWS before you change a function by them."
)


def verdict_word(document: TuneDocument) -> str:
    """The verdict in a word or two."""
    if document.verdict == "pass" and document.recommendation is None:
        return "No recommendation"
    return _VERDICT_WORDS[document.verdict]


def headline(document: TuneDocument) -> str:
    """The verdict in one sentence, or a caution and then the sentence."""
    caution = _CAUTIONS.get(document.verdict)
    answer = _answer(document)
    return f"{caution} {answer}" if caution else answer


def _answer(document: TuneDocument) -> str:
    taken = document.recommendation
    if taken is None:
        return _no_answer(document)
    now_mb = document.current.memory_mb
    size, current = megabytes(taken.memory_mb), megabytes(now_mb)
    if document.verdict != "pass":
        return f"So far {size} looks best for {_aim(taken)} (now {current})."
    if taken.memory_mb == now_mb:
        return f"Keep {size}: it is the best measured choice for {_aim(taken)}."
    if not asks_for_a_change(document, taken):
        # A change that the data do not ask for must not read like an order.
        if taken.saving is None:
            return (
                f"{size} looks best for {_aim(taken)}, but the samples at the current {current} "
                "are too few to compare the two."
            )
        claim, subject = f"{size} and the current {current} cannot be told apart", size
        claim += f" for {_aim(taken)}"
    else:
        claim, subject = f"Set {size} instead of {current}", "it"
    if taken.saving is None:
        return f"{claim}. {_why_no_saving(document)}"
    return f"{claim}: {subject} {saving_sentence(taken.saving)}."


def _why_no_saving(document: TuneDocument) -> str:
    current_mb = document.current.memory_mb
    current = megabytes(current_mb)
    now = _size(document, current_mb)
    if now is not None and now.failure is not None:
        return f"{current} failed: {now.failure}."
    return f"How much that saves is unknown: {current} has no usable samples in this run."


def _size(document: TuneDocument, memory_mb: int) -> SizeResult | None:
    return next((size for size in document.sizes if size.memory_mb == memory_mb), None)


def _no_answer(document: TuneDocument) -> str:
    if document.verdict == "invalid":
        return "No size is recommended: remove the cause, then measure again."
    if document.verdict == "interrupted":
        return "No size is recommended: run it again, to the end."
    if any(size.n for size in document.sizes):
        return "No size is recommended. More samples, or more sizes, would settle it."
    return "No size is recommended: there is no usable sample. The table says why, size by size."


def _aim(taken: Recommendation) -> str:
    weight = "" if taken.weight is None else f" (weight of cost {taken.weight:g})"
    return _OBJECTIVE_WORDS[taken.objective] + weight


def saving_sentence(saving: Saving) -> str:
    """Cost and time against the current size: costs 23 % less (90 % interval 19 to 27 %) and ..."""
    cost = _change(saving.cost_share, saving.cost_interval, interval_name="90 % interval ")
    time = _change(saving.duration_share, saving.duration_interval, noun=" time")
    return f"costs {cost} and takes {time}"


def saving_cell(share: float, interval: tuple[float, float]) -> str:
    """A change for a table: 23 % less (19 to 27 %)."""
    return _change(share, interval)


def _change(
    share: float, interval: tuple[float, float], *, noun: str = "", interval_name: str = ""
) -> str:
    low, high = interval
    if low <= 0 <= high:
        either_way = f"{percent(high)} less and {percent(-low)} more"
        if max(high, -low) <= _SAME_SHARE:
            return f"about the same{noun} (between {either_way})"
        return f"somewhere between {either_way}{noun}"
    # The interval decides, for it is what the data allow.
    if low > 0:
        return f"{percent(share)} less{noun} ({interval_name}{percent_range(low, high)})"
    return f"{percent(-share)} more{noun} ({interval_name}{percent_range(-high, -low)})"


def tied_sizes(document: TuneDocument) -> list[int]:
    """The recommended size and all that cannot be told apart from it; empty when it is alone."""
    taken = document.recommendation
    if taken is None:
        return []
    tied = sorted({*taken.tied_mb, taken.memory_mb})
    return tied if len(tied) > 1 else []


def support(document: TuneDocument) -> list[str]:
    """The sentences under the verdict: what went wrong, and why this size."""
    taken = document.recommendation
    reasons = taken.reasons if taken is not None else []
    if taken is not None and not reasons and asks_for_a_change(document, taken):
        # The other headlines name the objective themselves.
        reasons = [f"The objective was {_aim(taken)}"]
    return [closed(sentence) for sentence in (*document.errors, *reasons)]


def asks_for_a_change(document: TuneDocument, taken: Recommendation) -> bool:
    """Whether the data speak for another size than today's."""
    current_mb = document.current.memory_mb
    if document.verdict != "pass" or current_mb == taken.memory_mb:
        return False
    now = _size(document, current_mb)
    if taken.saving is None:
        # Where today's size fails or was not measured, there is nothing to compare with.
        return now is None or now.failure is not None or not now.n
    return current_mb not in taken.tied_mb or _gains_the_other_quality(taken)


def _gains_the_other_quality(taken: Recommendation) -> bool:
    """Whether a size that ties by the objective is surely better in what the objective leaves out.

    For the least cost that is speed, for speed it is cost; a balance leaves nothing out.
    """
    if taken.saving is None or taken.objective == "balanced":
        return False
    gains = {"cost": taken.saving.duration_interval, "speed": taken.saving.cost_interval}
    return gains[taken.objective][0] > _SAME_SHARE


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
    words = []
    taken = document.recommendation
    if taken is not None and size.memory_mb == taken.memory_mb:
        words.append("recommended" if document.verdict == "pass" else "best so far")
    elif size.memory_mb in tied_sizes(document):
        words.append("tied")
    if size.memory_mb == document.current.memory_mb:
        words.append("current")
    if size.failure is not None:
        words.append(f"failed: {size.failure}")
    elif size.n_failed:
        words.append(f"{size.n_failed} failed")
    if size.failure is None and size.n == 0:
        words.append("not measured")
    return words
