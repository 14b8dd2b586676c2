"""The prediction of a run: made before the load, and put beside what was measured after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors import ToolError
from loadgen.preflight.comparable import reasons
from loadgen.preflight.measured import quotas_after, with_measured
from loadgen.preflight.predict import Asked, is_predictable, predict, utc_now
from loadgen.preparation import Prepared
from loadgen.tally import Tally
from reports.load_document import LoadDocument
from reports.load_prediction import LoadPrediction


def prediction_of(prepared: Prepared) -> LoadPrediction | None:
    """What the run will meet; None where no limit is known. Nothing of a run depends on it."""
    if not is_predictable(prepared):
        return None
    try:
        return predict(prepared, Asked(utc_now())).document
    except ToolError as error:
        return LoadPrediction(phases=[], notes=[f"nothing was predicted: {error}"])


def beside(
    prediction: LoadPrediction | None,
    document: LoadDocument,
    prepared: Prepared,
    tally: Tally,
) -> LoadDocument:
    """The document with the prediction, and in it what was measured. Asks GetUsage for quotas."""
    if prediction is None:
        return document
    session = prepared.session if prepared.profile.aws.discover else None
    quotas, notes = quotas_after(prediction, prepared.limits, tally, session, utc_now())
    measured = with_measured(
        prediction, document, quotas, document.spent.usd, _at_once(document), reasons(tally)
    )
    measured = measured.model_copy(update={"notes": [*measured.notes, *notes]})
    return document.model_copy(update={"prediction": measured})


def _at_once(document: LoadDocument) -> Mapping[str, Sequence[tuple[str, int]]]:
    """By function, the metric ConcurrentExecutions of its minutes, as far as it was read."""
    telemetry = document.telemetry
    return {
        function.function: [
            (minute.at_utc, minute.concurrency)
            for minute in function.minutes
            if minute.concurrency is not None
        ]
        for function in (telemetry.functions if telemetry is not None else [])
    }
