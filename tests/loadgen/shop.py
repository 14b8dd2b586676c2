"""A small shop with one of each limit, in a sandbox of its own, and a client for it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from core.aws.session import AwsSession, LocalAccess
from core.local_aws import local_aws
from loadgen.outcome import Cause, Evidence, Kind, Outcome
from loadgen.profile.model import Profile
from loadgen.records import RECORD, Records

BASIC_KEY = "basic-customer-0000000000001"
QUOTA_KEY = "quota-customer-0000000000001"
RATED_KEY = "rated-customer-0000000000001"  # of the API `tools`, as is the next
METERED_KEY = "metered-customer-00000000001"

STACK = """\
name: shop
functions:
  slow:
    model: {duration_ms: {"128": 400}, init_ms: 0, hold: true, response: {statusCode: 200}}
    reserved_concurrency: 1
  late:
    model: {duration_ms: {"128": 400}, init_ms: 0, hold: true, response: {statusCode: 200}}
    reserved_concurrency: 1
  paced:
    model: {duration_ms: {"128": 40}, init_ms: 0, hold: true, response: {statusCode: 200}}
    reserved_concurrency: 2
  known:
    model: {duration_ms: {"128": 40}, init_ms: 0, hold: true, response: {statusCode: 200}}
  quick:
    model:
      duration_ms: {"128": 8}
      init_ms: 30
      hold: true
      response: {statusCode: 200}
apis:
  shop:
    kind: rest
    throttle: {rate_rps: 5, burst: 20}
    routes:
      - {path: /products, method: GET, mock: {status: 200}}
      - {path: "/products/{id}", method: GET, mock: {status: 200}}
      - {path: /search, method: GET, mock: {status: 200}, throttle: {rate_rps: 2, burst: 6}}
      - {path: /orders, method: POST, mock: {status: 200}, api_key_required: true}
      - {path: "/orders/{id}", method: GET, mock: {status: 200}, api_key_required: true}
      - {path: /slow, method: POST, function: slow, throttle: {rate_rps: 100, burst: 50}}
  still:
    kind: rest
    access_log: true
    routes:
      - {path: /quick, method: GET, function: quick}
      - {path: /plain, method: GET, mock: {status: 200}}
  tools:
    kind: rest
    throttle: {rate_rps: 20, burst: 10}
    routes:
      - {path: /open, method: GET, mock: {status: 200}}
      - path: /keyed
        method: GET
        mock: {status: 200}
        api_key_required: true
        throttle: {rate_rps: 500, burst: 500}
      - {path: /paced, method: POST, function: paced, throttle: {rate_rps: 500, burst: 500}}
      - {path: /known, method: POST, function: known}
  trail:
    kind: rest
    access_log: true
    routes:
      - {path: /plain, method: GET, mock: {status: 200}}
  twin:
    kind: http
    throttle: {rate_rps: 5, burst: 20}
    routes:
      - {path: /search, method: GET, function: slow, throttle: {rate_rps: 2, burst: 6}}
      - {path: /slow, method: POST, function: slow}
      - {path: /late, method: POST, function: late}
usage_plans:
  basic:
    apis: [shop]
    throttle: {rate_rps: 2, burst: 4}
    method_throttles: {shop: {"POST /orders": {rate_rps: 1, burst: 2}}}
    keys: {me: basic-customer-0000000000001}
  counted:
    apis: [shop]
    quota: {limit: 3, period: day}
    keys: {you: quota-customer-0000000000001}
  rated:
    apis: [tools]
    throttle: {rate_rps: 2, burst: 4}
    keys: {rated-one: rated-customer-0000000000001}
  metered:
    apis: [tools]
    quota: {limit: 30, period: day}
    keys: {metered-one: metered-customer-00000000001}
"""


@contextmanager
def running_shop(folder: Path) -> Iterator[LocalAccess]:
    """A sandbox with the shop in it."""
    stack = folder / "shop.yaml"
    stack.write_text(STACK, encoding="utf-8")
    with local_aws(("--stack", str(stack), "--no-functions")) as access:
        yield access


def profile_of(target: Mapping[str, Any], *flow: Mapping[str, Any], **more: Any) -> Profile:
    """A profile with one scenario of these steps."""
    steps = flow or ({"get": "/products"},)
    document = {
        "version": 1,
        "name": "test",
        "target": target,
        "load": {"phases": [{"name": "hold", "rate": 1, "duration": "1s"}]},
        "scenarios": [{"name": "all", "flow": list(steps)}],
    }
    return Profile.model_validate(document | more)


class Caller:
    """Sends the steps of a profile one after the other, and keeps a record of each."""

    def __init__(self, base_url: str, profile: Profile) -> None:
        self._base = urlsplit(base_url)
        self._steps = profile.scenarios[0].flow
        self._rows: list[tuple[Any, ...]] = []
        self.started_unix_s = time.time()
        self._started_s = time.perf_counter()

    def call(self, step: int, *, times: int = 1) -> None:
        """Calls a step again and again."""
        connection = http.client.HTTPConnection(self._base.netloc, timeout=30)
        try:
            for _ in range(times):
                begin_s = time.perf_counter()
                answer = self._ask(connection, step)
                self._row(step, begin_s, time.perf_counter(), *answer)
        finally:
            connection.close()

    def call_at_once(self, step: int, *, times: int) -> None:
        """Calls a step on as many connections."""
        threads = [threading.Thread(target=self.call, args=(step,)) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @property
    def records(self) -> Records:
        """The records of all calls."""
        return np.array(self._rows, RECORD)

    def _ask(self, connection: http.client.HTTPConnection, step: int) -> tuple[int, str, str]:
        asked = self._steps[step]
        method, path = ("GET", asked.get) if asked.get else ("POST", asked.post)
        connection.request(method, self._base.path + (path or ""), headers=asked.headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        names = ("x-amzn-requestid", "apigw-requestid")
        return answer.status, body, next(answer.headers[n] for n in names if answer.headers[n])

    def _row(
        self, step: int, begin_s: float, end_s: float, status: int, body: str, request_id: str
    ) -> None:
        at_us = round((begin_s - self._started_s) * 1e6)
        took_us = round((end_s - begin_s) * 1e6)
        kind = wire_kind(status, body).code
        self._rows.append(
            (at_us, at_us, took_us, 0, 0, 0, 0, status, kind, 0, step, request_id.encode(), 0, 0, 1)
        )


def wire_kind(status: int, body: str = "") -> Kind:
    """What the wire tells of an answer of API Gateway."""
    if status < 400:
        return Kind(Outcome.OK)
    if status == 429:
        cause = Cause.QUOTA if "Limit Exceeded" in body else Cause.THROTTLE
        return Kind(Outcome.THROTTLED, cause, Evidence.WIRE)
    outcome = Outcome.CLIENT_ERROR if status < 500 else Outcome.SERVER_ERROR
    return Kind(outcome, Cause.UNKNOWN, Evidence.WIRE)


Answers = Callable[[str, str], tuple[int, Any]]


@contextmanager
def canned_aws(answers: Answers) -> Iterator[AwsSession]:
    """An AWS that answers what `answers` gives for a method and a path: status and JSON body.

    Errors have their code under `__type`.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            self.rfile.read(length)
            status, body = answers(self.command, self.path)
            text = json.dumps(body).encode()
            self.send_response(status)
            if isinstance(body, dict) and "__type" in body:
                self.send_header("x-amzn-ErrorType", body["__type"])
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield AwsSession(local=LocalAccess(url, "us-east-1", "id", "secret", 1))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
