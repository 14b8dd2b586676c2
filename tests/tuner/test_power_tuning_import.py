"""`tune import`: what means show by our rules, and what they cannot show."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import Any

import pytest

from core.aws.limits import MEMORY_MAX_MB
from core.console import Console
from core.errors import ExitCode, InputError
from reports.figures import SPACE
from tuner.objective import Goal
from tuner.power_tuning.import_run import ImportOptions, import_output
from tuner.power_tuning.link import Point, encode_link
from tuner.power_tuning.output_file import parse_output, read_output
from tuner.power_tuning.reading import Reading, read_points
from tuner.sizes import parse_sizes

# The chart in the README of aws-lambda-power-tuning, priced as its default table does.
README_MS = {128: 37002, 256: 18648, 512: 8489, 1024: 3891, 1536: 2512, 3008: 2010}
# A function that waits: more memory costs more and brings nothing.
WAITING_MS = dict.fromkeys((128, 256, 512, 1024), 214.0)


def priced(memory_mb: int, duration_ms: float) -> float:
    return math.ceil(duration_ms) * 2.1e-9 * memory_mb / 128


def points(durations_ms: dict[int, float]) -> list[Point]:
    return [Point(mb, ms, priced(mb, ms)) for mb, ms in durations_ms.items()]


def output(durations_ms: dict[int, float], **changed: Any) -> dict[str, Any]:
    """The output of a run that chose the first size."""
    first = next(iter(durations_ms))
    machine = {
        "executionCost": 0.0006,
        "lambdaCost": 0.0041,
        "visualization": encode_link(points(durations_ms)),
    }
    return {
        "power": first,
        "cost": priced(first, durations_ms[first]),
        "duration": durations_ms[first],
        "stateMachine": machine,
        **changed,
    }


def stats(durations_ms: dict[int, float]) -> list[dict[str, float]]:
    return [
        {"value": mb, "averagePrice": priced(mb, ms), "averageDuration": ms}
        for mb, ms in durations_ms.items()
    ]


def reading(durations_ms: dict[int, float], goal: Goal | None = None) -> Reading:
    text = json.dumps(output(durations_ms, stats=stats(durations_ms)))
    return read_points(parse_output(text, "out.json"), goal or Goal("cost"))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        pytest.param(json.dumps(output(README_MS)), "link", id="as the state machine ends"),
        pytest.param(json.dumps({"results": output(README_MS)}), "link", id="in results"),
        pytest.param(
            json.dumps({"results": output(README_MS, power="128")}), "link", id="power as text"
        ),
        pytest.param(
            json.dumps({"status": "SUCCEEDED", "output": json.dumps(output(README_MS))}),
            "link",
            id="describe-execution",
        ),
        pytest.param(
            json.dumps(output(README_MS, stats=stats(README_MS))), "stats", id="with stats"
        ),
    ],
)
def test_all_points_are_read(text: str, form: str) -> None:
    found = parse_output(text, "out.json")

    assert found.form == form
    assert {point.memory_mb: point.duration_ms for point in found.points} == README_MS
    assert [point.cost for point in found.points] == pytest.approx(
        [priced(mb, ms) for mb, ms in README_MS.items()]
    )
    assert (found.chosen_mb, found.execution_cost, found.lambda_cost) == (128, 0.0006, 0.0041)


def test_a_result_alone_is_one_point() -> None:
    text = json.dumps({"power": 512, "cost": 2e-6, "duration": 30})

    assert parse_output(text, "out.json").points == (Point(512, 30, 2e-6),)


def test_sizes_that_power_tuning_could_not_read_are_left_out() -> None:
    durations_ms = {**WAITING_MS, 128: 0.0, 256: 0.0}

    found = parse_output(json.dumps(output(WAITING_MS, stats=stats(durations_ms))), "out.json")

    assert [point.memory_mb for point in found.points] == [512, 1024]
    assert found.skipped_mb == (128, 256)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{}", "out.json: holds no result .got {}.: .* a size fails", id="failed"),
        pytest.param("null", "holds no result .got null", id="dry run"),
        pytest.param("{", "out.json:1:2: expected JSON", id="no JSON"),
        pytest.param('{"output": "{"}', "out.json: output:1:2: expected JSON", id="inner JSON"),
        pytest.param("[1]", r"out.json: expected an object of the output.*got \[1\]", id="list"),
        pytest.param('{"kind": "tune"}', "out.json: expected the output of aws", id="another file"),
        pytest.param('{"results": 5}', "results: expected an object.*got 5", id="results"),
        pytest.param('{"power": 512, "cost": 1}', "out.json: duration: missing", id="missing"),
        pytest.param(
            '{"power": "big", "cost": 1, "duration": 2}',
            'power: expected a memory size in whole MB .got "big"',
            id="size",
        ),
        pytest.param(
            '{"power": 512, "cost": -1, "duration": 2}',
            "cost: expected a number from 0 up .got -1",
            id="cost",
        ),
        pytest.param(
            '{"power": 512, "cost": 1, "duration": NaN}',
            "duration: expected a number from 0 up .got NaN",
            id="NaN",
        ),
        pytest.param('{"stats": {}}', "stats: expected a list of value", id="stats"),
        pytest.param('{"stats": [7]}', r"stats\[0\]: expected an object", id="stat"),
        pytest.param(
            '{"stats": [{"value": 128, "averagePrice": 1}]}',
            r"stats\[0\].averageDuration: missing",
            id="stat without duration",
        ),
        pytest.param(
            '{"stats": [{"value": 128, "averagePrice": 0, "averageDuration": 0}]}',
            "expected sizes with a duration and a cost above 0",
            id="nothing measured",
        ),
        pytest.param(
            '{"stateMachine": {"visualization": 5}}',
            "stateMachine.visualization: expected a link .got 5",
            id="no link",
        ),
        pytest.param(
            '{"stateMachine": {"visualization": "https://x/#a;b"}}',
            "out.json: stateMachine.visualization: expected .* .got 2 of 3",
            id="damaged link",
        ),
    ],
)
def test_what_is_no_output_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_output(text, "out.json")


def test_a_file_that_is_not_there_and_a_cut_link_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"could not read .*gone.json: No such file"):
        read_output(str(tmp_path / "gone.json"))
    with pytest.raises(InputError, match=r"the link: expected sizes.* quote the link"):
        read_output("https://lambda-power-tuning.show/#gAA=")


def test_the_best_sizes_are_those_of_the_means() -> None:
    assert reading(README_MS).best_mb == {"cost": 1536, "speed": 3008, "balanced": 1536}


def test_of_sizes_within_one_per_cent_the_other_quality_decides() -> None:
    near = {512: 400.0, 1024: 199.0, 2048: 198.0}

    assert reading(near).best_mb == {"cost": 1024, "speed": 1024, "balanced": 1024}


def test_the_fee_of_a_request_counts() -> None:
    short = {128: 3.0, 256: 1.4}

    rows = reading(short).rows

    assert [row.cost_per_million - row.stated_per_million for row in rows] == pytest.approx(
        [0.2] * 2
    )


def test_what_is_beside_the_best_stays_open_whatever_the_curve_says() -> None:
    assert reading(README_MS).open_mb == (1024, 1536, 1769, 2048, 3008)


def test_a_better_size_between_the_points_is_found_by_the_curve() -> None:
    """One thread: the knee of one vCPU is between two of the points."""
    one_thread = {mb: 2e6 / min(mb, 1769) + 20 for mb in (128, 512, 1024, 1300, 3008, 4096)}

    between = reading(one_thread, Goal("speed")).between

    assert between is not None
    assert (between.family, between.is_sound) == ("saturating", True)
    balanced = reading(one_thread, Goal("balanced", weight=0.5))
    assert balanced.between is not None
    assert balanced.between.may_be_better
    assert balanced.between.best_mb == pytest.approx(1769, rel=0.06)
    assert balanced.between.best_mb in balanced.open_mb


def test_means_that_follow_no_curve_say_nothing_of_what_is_between() -> None:
    wild = {128: 300.0, 256: 1466.0, 320: 356.0, 512: 1500.0, 1024: 235.0, 2048: 900.0}

    between = reading(wild).between

    assert between is not None
    assert not between.is_sound
    assert not between.may_be_better


@pytest.mark.parametrize(
    ("durations_ms", "goal", "beyond_mb"),
    [
        pytest.param({256: 214.0, 512: 214.0}, "cost", 128, id="below the smallest"),
        pytest.param(README_MS, "speed", 5308, id="above the largest"),
    ],
)
def test_at_an_edge_the_next_size_is_open(
    durations_ms: dict[int, float], goal: Any, beyond_mb: int
) -> None:
    found = reading(durations_ms, Goal(goal))

    assert found.at_edge
    assert beyond_mb in found.open_mb


@pytest.mark.parametrize("only_mb", [1, 128, 1024, MEMORY_MAX_MB, 32767])
def test_one_size_leaves_its_neighbours_open(only_mb: int) -> None:
    found = reading({only_mb: 50.0})

    assert found.between is None
    assert found.open_mb == parse_sizes(",".join(str(mb) for mb in found.open_mb))
    assert len(found.open_mb) >= 1


def test_a_grid_of_all_sizes_leaves_few_open() -> None:
    every = {mb: 300.0 + 2e5 / mb for mb in range(128, 3009, 64)}

    assert len(reading(every).open_mb) <= 8


def run(
    source: str, capsys: pytest.CaptureFixture[str], **given: Any
) -> tuple[ExitCode, dict[str, Any], str]:
    options = ImportOptions(source, **{"objective": None, "weight": None, **given})
    code = import_output(options, Console(json_output=True))
    printed = capsys.readouterr()
    return code, json.loads(printed.out), printed.err.replace(SPACE, " ")


def test_an_import_is_inconclusive_and_says_what_to_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out.json").write_text(json.dumps(output(README_MS)))

    code, document, shown = run(str(tmp_path / "out.json"), capsys)

    assert code == document["exit_code"] == ExitCode.INCONCLUSIVE
    assert (document["kind"], document["verdict"]) == ("power-tuning-import", "inconclusive")
    assert "power tuning chose 128 MB" in shown
    assert "means have no scatter" in shown
    assert shlex.join(document["command"]) == "tune FUNCTION --sizes 1024,1536,1769,2048,3008"
    assert f"  {shlex.join(document['command'])}\n" in shown
    assert document["visualization_url"] == encode_link(points(README_MS))
    assert [size["best_in"] for size in document["sizes"] if size["best_in"]] == [
        ["cheapest", "balanced"],
        ["fastest"],
    ]


def test_a_link_is_enough_and_the_objective_is_in_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    link = encode_link(points(WAITING_MS))

    _, document, shown = run(link, capsys, objective="balanced", weight=0.3)

    assert document["command"][-4:] == ["--objective", "balanced", "--weight", "0.3"]
    assert "power tuning chose" not in shown
    assert "up to 0.5 % too much" in shown


def test_another_currency_is_shown_without_a_fee_that_is_not_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    link = encode_link(points(WAITING_MS)).replace(".show/", ".show/?currency=CNY")

    _, document, shown = run(link, capsys)

    assert document["source"]["currency"] == "CNY"
    assert document["visualization_url"] is None
    assert "CNY per million" in shown
    assert "not known here in CNY" in shown
    assert all(s["cost_per_million"] == s["stated_cost_per_million"] for s in document["sizes"])


@pytest.mark.parametrize("objective", ["slo", "knee", "best"])
def test_objectives_that_need_samples_are_refused(objective: str) -> None:
    options = ImportOptions(encode_link(points(WAITING_MS)), objective, None)

    with pytest.raises(InputError, match="--objective: expected one of cost, speed, balanced here"):
        import_output(options, Console())


def test_a_file_that_never_ends_is_not_read_to_its_end() -> None:
    with pytest.raises(InputError, match="/dev/zero: expected at most 4000000 bytes"):
        read_output("/dev/zero")
