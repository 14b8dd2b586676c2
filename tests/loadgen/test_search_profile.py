"""What is said of phases that search and are not in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.schedule import plan_phases
from tests.loadgen.made_runs import profile_of
from tests.loadgen.profile_texts import GOOD, faults, read

SPIKE = "{name: spike, burst: 100, within: 50ms, scenarios: [browse]}"
MOST = '{name: most, search: max_rate, bounds: [20, 400], slo: ["p95(response) < 1s"]}'
PHASE = "load.phases[5]"


def with_search(most: str) -> str:
    return GOOD.replace(SPIKE, f"{SPIKE}\n    - {most}")


def test_a_phase_that_searches_has_sensible_defaults(tmp_path: Path):
    phase = read(tmp_path, with_search(MOST)).profile.load.phases[-1]
    assert (phase.step_s, phase.cool_down_s) == (10.0, 5.0)
    assert (phase.confidence, phase.resolution) == (0.95, 0.02)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("bounds: [20, 400], ", "", f"{PHASE}.bounds: is missing"),
        ("[20, 400]", "[400, 20]", f"{PHASE}.bounds: must be two rates above 0"),
        ("[20, 400]", "[0, 20]", f"{PHASE}.bounds: must be two rates above 0"),
        (', slo: ["p95(response) < 1s"]', "", f"{PHASE}.slo: is missing"),
        ('["p95(response) < 1s"]', "[]", f"{PHASE}.slo: is missing"),
        ("p95(response)", "max(response)", f"{PHASE}.slo[0]: 'max(response) < 1s': a search tests"),
        ("bounds:", "step: 500ms, bounds:", f"{PHASE}.step: must be at least 1s"),
        ("bounds:", "confidence: 1, bounds:", f"{PHASE}.confidence: must be from 0.5 to 0.999"),
        ("bounds:", "resolution: 80%, bounds:", f"{PHASE}.resolution: must be from 0.005 to 0.5"),
        ("bounds:", "duration: 5s, bounds:", f"{PHASE}.duration: does not go with search"),
        ("bounds:", "rate: 5, bounds:", f"{PHASE}: must have exactly one of rate, burst, search"),
        ("bounds:", "measure: false, bounds:", f"{PHASE}.measure: does not go with search"),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path: Path, before: str, after: str, said: str):
    found = faults(tmp_path, with_search(MOST.replace(before, after)))
    assert any(said in one for one in found), found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            with_search(f"{MOST}\n    - {{name: after, pause: 1s}}"),
            f"{PHASE}.search: must be the last phase",
        ),
        (
            with_search(MOST).replace("  max_in_flight: 200", "  arrivals: {size: 5}"),
            f"{PHASE}.search: arrivals in groups cannot be searched",
        ),
        (GOOD.replace("burst: 100", "burst: 100, step: 5s"), "step: does not go with burst"),
    ],
    ids=["not the last", "groups", "keys of a search elsewhere"],
)
def test_a_search_has_its_place(tmp_path: Path, text: str, said: str):
    found = faults(tmp_path, text)
    assert any(said in one for one in found), found


def test_the_plan_has_the_most_that_a_search_may_send():
    search = {"name": "most", "search": "max_rate", "bounds": [20, 100], "slo": ["rate(ok) > 99%"]}
    warm = {"name": "warm", "duration": "10s", "rate": 10}
    [_, few] = plan_phases(profile_of(warm, search | {"step": "1s"}))
    assert (few.kind, few.expected, few.peak_rps) == ("search", 12_000, 100)
    guarded = profile_of(warm, search, guards={"max_requests": 5000})
    assert plan_phases(guarded)[-1].expected == 4900
