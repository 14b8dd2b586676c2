"""Flows: their order and weights, the rows and cookies of their sessions, and their pauses."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from core.errors import InputError
from loadgen.flow.compile import Think
from loadgen.profile.model import RangeBetween, RangeExponential
from loadgen.steps import step_infos
from tests.loadgen.flow_rig import Parsed, answer, flows, profile, session, step, steps_of


def test_steps_have_the_numbers_and_names_of_the_profile() -> None:
    made = profile(
        [],
        scenarios=[
            {"name": "a", "weight": 3, "flow": [{"get": "/1"}, {"think": "1s"}, {"head": "/2"}]},
            {"name": "b", "flow": [{"post": "/3", "name": "third", "timeout": "250ms"}]},
        ],
        http={"timeout": {"total": "7s"}},
    )
    first, second = flows(made)
    assert (first.name, first.weight, second.name, second.weight) == ("a", 3, "b", 1)
    assert isinstance(first.items[1], Think)
    steps = [*steps_of(first), *steps_of(second)]
    assert [(one.index, one.name) for one in steps] == [
        (info.index, info.name) for info in step_infos(made)
    ]
    assert [one.timeout_s for one in steps] == [7, 7, 0.25]
    assert [one.is_head for one in steps] == [False, True, False]


def test_sessions_are_numbered_over_all_flows_of_an_injector() -> None:
    scenarios = [{"name": name, "flow": [{"get": "/${injector}/${iteration}"}]} for name in "ab"]
    urls = []
    for flow in flows(profile([], scenarios=scenarios), injector=3, injectors=4):
        for _ in range(2):
            scope = flow.session()
            assert scope is not None
            urls.append(Parsed(steps_of(flow)[0].render(scope)).url.decode())
    assert urls == ["/prod/3/0", "/prod/3/1", "/prod/3/2", "/prod/3/3"]


@pytest.fixture
def users(tmp_path: Path) -> Path:
    (tmp_path / "users.csv").write_text("id,name\n1,Ann\n2,Bob\n3,Cid\n")
    return tmp_path


def drawn(
    folder: Path, *paths: str, injector: int = 0, injectors: int = 1, **feed: Any
) -> list[list[str]]:
    """What the steps of two flows send in each of four turns."""
    scenarios = [{"name": path, "flow": [{"get": path}]} for path in paths]
    made = profile(
        [],
        scenarios=[{**one, "name": f"s{number}"} for number, one in enumerate(scenarios)],
        data={"users": {"file": "users.csv", **feed}},
    )
    found: list[list[str]] = [[] for _ in paths]
    compiled = flows(made, base_dir=folder, injector=injector, injectors=injectors)
    for _ in range(4):
        for flow, urls in zip(compiled, found, strict=True):
            scope = flow.session()
            urls.append(
                "-" if scope is None else Parsed(steps_of(flow)[0].render(scope)).url.decode()[6:]
            )
    return found


def test_each_session_draws_a_row_of_the_feeds_that_its_flow_uses(users: Path) -> None:
    assert drawn(users, "/${data.users.id}") == [["1", "2", "3", "1"]]
    assert drawn(users, "/${data.users.id}${data.users.name}", "/plain") == [
        ["1Ann", "2Bob", "3Cid", "1Ann"],
        ["plain"] * 4,
    ]


def test_flows_share_a_feed(users: Path) -> None:
    assert drawn(users, "/${data.users.id}", "/b${data.users.id}", order="unique") == [
        ["1", "3", "-", "-"],
        ["b2", "-", "-", "-"],
    ]


def test_injectors_share_a_feed(users: Path) -> None:
    kept = [
        drawn(users, "/${data.users.id}", order="unique", injector=number, injectors=2)[0]
        for number in range(2)
    ]
    assert kept == [["1", "3", "-", "-"], ["2", "-", "-", "-"]]


def test_a_common_header_can_use_a_feed(users: Path) -> None:
    made = profile(
        [{"get": "/"}],
        http={"headers": {"X-User": "${data.users.name}"}},
        data={"users": {"file": "users.csv"}},
    )
    (flow,) = flows(made, base_dir=users)
    scope = flow.session()
    assert scope is not None
    assert Parsed(steps_of(flow)[0].render(scope)).header("x-user") == "Ann"


def test_a_feed_that_nobody_uses_is_not_read(users: Path) -> None:
    made = profile([{"get": "/"}], data={"users": {"file": "absent.csv"}})
    assert len(flows(made, base_dir=users)) == 1


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/${data.users.email}", r"users\.csv: has no column email \(has: id, name\)"),
        ("/${data.orders.id}", r"data: there is no feed orders \(known: users\)"),
    ],
)
def test_data_that_is_not_there_is_refused(users: Path, path: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        drawn(users, path)


# -- cookies ----------------------------------------------------------------------------------


def expiring(delta: timedelta) -> str:
    return format_datetime(datetime.now(UTC) + delta, usegmt=True)


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        pytest.param(["a=1"], {"old": "0", "a": "1"}, id="one"),
        pytest.param(
            ["a=1; Path=/; HttpOnly", "b = x=y ; Secure"],
            {"old": "0", "a": "1", "b": "x=y"},
            id="two",
        ),
        pytest.param(["old=2"], {"old": "2"}, id="replaced"),
        pytest.param(["old=; Max-Age=0"], {}, id="deleted"),
        pytest.param(["old=x; max-age=-5"], {}, id="negative-age"),
        pytest.param(["old=x; Max-Age=60"], {"old": "x"}, id="some-age"),
        pytest.param([f"old=x; Expires={expiring(timedelta(days=-1))}"], {}, id="expired"),
        pytest.param([f"old=x; Expires={expiring(timedelta(days=1))}"], {"old": "x"}, id="later"),
        pytest.param(["old=x; Expires=Thu, 01-Jan-1970 00:00:00 GMT"], {}, id="dashes"),
        pytest.param(["old=x; Expires=never"], {"old": "x"}, id="no-date"),
        pytest.param(
            [f"old=x; Expires={expiring(timedelta(days=-1))}; Max-Age=9"],
            {"old": "x"},
            id="age-wins",
        ),
        pytest.param(["nothing", "=1", ""], {"old": "0"}, id="no-cookies"),
        pytest.param(["a=1", "a=; Max-Age=0"], {"old": "0"}, id="set-and-deleted"),
    ],
)
def test_cookies_are_set_and_deleted(lines: list[str], kept: dict[str, str]) -> None:
    scope = session()
    scope.cookies["old"] = "0"
    one = answer(200, b"", [("Set-Cookie", line) for line in lines])
    step({"get": "/"}, http={"cookies": True}).judge(one, scope)
    assert scope.cookies == kept


def test_cookies_are_left_alone_unless_asked_for() -> None:
    scope = session()
    step({"get": "/"}).judge(answer(200, b"", [("Set-Cookie", "a=1")]), scope)
    assert scope.cookies == {}


# -- pauses -----------------------------------------------------------------------------------


def test_a_fixed_pause_is_always_the_same() -> None:
    rng = random.Random(1)
    assert {Think(0.25).seconds(rng) for _ in range(9)} == {0.25}
    assert Think(0).seconds(rng) == 0


def test_a_pause_between_two_times_is_uniform() -> None:
    rng = random.Random(1)
    think = Think(RangeBetween(between=(1, 3)))
    pauses = [think.seconds(rng) for _ in range(2000)]
    assert 1 <= min(pauses) < 1.1
    assert 2.9 < max(pauses) <= 3
    assert fmean(pauses) == pytest.approx(2, rel=0.05)


def test_an_exponential_pause_has_its_mean() -> None:
    rng = random.Random(1)
    think = Think(RangeExponential(exponential=0.8))
    assert fmean(think.seconds(rng) for _ in range(5000)) == pytest.approx(0.8, rel=0.05)
    assert Think(RangeExponential(exponential=0)).seconds(rng) == 0
