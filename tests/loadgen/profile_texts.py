"""A profile that is in order, with a bit of everything, and what is said of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from core.errors import InputErrors
from loadgen.profile.reader import ProfileFile, read_profile

GOOD = """\
version: 1
name: shop
target:
  url: https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod
auth: {type: api_key, value: "${env.API_KEY}"}
http:
  timeout: {connect: 3s, total: 30s}
  headers: {X-Run: "${vars.customer}"}
vars: {customer: 42}
data:
  users: {file: users.csv, order: random}
load:
  max_in_flight: 200
  phases:
    - {name: warm, duration: 10s, rate: 5, measure: false}
    - {name: ramp, duration: 1m, rate: [5, 50]}
    - {name: stairs, duration: 2m, rate: {from: 10, to: 100, count: 10}}
    - {name: rest, pause: 10s}
    - {name: spike, burst: 100, within: 50ms, scenarios: [browse]}
scenarios:
  - name: browse
    weight: 3
    flow:
      - get: /items
        name: list
        query: {limit: 10}
        checks: {status: 200, latency: 1s, json: {"$.items[0].kind": book}}
        capture: {item: "json: items[0].id"}
      - think: {between: [100ms, 300ms]}
      - get: /items/${item}
        checks: {json: {id: "${item}"}}
  - name: order
    flow:
      - post: /orders
        json: {customer: "${vars.customer}", user: "${data.users.id}"}
        auth: {type: none}
outcomes:
  - {when: {status: 400, body: slow down}, outcome: throttled, cause: application}
thresholds:
  - p95(response) < 300ms
  - {that: rate(throttled) < 1%, step: list, phase: ramp, window: 10s, for: 3, abort: true}
guards: {hosts: [api.example.com]}
environments:
  local:
    target: {url: "http://127.0.0.1:9000"}
    auth: {type: none}
  staging:
    target: {api: {name: shop, stage: staging}}
    load: {max_in_flight: 50}
"""
ENV = {"API_KEY": "key-0123456789"}


def write_profile(folder: Path, text: str) -> Path:
    """A profile in a folder that has what it refers to."""
    (folder / "users.csv").write_text("id,name\n1,Ann\n2,Bob\n", encoding="utf-8")
    (folder / "lines.jsonl").write_text('{"id": 1}\n', encoding="utf-8")
    (folder / "users.py").write_text("", encoding="utf-8")
    path = folder / "p.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def read(
    folder: Path,
    text: str = GOOD,
    *,
    environment: str | None = None,
    settings: Sequence[str] = (),
    env: Mapping[str, str] = ENV,
) -> ProfileFile:
    """The profile of a text."""
    path = write_profile(folder, text)
    return read_profile(path, environment=environment, settings=settings, env=env)


def faults(
    folder: Path,
    text: str = GOOD,
    *,
    environment: str | None = None,
    settings: Sequence[str] = (),
    env: Mapping[str, str] = ENV,
) -> list[str]:
    """All that is said of a text, without the path of the file."""
    with pytest.raises(InputErrors) as raised:
        read(folder, text, environment=environment, settings=settings, env=env)
    path = f"{folder / 'p.yaml'}:"
    return [
        message.removeprefix(path).replace(str(folder), "FOLDER")
        for message in raised.value.messages
    ]


def told(marked: str, said: str) -> str:
    """What is to be told of the place that ^ marks in a text."""
    before = marked[: marked.index("^")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"{line}:{column}: {' '.join(said.split())}"


def with_mistake(text: str, before: str, after: str) -> str:
    """A text with one part of it replaced."""
    assert before in text
    return text.replace(before, after, 1)
