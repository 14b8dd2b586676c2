"""Connections of long calls are kept from being forgotten on the way."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from urllib3.util import connection

from core.aws.session import AwsSession
from tests.core.aws_server import answer, aws_server

FIRST_PROBE = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))


@pytest.mark.skipif(FIRST_PROBE is None, reason="the system has its own times for keep-alive")
def test_a_measuring_connection_is_probed_before_a_nat_gateway_forgets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options: list[tuple[int, int]] = []
    connect = connection.create_connection

    def noting(*given: Any, **more: Any) -> socket.socket:
        made = connect(*given, **more)
        is_kept = made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        options.append((is_kept, made.getsockopt(socket.IPPROTO_TCP, FIRST_PROBE or 0)))
        return made

    monkeypatch.setattr(connection, "create_connection", noting)
    with aws_server(lambda request: answer(b"{}")) as server:
        session = AwsSession(local=server.access)
        client = session.measuring_lambda(function_timeout_s=900, concurrency=1)
        client.invoke(FunctionName="orders")
        client.close()

    assert options == [(1, 45)]


def test_an_answer_is_waited_for_longer_than_the_longest_function_takes() -> None:
    with aws_server(lambda request: answer(b"{}")) as server:
        session = AwsSession(local=server.access)
        client = session.measuring_lambda(function_timeout_s=900, concurrency=1)
        config = client.meta.config
        client.close()

    assert config.read_timeout == 930
    assert config.retries == {"total_max_attempts": 1, "mode": "standard"}
