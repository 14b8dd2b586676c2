"""Answers from what a run has measured so far, and the document of its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.facts import RunFacts
from tuner.sample import Sample
from tuner.strategy import sizes_for_cold

if TYPE_CHECKING:
    from reports.document import TuneDocument
    from tuner.analysis import Answer


@dataclass(frozen=True, slots=True)
class Answered:
    """The document of a run, and the answer that it was built from."""

    document: TuneDocument
    answer: Answer


def answer_run(facts: RunFacts, samples: Sequence[Sample]) -> Answered:
    """The answer of a run that has ended, whichever way."""
    from tuner.result import build_document

    answer = _analysed(facts, samples)
    return Answered(build_document(facts, samples, answer), answer)


def cold_sizes_of(facts: RunFacts, samples: Sequence[Sample]) -> tuple[int, ...]:
    """Where further cold samples are worth having, by what was measured; none without an answer."""
    taken = _analysed(facts, samples).recommendation
    if taken is None:
        return ()
    return sizes_for_cold(
        taken.memory_mb,
        taken.tied_mb,
        facts.target.memory_mb,
        {sample.memory_mb for sample in samples if sample.outcome == "measured"},
    )


def _analysed(facts: RunFacts, samples: Sequence[Sample]) -> Answer:
    # scipy takes longer to import than most mistakes take to be found: not before it is needed.
    from tuner.analysis import Question, analyse
    from tuner.counting import counting_of

    question = Question(
        goal=facts.goal,
        current_mb=facts.target.memory_mb,
        price=facts.price,
        storage_mb=facts.target.storage_mb,
        seed=facts.plan.seed,
        candidates_mb=facts.candidates_mb,
        usage=facts.usage,
        server_prices=facts.server_prices,
        runtime=facts.target.runtime,
        trial_usd=facts.trial_usd,
        counting=counting_of(facts),
    )
    return analyse(samples, facts.table_mb(samples), dict(facts.refused_sizes), question)
