"""What tests of flows share: sessions, answers, and compiled profiles."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from httptools import HttpRequestParser
from pydantic import JsonValue

from loadgen.answer import Answer
from loadgen.flow.compile import Flow, FlowStep, Session, compile_flows
from loadgen.profile.model import Profile

BASE_URL = "http://127.0.0.1:8080/prod"


def session(
    captured: Mapping[str, JsonValue] | None = None,
    rows: Mapping[str, Mapping[str, JsonValue]] | None = None,
    seed: int = 1,
) -> Session:
    made = Session(rows or {}, random.Random(seed), 2, 7)
    made.captured.update(captured or {})
    return made


def answer(
    status: int = 200,
    body: object = b"",
    headers: Sequence[tuple[str, str]] = (),
    *,
    cause: int = 0,
    service_ms: int = 5,
) -> Answer:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode("latin-1")
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, head, content, cause, 1000, 2000, 1000 + service_ms * 10**6, 0, 0, 99)


@dataclass
class Signer:
    """Auth that depends on the request: it keeps what it was asked to sign."""

    version: int = 1
    per_request: bool = True
    seen: list[tuple[str, str, list[tuple[str, str]], bytes]] = field(default_factory=list)

    def headers(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> list[tuple[str, str]]:
        self.seen.append((method, url, list(headers), body))
        return [("Authorization", f"signed {len(self.seen)}")]


@dataclass
class Key:
    """Auth that is the same for all requests until it changes."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    version: int = 1
    per_request: bool = False

    def headers(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> list[tuple[str, str]]:
        return self.pairs


@dataclass
class OneAuth:
    """The same for all steps."""

    applier: Key | Signer = field(default_factory=Key)

    def for_step(self, step_index: int) -> Key | Signer:
        return self.applier


def profile(steps: Sequence[dict[str, Any]], **more: Any) -> Profile:
    return Profile.model_validate(
        {
            "version": 1,
            "name": "test",
            "target": {"url": BASE_URL},
            "load": {"phases": [{"name": "all", "duration": 1, "rate": 1}]},
            "scenarios": [{"name": "flow", "flow": list(steps)}],
            **more,
        }
    )


def flows(
    made: Profile,
    *,
    applier: Key | Signer | None = None,
    base_url: str = BASE_URL,
    base_dir: Path = Path("/nowhere"),
    injector: int = 0,
    injectors: int = 1,
) -> tuple[Flow, ...]:
    return compile_flows(
        made,
        base_url=base_url,
        base_dir=base_dir,
        auths=OneAuth(applier or Key()),
        rng=random.Random(1),
        injector=injector,
        injectors=injectors,
    )


def steps_of(flow: Flow) -> list[FlowStep]:
    return [item for item in flow.items if isinstance(item, FlowStep)]


def step(one: dict[str, Any], **more: Any) -> FlowStep:
    """The only step of a profile that has no other."""
    (flow,) = flows(profile([one], **more))
    return steps_of(flow)[0]


class Parsed:
    """A request as llhttp reads it."""

    def __init__(self, request: bytes) -> None:
        self.url = b""
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.complete = 0
        parser = HttpRequestParser(self)
        parser.feed_data(request)
        self.method = parser.get_method().decode()
        assert self.complete == 1

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1
