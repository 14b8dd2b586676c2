"""Modelled clients at work: what the server saw is what the result says of them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import main
from loadgen.records import read_records
from tests.system.load_rig import LoadCommand, Reply, Seen, check_books, counting_server, flow

pytestmark = pytest.mark.system

TIMES_REFUSED = 2


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[Seen], Path]:
    """A server that refuses each order twice, and all that the patient ask.

    Orders retry without jitter after 40 and 80 ms; the patient wait longer than the run.
    """
    orders = Counter[str]()

    def answer(seen: Seen) -> Reply:
        if seen.path == "/patient":
            return Reply(429)
        orders[seen.headers["x-order"]] += 1
        return Reply(429) if orders[seen.headers["x-order"]] <= TIMES_REFUSED else Reply()

    command = LoadCommand(tmp_path_factory.mktemp("retries"))
    with counting_server(answer) as server:
        command.profile(
            server.url,
            retry={"jitter": "none", "quota": "none", "throttle_base": "40ms"},
            load={
                "seed": 7,
                "drain": "300ms",
                "phases": [{"name": "hold", "duration": "400ms", "rate": 150}],
            },
            scenarios=[
                flow(
                    {"post": "/orders", "headers": {"X-Order": "${uuid}"}},
                    name="orders",
                    auth={"type": "api_key", "value": "key-of-orders"},
                ),
                flow(
                    {"get": "/patient"},
                    name="patient",
                    retry={"jitter": "none", "throttle_base": "10s"},
                    auth={"type": "api_key", "value": "key-of-others"},
                ),
            ],
        )
        _run_here(command.folder)
    document = json.loads((command.result_folder / "result.json").read_text(encoding="utf-8"))
    return document, server.seen, command.result_folder


def _run_here(folder: Path) -> None:
    """The command in this process, which has imported everything already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["loadgen", "run", "profile.yaml", "-q"])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0


def test_every_attempt_reaches_the_server_and_the_books(
    ran: tuple[dict[str, Any], list[Seen], Path],
) -> None:
    document, seen, _ = ran

    check_books(document)
    assert document["verdict"] == "pass"
    assert document["requests"]["sent"] == len(seen)
    assert document["requests"]["cut"] == 0


def test_an_operation_is_sent_again_as_it_was(
    ran: tuple[dict[str, Any], list[Seen], Path],
) -> None:
    document, seen, _ = ran
    whole, orders, _ = _operations(document)
    by_order = Counter(one.headers["x-order"] for one in seen if one.path == "/orders")

    assert set(by_order.values()) == {TIMES_REFUSED + 1}
    assert (orders["operations"], orders["ok"]) == (len(by_order), len(by_order))
    assert orders["amplification"] == TIMES_REFUSED + 1
    assert whole["requests"] == len(seen)


def test_the_latency_of_an_operation_has_its_backoffs(
    ran: tuple[dict[str, Any], list[Seen], Path],
) -> None:
    _, orders, _ = _operations(ran[0])

    assert orders["ok_latency_ms"]["p50"] >= 40 + 80
    assert ran[0]["ok_response_ms"]["p50"] < 40


def test_who_still_waits_when_the_run_ends_has_given_up(
    ran: tuple[dict[str, Any], list[Seen], Path],
) -> None:
    _, _, patient = _operations(ran[0])

    assert patient["operations"] > 10
    assert patient["gave_up"] == {
        "attempts": 0,
        "quota": 0,
        "run_ended": patient["operations"],
    }
    assert patient["amplification"] == 1


def test_records_say_which_attempt_they_are_and_when_it_was_due(
    ran: tuple[dict[str, Any], list[Seen], Path],
) -> None:
    document, _, folder = ran
    (records,) = read_records(folder)
    orders = records[records["step"] == 0]
    attempts = Counter(orders["attempt"].tolist())

    assert attempts == dict.fromkeys((1, 2, 3), document["retries"]["steps"][0]["ok"])
    assert [one["sent"] for one in document["retries"]["attempts"][1:]] == [attempts[2]] * 2
    # Nothing of a backoff is in the response time of a request.
    assert (orders["start_us"] - orders["intended_us"]).min() >= 0


def test_keys_that_fare_differently_are_told_apart(
    ran: tuple[dict[str, Any], list[Seen], Path],
) -> None:
    fairness = ran[0]["fairness"]

    assert [key["name"] for key in fairness["keys"]] == ["scenario orders", "scenario patient"]
    assert [key["admitted_share"] for key in fairness["keys"]] == [pytest.approx(1 / 3), 0]
    assert fairness["jain_index"] == pytest.approx(0.5)


def _operations(document: dict[str, Any]) -> tuple[Any, Any, Any]:
    retries = document["retries"]
    return (retries["whole"], *retries["steps"])
