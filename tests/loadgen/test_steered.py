"""A load that is decided while it goes on: orders become arrivals, and plans learn what came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interrupt import StopRequest
from loadgen.options import RunOptions
from loadgen.preparation import Prepared, prepare, read_options
from loadgen.steered.orders import arrivals_of, order_of, planned_arrivals
from loadgen.steered.segment import Plan, Progress, Segment, Sent, Stream
from loadgen.steered.steer import steer
from tests.loadgen.hostile_server import hostile_server

STREAMS = st.lists(
    st.builds(
        lambda scenario, rate, begin, length, kind: Stream(
            scenario, rate, begin, begin + length, kind
        ),
        st.integers(0, 3),
        st.floats(0.5, 500),
        st.floats(0, 3),
        st.floats(0.1, 3),
        st.sampled_from(["uniform", "poisson"]),
    ),
    max_size=4,
)


@given(STREAMS, st.integers(1, 4), st.integers(0, 2**40))
def test_injectors_together_send_every_arrival_of_a_segment_once(
    streams: list[Stream], injectors: int, from_us: int
) -> None:
    order = order_of(Segment("one", tuple(streams), 6.0), phase=7, from_us=from_us, seed=1)
    whole = arrivals_of(order, 0, 1)
    parts = [arrivals_of(order, injector, injectors) for injector in range(injectors)]

    assert sum(len(part.at_us) for part in parts) == planned_arrivals(order) == len(whole.at_us)
    together = np.sort(np.concatenate([part.at_us for part in parts]))
    assert (together == whole.at_us).all()
    assert (np.diff(whole.at_us) >= 0).all()
    assert set(whole.phase.tolist()) <= {7}
    for scenario in range(4):
        mine = [one for one in streams if one.scenario == scenario]
        times = (whole.at_us[whole.scenario == scenario] - from_us) / 1e6
        inside = np.zeros(len(times), bool)
        for one in mine:
            inside |= (times >= one.from_s - 1e-6) & (times <= one.to_s + 1e-6)
        assert inside.all()


@pytest.mark.parametrize("kind", ["uniform", "poisson"])
def test_a_stream_has_the_arrivals_that_its_rate_says(kind: str) -> None:
    stream = Stream(0, 1000.0, 1.0, 21.0, kind)  # type: ignore[arg-type]
    order = order_of(Segment("one", (stream,), 21.0), phase=0, from_us=0, seed=3)

    # 5 standard deviations of a Poisson count.
    assert abs(planned_arrivals(order) - 20_000) <= (0 if kind == "uniform" else 5 * 142)


# -- with injectors -------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_stepping_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends gives way to its injectors for good, and this is the process of other tests too."""
    monkeypatch.setattr("loadgen.steered.steer.step_back", lambda: None)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("steered")
    with hostile_server() as server:
        profile = {
            "version": 1,
            "name": "steered",
            "target": {"url": server.url},
            "load": {"seed": 7, "processes": 2, "phases": [{"name": "never", "burst": 9}]},
            "scenarios": [
                {"name": "ok", "flow": [{"get": "/normal"}]},
                {"name": "empty", "flow": [{"get": "/empty"}]},
            ],
        }
        path = folder / "profile.yaml"
        path.write_text(json.dumps(profile))
        options = RunOptions(
            profile=path,
            environment=None,
            settings=(),
            sandbox=False,
            region=None,
            aws_profile=None,
            processes=None,
            seed=None,
            runs=folder,
            exports=(),
            dry_run=False,
            yes=True,
            ui=None,
            records=False,
        )
        file, read = read_options(options)
        yield prepare(file, read, None, warn=print)


def two_kinds(met: list[Sent]) -> Plan[str]:
    """A pause, two scenarios at once, and a segment that its watch ends."""
    met.append((yield Segment("pause", (), 0.05)))
    both = (Stream(0, 100, 0, 0.4), Stream(1, 50, 0.2, 0.4))
    met.append((yield Segment("both", both, 0.4, rest_s=0.5)))

    def enough(progress: Progress) -> str | None:
        return "enough" if progress.ended else None

    met.append((yield Segment("long", (Stream(0, 20, 0, 60),), 60.0, watch=enough)))
    return "found"


def test_a_plan_is_told_what_came_of_each_segment(prepared: Prepared, tmp_path: Path) -> None:
    met: list[Sent] = []
    with StopRequest() as stop:
        steered = steer(prepared, two_kinds(met), tmp_path, stop=stop, spread=8)

    pause, both, long = met
    assert steered.finding == "found"
    assert len(pause.records) == 0
    assert pause.length_s == 0.05
    # 40 of one scenario and 10 of the other, each with its outcome, half a second after the pause.
    assert np.bincount(both.records["step"]).tolist() == [40, 10]
    assert not both.outcome.any()
    assert both.from_us == pause.to_us + 500_000
    assert (np.diff(both.send_s) >= 0).all()
    assert (both.rtt_s <= both.response_s + 1e-6).all()
    # Spread over the connections of both injectors.
    assert len(set(both.connection.tolist())) == 8
    assert long.stopped == "enough"
    assert 0 < long.length_s < 30
    # The profile's own phases are left out, and the books balance.
    assert [plan.name for plan in steered.tally.phases] == ["pause", "both", "long"]
    assert steered.course.stopped_by is None
    sent = sum(one.sent for one in steered.course.drained.values())
    assert sent == 50 + len(long.records)


def stopping(stop: StopRequest, met: list[Sent]) -> Plan[int]:
    """A plan in the middle of which the user stops the run."""

    def press(progress: Progress) -> str | None:
        stop.request()
        return None

    sent = yield Segment("long", (Stream(0, 50, 0, 60),), 60.0, watch=press)
    met.append(sent)
    return len(sent.records)


def test_a_plan_gets_what_there_is_when_the_run_is_stopped(
    prepared: Prepared, tmp_path: Path
) -> None:
    met: list[Sent] = []
    # One injector is enough, and is there sooner.
    load = prepared.profile.load.model_copy(update={"processes": 1})
    alone = replace(prepared, profile=prepared.profile.model_copy(update={"load": load}))
    with StopRequest() as stop:
        steered = steer(alone, stopping(stop, met), tmp_path, stop=stop)

    assert steered.course.stopped_by == "signal"
    assert met[0].stopped == "interrupted"
    assert steered.finding == len(met[0].records)
    assert not [one for one in steered.course.drained.values() if one.sent != one.completed]
