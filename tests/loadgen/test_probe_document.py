"""What a probe found: the document, what is configured beside it, and how it is shown."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console as RichConsole

from core.aws.gateway import Throttle
from core.errors import ExitCode
from loadgen.bucket.finding import BucketFinding, Range
from loadgen.limits import Bucket, StepLimits
from loadgen.outcome import Cause
from loadgen.probe.compare import Configured, quota_note
from loadgen.probe.result import judged
from loadgen.probe.seen import Seen, Took
from loadgen.probe.view import show_limits
from reports.exports import export_document
from reports.limits_document import LimitsDocument
from reports.page import render_page
from reports.run_folder import read_document, write_document
from tests.loadgen.probe_rig import BASE, CAPS, OTHERS, PLAIN, bucket, document, layered, run

ACCOUNT = bucket(Cause.ACCOUNT, 10_000, 5_000)
WITH_OTHERS = replace(PLAIN, others=OTHERS)
SEEN = run(layered("stage"), WITH_OTHERS, jitter_ms=10).found
# Judged once, because that takes a second.
FOUND = judged(SEEN, BASE)
AS_CONFIGURED = document(SEEN, WITH_OTHERS, (bucket(), ACCOUNT), FOUND)
UNREAD = "unknown: the account's throttle (the permission apigateway:GET on /account is missing)"


def shown(found: LimitsDocument) -> str:
    """What the terminal has, at 80 columns."""

    class Shown:
        def __init__(self) -> None:
            self.text = StringIO()
            self._rich = RichConsole(file=self.text, width=80)

        def show(self, renderable: object) -> None:
            self._rich.print(renderable, markup=False, highlight=False, soft_wrap=False)

    console = Shown()
    show_limits(console, found)  # type: ignore[arg-type]
    return console.text.getvalue()


def test_rate_burst_and_layer_are_told_with_intervals() -> None:
    found = AS_CONFIGURED.finding

    assert AS_CONFIGURED.verdict == "pass"
    assert AS_CONFIGURED.exit_code == ExitCode.PASS
    assert found.kind == "token_bucket"
    assert found.rate_rps is not None
    assert found.burst is not None
    assert found.rate_rps.value == pytest.approx(60, rel=0.03)
    assert found.burst.value == pytest.approx(50, rel=0.1)
    assert found.rate_rps.low <= 60 <= (found.rate_rps.high or 0)
    assert AS_CONFIGURED.binding.layer == "stage"
    assert AS_CONFIGURED.binding.evidence == "behaviour"


def answers(found: LimitsDocument) -> dict[str, str]:
    return {one.layer: one.answer for one in found.comparisons}


@pytest.mark.parametrize(
    ("buckets", "expected", "verdict"),
    [
        ((bucket(), ACCOUNT), {"stage": "agrees", "account": "unknown"}, "pass"),
        ((bucket(rate=80), ACCOUNT), {"stage": "disagrees", "account": "unknown"}, "failed"),
        ((bucket(burst=80), ACCOUNT), {"stage": "disagrees", "account": "unknown"}, "failed"),
        (
            (bucket(rate=40, burst=20), ACCOUNT),
            {"stage": "disagrees", "account": "unknown"},
            "failed",
        ),
        ((ACCOUNT,), {"account": "unknown", "stage": "disagrees"}, "failed"),
        (
            (bucket(Cause.METHOD, 10, 5), bucket(), ACCOUNT),
            {"method": "disagrees", "stage": "agrees", "account": "unknown"},
            "failed",
        ),
    ],
    ids=["the same", "less rate", "less burst", "more", "none there", "more than another allows"],
)
def test_configuration_and_behaviour_are_compared(
    buckets: tuple[Bucket, ...], expected: dict[str, str], verdict: str
) -> None:
    found = document(SEEN, WITH_OTHERS, buckets, FOUND)

    assert answers(found) == expected
    assert found.verdict == verdict
    assert found.exit_code == (ExitCode.PASS if verdict == "pass" else ExitCode.FAILED)


def test_where_others_were_not_compared_the_configuration_tells_the_layer() -> None:
    found = document(replace(SEEN, comparisons=()), PLAIN, (bucket(), ACCOUNT), FOUND)

    assert found.binding.layer == "stage"
    assert found.binding.evidence == "configuration"


def test_where_both_are_missing_the_layer_stays_open() -> None:
    seen = replace(SEEN, comparisons=())
    found = document(seen, PLAIN, found=FOUND, configured=Configured(None))

    assert found.binding.layer == "unclear"
    assert [one.why for one in found.comparisons] == [
        "configured: unknown (the target is no API that was read)"
    ]


def test_a_missing_permission_is_an_unknown_and_no_number() -> None:
    configured = Configured(StepLimits(0, "GET /a"), (UNREAD,))
    (entry,) = document(SEEN, WITH_OTHERS, found=FOUND, configured=configured).comparisons

    assert (entry.layer, entry.rate_rps, entry.answer) == ("stage", None, "unknown")
    assert "the permission apigateway:GET on /account is missing" in entry.why


def test_without_a_refusal_there_are_bounds_and_no_estimate() -> None:
    setup = replace(PLAIN, caps=replace(CAPS, max_rate_rps=100))
    found = document(run(setup=setup, rate=5_000, burst=5_000).found, setup, (ACCOUNT,))

    assert found.verdict == "inconclusive"
    assert found.finding.kind == "no_refusal"
    assert found.finding.rate_rps is None or found.finding.rate_rps.value is None
    assert found.finding.frontier[0].burst > 100
    assert answers(found) == {"account": "unknown"}
    assert "The burst is at least" in shown(found)


def test_what_is_no_plain_bucket_has_ranges_and_is_held_against_what_was_over_only() -> None:
    rate, burst = Range(None, 50, 90, calibrated=False), Range(None, 20, None, calibrated=False)
    kind = BucketFinding("other_traffic", rate, burst, ("others use it",), other_share=0.3)
    found = document(SEEN, WITH_OTHERS, (bucket(rate=80), ACCOUNT), kind)

    assert found.verdict == "pass"
    assert answers(found)["stage"] == "unknown"
    text = " ".join(shown(found).split())
    assert "rate 50.0 to 90.0 requests/s, burst at least 20.0 requests" in text
    assert "they are no 90 % intervals" in text
    assert "Others use about 30" in text


def test_a_guard_that_ended_it_is_told_beside_what_was_found() -> None:
    setup = replace(PLAIN, caps=replace(CAPS, max_admitted=800))
    found = document(run(setup=setup).found, setup, (bucket(), ACCOUNT), FOUND)

    assert found.verdict == "refused"
    assert found.exit_code == ExitCode.REFUSED
    assert "limits.max_admitted 800" in found.errors[0]
    assert found.counts.admitted <= 800


def test_a_probe_that_was_interrupted_at_once_has_a_document() -> None:
    found = document(Seen((), (), Took()), interrupted=ExitCode.INTERRUPTED)

    assert (found.verdict, found.exit_code) == ("interrupted", ExitCode.INTERRUPTED)
    assert found.finding.kind == "unknown"
    assert "Interrupted" in shown(found)


def test_a_generator_that_dropped_much_makes_it_invalid() -> None:
    phase = SEEN.phases[-1]
    lossy = replace(phase, sent=replace(phase.sent, dropped=500))
    found = document(
        replace(SEEN, phases=(*SEEN.phases[:-1], lossy)), WITH_OTHERS, (bucket(),), FOUND
    )

    assert found.verdict == "invalid"


def test_counts_are_held_against_what_the_schedule_promises() -> None:
    counts = AS_CONFIGURED.counts

    assert counts.allowed == pytest.approx(7 * 50 + 15 * 60, rel=0.05)
    assert counts.base_admitted < (counts.allowed or 0)
    assert counts.layer_admitted > 0


@pytest.mark.parametrize(
    ("quota", "note"),
    [
        (None, None),
        (Throttle(10_000, 5_000), None),
        (Throttle(12_000, 5_000), "Service Quotas has 12,000/s and burst 5,000 for the account"),
    ],
    ids=["unknown", "the same", "another"],
)
def test_service_quotas_are_held_against_the_account(
    quota: Throttle | None, note: str | None
) -> None:
    path = StepLimits(0, "GET /a", (ACCOUNT,), complete=True)
    found = quota_note(Configured(path, quota=quota))

    assert (found is None) if note is None else note in (found or "")


def test_the_terminal_has_the_answer_within_80_columns() -> None:
    text = shown(AS_CONFIGURED)

    assert text.startswith("Found: A token bucket, that of the stage: rate ")
    assert "they do not share it" in " ".join(text.split())
    assert "agrees: rate and burst are" in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_document_is_written_and_read_again(tmp_path: Path) -> None:
    write_document(tmp_path, AS_CONFIGURED)

    assert read_document(tmp_path) == AS_CONFIGURED


@pytest.mark.parametrize("kind", ["html", "md", "json", "junit"])
def test_a_probe_can_be_exported(tmp_path: Path, kind: str) -> None:
    path = export_document(AS_CONFIGURED, f"{kind}={tmp_path / f'x.{kind}'}")
    text = path.read_text(encoding="utf-8")

    assert "stage" in text
    assert ("<svg" in text) == (kind == "html")


def test_a_table_of_a_probe_has_the_finding_the_layers_and_all_that_was_sent(
    tmp_path: Path,
) -> None:
    path = export_document(AS_CONFIGURED, f"csv={tmp_path / 'x.csv'}")
    frame = pd.read_csv(path)

    assert list(frame["part"].unique()) == ["run", "layer", "phase", "bin"]
    whole = frame.iloc[0]
    assert whole["rate_low_rps"] <= whole["rate_rps"] <= whole["rate_high_rps"]
    assert frame[frame["part"] == "phase"]["sent"].sum() > 0
    assert frame[frame["part"] == "layer"]["configured_rate_rps"].notna().any()


def test_probes_stand_on_a_page_with_others() -> None:
    page = render_page([AS_CONFIGURED, AS_CONFIGURED])

    assert page.count("Limits of shop") >= 2
    assert "<title>2 probes</title>" in page
