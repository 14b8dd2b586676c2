"""Connections of long calls are kept from being forgotten on the way."""

from __future__ import annotations

import gc
import socket

from core.aws.session import AwsSession
from tests.core.aws_server import Request, answer, aws_server


def test_a_measuring_connection_is_probed_before_a_nat_gateway_forgets_it() -> None:
    idle_s: list[int] = []
    option = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))

    def look(request: Request) -> bytes:
        port = int(request.headers["host"].split(":")[1])
        for found in gc.get_objects():
            # Not isinstance: there are objects whose class is looked up by importing it.
            if not issubclass(type(found), socket.socket) or found.fileno() < 0:
                continue
            try:
                is_client = found.getpeername()[1] == port
            except OSError:
                continue
            if is_client:
                assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert option is not None
                idle_s.append(found.getsockopt(socket.IPPROTO_TCP, option))
        return answer(b"{}")

    with aws_server(look) as server:
        session = AwsSession(local=server.access)
        client = session.measuring_lambda(function_timeout_s=900, concurrency=1)
        client.invoke(FunctionName="orders")
        client.close()

    assert idle_s == [45]


def test_an_answer_is_waited_for_longer_than_the_longest_function_takes() -> None:
    with aws_server(lambda request: answer(b"{}")) as server:
        session = AwsSession(local=server.access)
        client = session.measuring_lambda(function_timeout_s=900, concurrency=1)
        config = client.meta.config
        client.close()

    assert config.read_timeout == 930
    assert config.retries == {"total_max_attempts": 1, "mode": "standard"}
