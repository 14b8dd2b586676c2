"""What a probe is going to send, as text and as JSON."""

from __future__ import annotations

import json

from core.console import Console
from loadgen.plan_view import cost_words
from loadgen.probe.preparing import Ready
from loadgen.probe.seen import admitted, of_base
from reports.figures import significant
from reports.load_words import limit_words


def show_plan(console: Console, probing: Ready, *, is_answer: bool) -> None:
    """What is going to happen, what it may cost and what must not be exceeded."""
    say = console.show if is_answer else console.say
    setup, caps = probing.setup, probing.setup.caps
    say(f"target: {probing.prepared.resolved.base_url}")
    say(f"looked for: the limit of scenario {setup.base.name}")
    for line in _phases(probing) if is_answer else []:
        say(f"  {line}")
    say(f"plan: {_predicted(probing)}")
    say(
        f"at most: {caps.max_admitted:,} admitted requests, {caps.max_rate_rps:,.0f} requests/s, "
        f"{caps.max_duration_s:,.0f} s"
    )
    say(f"cost: {cost_words(probing.cost)}")
    if probing.configured.buckets:
        say("throttles on the path:")
    for limit in _limits(probing):
        say(f"  {limit}")
    notes = [*probing.prepared.notes, *probing.choice.notes, *probing.notes]
    for note in dict.fromkeys(notes):
        say(f"note: {note}")


def _limits(probing: Ready) -> list[str]:
    of_path = {bucket.name for bucket in probing.configured.buckets}
    return [
        limit_words(one)
        for one in probing.prepared.limits.configured
        if one.name in of_path and one.rate_rps is not None
    ]


def _predicted(probing: Ready) -> str:
    seen = probing.prediction.seen
    words = (
        f"about {seen.took.sent:,} requests in {probing.prediction.length_s:,.0f} s, of which "
        f"{seen.took.admitted:,} are admitted"
    )
    if seen.stop is not None:
        words += f"; it would end early: {seen.stop.reason}"
    return words


def _phases(probing: Ready) -> list[str]:
    base = probing.setup.base
    lines = []
    for one in probing.prediction.seen.phases:
        mine = of_base(one.sent, base.step)
        lines.append(
            f"{one.sent.from_us / 1e6:.1f} s: {one.name}, {significant(one.rate_rps)}/s for "
            f"{one.sent.length_s:.1f} s: {admitted(mine):,} of {len(mine):,} admitted"
        )
    return lines


def plan_document(probing: Ready) -> str:
    """The plan as JSON, for `--dry-run --json`."""
    seen, setup = probing.prediction.seen, probing.setup
    phases = [
        {
            "name": one.name,
            "purpose": one.purpose,
            "from_s": one.sent.from_us / 1e6,
            "to_s": one.sent.to_us / 1e6,
            "rate_rps": one.rate_rps,
            "sent": len(of_base(one.sent, setup.base.step)),
            "admitted": admitted(of_base(one.sent, setup.base.step)),
        }
        for one in seen.phases
    ]
    return json.dumps(
        {
            "schema_version": 1,
            "kind": "limits-plan",
            "verdict": "pass",
            "exit_code": 0,
            "errors": [],
            "name": probing.prepared.profile.name,
            "target": probing.prepared.resolved.facts.model_dump(mode="json"),
            "scenario": setup.base.name,
            "others": {factor: one.name for factor, one in setup.others.items()},
            "canary": None if setup.canary is None else setup.canary.name,
            "predicted": {
                "sent": seen.took.sent,
                "admitted": seen.took.admitted,
                "length_s": probing.prediction.length_s,
                "cost_usd": {"least": probing.cost.least_usd, "most": probing.cost.most_usd},
                "stop": None if seen.stop is None else seen.stop.reason,
                "throttles_known": probing.prediction.known,
                "phases": phases,
            },
            "limits": [one.model_dump(mode="json") for one in probing.prepared.limits.configured],
            "notes": [*probing.prepared.notes, *probing.choice.notes, *probing.notes],
        },
        indent=1,
    )
