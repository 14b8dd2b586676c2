"""Drives the wire client in a process of its own: gevent must not come into that of the tests.

Reads one JSON object from stdin: plans by name. Each plan has a pool of its own; all plans run at
the same time. Writes what came of them to stdout.
"""

# ruff: noqa: E402 - locust comes first: it makes the standard library cooperative

import loadgen.injector

assert loadgen.injector

import json
import os
import ssl
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.ssl import SSLContext

from loadgen.answer import Answer
from loadgen.outcome import Cause
from loadgen.wire import Origin, Pool

Plan = dict[str, Any]


def run(plan: Plan) -> dict[str, Any]:
    """What came of one plan: its answers, and its pool before and after it was closed."""
    url = urlsplit(plan["url"])
    tls = _context(plan) if url.scheme == "https" else None
    origin = Origin(
        url.hostname or "", url.port or 0, tls=tls, connect_timeout_s=plan.get("connect_s", 5.0)
    )
    pool = Pool(
        origin,
        max_connections=plan.get("max_connections", 10),
        keep_body_bytes=plan.get("keep_body_bytes", 10_000_000),
        keep_alive=plan.get("keep_alive", True),
    )
    try:
        answers = _answers(pool, plan)
    finally:
        kept, opened = pool.connections, pool.opened
        pool.close()
    return {"answers": answers, "kept": kept, "opened": opened, "left": pool.connections}


def _answers(pool: Pool, plan: Plan) -> list[dict[str, Any]]:
    asked = [(pool, step, plan.get("timeout_s", 20.0)) for step in plan["steps"]]
    if not plan.get("together"):
        return [_ask(*one) for one in asked]
    greenlets = [gevent.spawn(_ask, *one) for one in asked]
    if "kill_after_s" in plan:
        gevent.sleep(plan["kill_after_s"])
        gevent.killall(greenlets)
        return []
    return [greenlet.get() for greenlet in greenlets]


def _ask(pool: Pool, step: str, timeout_s: float) -> dict[str, Any]:
    """`step` is `METHOD path`, with the number of bytes of its body if it has one."""
    method, path, *size = step.split()
    body = b"b" * int(size[0]) if size else b""
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    answer = pool.exchange(head.encode() + body, timeout_s, is_head=method == "HEAD")
    gevent.idle()  # what came with the response, such as the end of the connection, is seen
    return _told(answer)


def _told(answer: Answer) -> dict[str, Any]:
    return {
        "status": answer.status,
        "cause": Cause(answer.cause).name,
        "head": answer.head.decode("latin-1"),
        "body": answer.body.decode("latin-1"),
        "bytes_in": answer.bytes_in,
        "connect_ns": answer.connect_ns,
        "tls_ns": answer.tls_ns,
        "first_byte_ns": answer.first_byte_ns and answer.first_byte_ns - answer.start_ns,
        "end_ns": answer.end_ns - answer.start_ns,
    }


def _context(plan: Plan) -> SSLContext:
    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(plan["ca_file"])
    return context


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def main() -> None:
    """All plans at once; `descriptors` are those that they left open."""
    plans = json.load(sys.stdin)
    gevent.get_hub().threadpool.apply(os.getpid)  # the pool of the name look-ups opens some
    before = _descriptors()
    running = {name: gevent.spawn(run, plan) for name, plan in plans.items()}
    gevent.joinall(running.values())
    told = {
        name: greenlet.value if greenlet.successful() else {"raised": repr(greenlet.exception)}
        for name, greenlet in running.items()
    }
    json.dump({"plans": told, "descriptors": _descriptors() - before}, sys.stdout)


if __name__ == "__main__":
    main()
