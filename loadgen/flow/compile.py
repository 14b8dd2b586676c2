"""From a profile to flows that are ready to run: what can be known before is done here."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from core.errors import InputError
from core.version import toolkit_version
from loadgen.api_url import with_stage
from loadgen.auth.apply import Applier
from loadgen.classify import Classifier
from loadgen.flow.feeds import Feeder, Rows, read_rows
from loadgen.flow.flow import Flow, FlowStep, Think
from loadgen.flow.judge import Judge, parse_captures, parse_checks
from loadgen.flow.request import Headers, Pieces, Request
from loadgen.flow.session import Session
from loadgen.flow.template import RenderError
from loadgen.flow.texts import Texts
from loadgen.profile.model import Checks, Http, Profile, Scenario, Step
from loadgen.steps import StepInfo, step_infos

__all__ = ["Flow", "FlowStep", "RenderError", "Session", "Think", "compile_flows"]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


class Auths(Protocol):
    """Knows what adds auth to the requests of a step."""

    def for_step(self, step_index: int) -> Applier:
        """By the global number of the step."""


@dataclass(frozen=True, slots=True)
class _Site:
    """Where requests go; `path` has no slash at its end."""

    url: str
    origin: str
    host: str
    path: str


@dataclass(frozen=True, slots=True)
class _Common:
    """What all steps share. `names` are the data that the common headers need."""

    http: Http
    site: _Site
    base_dir: Path
    headers: Headers
    names: Set[str]
    classifier: Classifier
    auths: Auths


def compile_flows(
    profile: Profile,
    *,
    base_url: str,
    base_dir: Path,
    auths: Auths,
    rng: random.Random,
    injector: int,
    injectors: int,
) -> tuple[Flow, ...]:
    """The flows of all scenarios, in the order of the file.

    Raises:
        InputError: a text is no template, or a file cannot be used.
    """
    common = _common(profile, base_url, base_dir, auths)
    infos = iter(step_infos(profile))
    parts = [_items(scenario, common, profile, infos) for scenario in profile.scenarios]
    feeds = {
        name: Feeder(
            _rows(profile, base_dir, name, set().union(*(names for _, names in parts))),
            order=profile.data[name].order,
            on_end=profile.data[name].on_end,
            rng=rng,
            injector=injector,
            injectors=injectors,
        )
        for name in _feeds_of(name for _, names in parts for name in names)
    }
    iterations = itertools.count()
    return tuple(
        Flow(
            scenario,
            items,
            {name: feeds[name] for name in _feeds_of(names)},
            rng=rng,
            injector=injector,
            iterations=iterations,
        )
        for scenario, (items, names) in zip(profile.scenarios, parts, strict=True)
    )


def _common(profile: Profile, base_url: str, base_dir: Path, auths: Auths) -> _Common:
    site = _site(base_url)
    texts = Texts("http", profile.vars)
    defaults = {
        "Host": site.host,
        "User-Agent": f"lambda-perf-toolkit/{toolkit_version()}",
        "Accept": "*/*",
    }
    if profile.http.connections == "per_request":
        defaults["Connection"] = "close"
    headers = {**_headers(texts, defaults), **_headers(texts, profile.http.headers)}
    classifier = Classifier(profile.outcomes)
    return _Common(profile.http, site, base_dir, headers, texts.names, classifier, auths)


def _site(base_url: str) -> _Site:
    url = urlsplit(base_url)
    if url.scheme not in _DEFAULT_PORTS or not url.hostname or url.query or url.fragment:
        raise InputError(f"the base URL must be http://HOST/PATH or https:// (got {base_url})")
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    if url.port is not None and url.port != _DEFAULT_PORTS[url.scheme]:
        host = f"{host}:{url.port}"
    return _Site(base_url, f"{url.scheme}://{host}", host, url.path.rstrip("/"))


def _headers(texts: Texts, headers: Mapping[str, str]) -> Headers:
    return {name.lower(): texts.header(name, value) for name, value in headers.items()}


def _items(
    scenario: Scenario, common: _Common, profile: Profile, infos: Iterator[StepInfo]
) -> tuple[list[FlowStep | Think], Set[str]]:
    """What a scenario does, and the data that it needs."""
    if scenario.stage is not None:
        common = replace(common, site=_site(with_stage(common.site.url, scenario.stage)))
    started = [
        Think(step.think) if step.think is not None else _Started(step, next(infos), profile)
        for step in scenario.flow
    ]
    needed = set(common.names)
    items: list[FlowStep | Think] = []
    # From the end, as what a step must capture depends on the steps after it.
    for item in reversed(started):
        if isinstance(item, Think):
            items.append(item)
        else:
            items.append(item.finished(common, frozenset(needed)))
            needed |= item.texts.names
    return items[::-1], needed


class _Started:
    """A step on its way to a `FlowStep`."""

    def __init__(self, step: Step, info: StepInfo, profile: Profile) -> None:
        self._step = step
        self._info = info
        self.texts = Texts(f"step '{info.name}'", profile.vars)

    def finished(self, common: _Common, needed: Set[str]) -> FlowStep:
        """The step; `needed` are the data that later steps use."""
        step, info = self._step, self._info
        timeout_s = common.http.timeout.total_s if step.timeout_s is None else step.timeout_s
        return FlowStep(
            info.index, info.name, timeout_s, self._request(common), self._judge(common, needed)
        )

    def _request(self, common: _Common) -> Request:
        step, info, site = self._step, self._info, common.site
        body, content_type = self._body(common.base_dir)
        headers = dict(common.headers)
        if content_type is not None:
            headers.update(_headers(self.texts, {"Content-Type": content_type}))
        own = dict(_headers(self.texts, step.headers))
        if common.http.cookies:
            written = own.pop("cookie", None) or headers.pop("cookie", None)
            own["cookie"] = ("Cookie", _cookies(written[1] if written else ()))
        return Request(
            info.method,
            site.origin,
            self.texts.target(site.url, site.path, info.path, step.query),
            headers=headers,
            own_headers=own,
            body=body,
            applier=common.auths.for_step(info.index),
        )

    def _body(self, base_dir: Path) -> tuple[Pieces | None, str | None]:
        """The body and the Content-Type that it implies."""
        step = self._step
        if step.json_ is not None:
            return self.texts.json(step.json_), _JSON
        if step.form is not None:
            return self.texts.form(step.form), _FORM
        if step.body is not None:
            return self.texts.body(step.body), None
        if step.body_file is None:
            return None, None
        path = base_dir / step.body_file
        try:
            return (path.read_bytes(),), None
        except OSError as error:
            raise self.texts.fault(
                "body_file", f"could not read {path}: {error.strerror}"
            ) from error

    def _judge(self, common: _Common, needed: Set[str]) -> Judge:
        checks = self._step.checks or Checks()
        return Judge(
            self._info.name,
            common.classifier,
            statuses=checks.status,
            checks=parse_checks(checks, self.texts),
            captures=parse_captures(self._step.capture, self.texts, needed),
            cookies=common.http.cookies,
        )


def _cookies(written: Pieces) -> Pieces:
    """A Cookie header: what the profile has, then what the session keeps."""

    def kept(session: Session) -> bytes:
        pairs = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
        return (f"; {pairs}" if pairs and written else pairs).encode("latin-1")

    return (*written, kept)


def _feeds_of(names: Iterable[str]) -> list[str]:
    """The feeds that are among the data, in an order that does not change from run to run."""
    return sorted({name.split(".")[1] for name in names if name.startswith("data.")})


def _rows(profile: Profile, base_dir: Path, feed: str, names: Set[str]) -> Rows:
    """The rows of a feed, which must have the columns that are used."""
    if feed not in profile.data:
        known = ", ".join(profile.data) or "none"
        raise InputError(f"data: there is no feed {feed} (known: {known})")
    path = base_dir / profile.data[feed].file
    rows = read_rows(path)
    start = f"data.{feed}."
    for name in sorted(names):
        column = name.removeprefix(start)
        if rows.columns is not None and column != name and column not in rows.columns:
            raise InputError(f"{path}: has no column {column} (has: {', '.join(rows.columns)})")
    return rows
