"""A network before the data plane: how long requests and answers take, and in which order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any

import pytest
import virtual_time
from gateway_rig import RestRig

from core.errors import InputError
from sandbox.admin_client import AdminClient
from sandbox.gateway.network import Delays, Network
from sandbox.http import Answer, Handler, Request, Response


class Recording:
    """A plane that notes when requests come to it."""

    def __init__(self, work: Callable[[Request], Answer] = lambda _: Response(200)) -> None:
        self.entrance: Handler = self.serve
        self.came_s: list[float] = []
        self._work = work

    def serve(self, request: Request) -> Answer:
        self.came_s.append(asyncio.get_running_loop().time())
        return self._work(request)


async def asked(plane: Recording, request: Request | None = None) -> float:
    """When the answer came, in seconds from the request on."""
    began_s = asyncio.get_running_loop().time()
    answer = plane.entrance(request or Request("GET", b"/", []))
    if not isinstance(answer, Response):
        await answer
    return asyncio.get_running_loop().time() - began_s


def test_both_ways_are_lognormal_with_mean_and_deviation() -> None:
    async def work() -> tuple[list[float], list[float]]:
        plane = Recording()
        Network(plane).change(Delays(delay_ms=20, jitter_ms=10, seed=3))
        whole_s = await asyncio.gather(*(asked(plane) for _ in range(4000)))
        return plane.came_s, list(whole_s)

    there_s, whole_s = virtual_time.run(work())

    assert fmean(there_s) == pytest.approx(0.020, rel=0.03)
    assert stdev(there_s) == pytest.approx(0.010, rel=0.06)
    assert fmean(whole_s) == pytest.approx(0.040, rel=0.03)
    # Two draws that know nothing of each other.
    assert stdev(whole_s) == pytest.approx(0.010 * 2**0.5, rel=0.06)
    # The median of a lognormal is below its mean.
    assert sorted(there_s)[2000] == pytest.approx(0.020 / (1 + 0.25) ** 0.5, rel=0.04)


def test_without_jitter_each_way_takes_the_same() -> None:
    async def work() -> float:
        plane = Recording()
        Network(plane).change(Delays(delay_ms=30))
        return await asked(plane)

    assert virtual_time.run(work()) == pytest.approx(0.060)


def test_requests_overtake_each_other_on_several_connections() -> None:
    async def work() -> list[int]:
        order: list[int] = []

        def note(request: Request) -> Response:
            order.append(int(request.target[1:]))
            return Response(200)

        plane = Recording(note)
        Network(plane).change(Delays(delay_ms=20, jitter_ms=20))
        requests = [Request("GET", b"/%d" % number, []) for number in range(100)]
        await asyncio.gather(*(asked(plane, request) for request in requests))
        return order

    order = virtual_time.run(work())
    assert sorted(order) == list(range(100))
    assert any(later < earlier for earlier, later in pairwise(order))


def test_an_answer_that_comes_early_takes_the_way_back_as_well() -> None:
    async def work() -> tuple[float, float]:
        async def late(request: Request) -> Response:
            await asyncio.sleep(1)
            request.answer_early(Response(504))
            await asyncio.sleep(5)
            return Response(200)

        plane = Recording(late)
        Network(plane).change(Delays(delay_ms=100))
        early_s: list[float] = []
        request = Request("GET", b"/", [])
        request.answer_early = lambda _: early_s.append(asyncio.get_running_loop().time())
        return await asked(plane, request), early_s[0]

    assert virtual_time.run(work()) == pytest.approx((6.2, 1.2))


def test_without_delays_nothing_stands_before_the_plane() -> None:
    plane = Recording()
    network = Network(plane)
    network.change(Delays(delay_ms=5))
    assert plane.entrance != plane.serve
    network.change(None)
    assert plane.entrance == plane.serve
    assert network.document() == {"text": "off", "delay_ms": 0.0, "jitter_ms": 0.0}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "network: delay_ms: is needed"),
        ({"jitter_ms": 5}, "network: delay_ms: is needed"),
        ({"delay_ms": 0}, "network: delay_ms: Input should be greater than 0 (got 0)"),
        ({"delay_ms": 1e5}, "network: delay_ms: Input should be less than or equal to 10000"),
        ({"delay_ms": 1, "jitter_ms": -1}, "network: jitter_ms: Input should be greater than"),
        (
            {"delay_ms": 1, "jitter_ms": 11},
            "network: jitter_ms: must be within ten times delay_ms of 1 (got 11)",
        ),
        ({"delay_ms": 1, "loss": 1}, "network: loss: there is no such setting (there are delay_ms"),
    ],
)
def test_what_is_no_network_is_refused_with_key_and_value(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        Delays.from_mapping(settings)
    assert message in str(caught.value)


def test_apis_of_a_sandbox_are_far_away_and_aws_is_not(
    sandbox: Any, client: Any, connect: Callable[..., Any]
) -> None:
    rig = RestRig(sandbox.endpoint_url, connect(sandbox, "apigateway"), client)
    rig.create("far")
    rig.mock("/a")
    admin = AdminClient(sandbox.endpoint_url)
    try:
        shown = admin.delay({"delay_ms": 150})
        assert shown["text"] == "150 ms each way, jitter 0 ms"
        rig.deploy()
        began_s = time.monotonic()
        assert rig.get("/a").text == '{"ok":true}'
        assert time.monotonic() - began_s >= 0.3
    finally:
        assert admin.end_delays()["text"] == "off"
    assert admin.network()["text"] == "off"
