"""The text of a first profile for an API: pure, from its routes and the limits on their paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from core.aws.gateway import Route
from loadgen.limits import Limits
from reports.load_document import ConfiguredLimit

# A rate that hurts nobody, for APIs whose limits are far away or unknown.
_GENTLE_RPS = 10.0
# How near a first run goes to what is configured; others use the limits as well.
_SHARE_OF_LIMIT = 0.5
_SHARE_OF_QUOTA = 0.1
# Lambda takes ten calls a second for each concurrent execution ("Lambda quotas", 2026).
_CALLS_PER_CONCURRENCY = 10.0
_WARM_UP_S = 10
_HOLD_S = 30

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/_.{}$()+, -]*[A-Za-z0-9/_.})]|[A-Za-z/]")
_YAML_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_BEARER = frozenset({"CUSTOM", "COGNITO_USER_POOLS", "JWT"})


@dataclass(frozen=True, slots=True)
class Source:
    """What a first profile is about.

    `target` is the YAML of the target; `stack` the sandbox's stack, `None` for an account.
    `api_key` is a key to fall back to, which only a stack has.
    """

    name: str
    kind: str
    target: str
    command: str
    stack: str | None = None
    api_key: str | None = None


@dataclass(frozen=True, slots=True)
class FirstStep:
    """A step for one route; `scenario` is the name of the scenario that has it alone."""

    scenario: str
    name: str
    method: str
    path: str
    auth: str  # that of the route: NONE, AWS_IAM, JWT, ...
    needs_key: bool

    @property
    def changes_data(self) -> bool:
        """Whether its method is one that changes what the API keeps."""
        return self.method in _CHANGING


def first_steps(routes: Sequence[Route]) -> list[FirstStep]:
    """A step for each route, those that only read first. Preflight requests are left out."""
    taken: set[str] = set()
    steps = []
    for route in sorted(routes, key=lambda each: (each.path, each.method)):
        method = "GET" if route.method == "ANY" else route.method
        if method == "OPTIONS":
            continue
        path = "/" if route.path == "$default" else route.path
        scenario = _unique(_slug(f"{method} {path}"), taken)
        steps.append(
            FirstStep(
                scenario,
                f"{method} {path}",
                method,
                _with_templates(path),
                route.auth,
                route.api_key_required,
            )
        )
    return sorted(steps, key=lambda step: step.changes_data)


def active(steps: Sequence[FirstStep]) -> list[FirstStep]:
    """The steps that a first run sends: those that change nothing, where there are any."""
    return [step for step in steps if not step.changes_data] or list(steps)


def first_rate_rps(limits: Limits) -> float:
    """A rate for all steps together, each with an equal part, well below every limit."""
    steps = limits.steps
    sharing: dict[str, int] = {}
    bounds_rps: dict[str, float] = {}
    for step in steps:
        for bucket in step.buckets:
            sharing[bucket.shared_key] = sharing.get(bucket.shared_key, 0) + 1
            bounds_rps[bucket.shared_key] = _SHARE_OF_LIMIT * bucket.rate_rps
        if step.function is not None and step.concurrency is not None:
            key = f"function {step.function}"
            sharing[key] = sharing.get(key, 0) + 1
            bounds_rps[key] = _SHARE_OF_LIMIT * _CALLS_PER_CONCURRENCY * step.concurrency
        if step.quota is not None:
            key = step.quota.shared_key
            sharing[key] = sharing.get(key, 0) + 1
            left = max(0, step.quota.limit - (step.quota.used or 0))
            bounds_rps[key] = _SHARE_OF_QUOTA * left / (_HOLD_S + _WARM_UP_S / 2)
    rates = [bound * len(steps) / sharing[key] for key, bound in bounds_rps.items()]
    return _rounded(min([_GENTLE_RPS, *rates]))


def first_profile(source: Source, steps: Sequence[FirstStep], limits: Limits) -> str:
    """The whole text."""
    sent = active(steps)
    rate_rps = first_rate_rps(limits)
    requests = rate_rps * (_HOLD_S + _WARM_UP_S / 2)
    lines = [
        *_head(source, sent),
        *_load(rate_rps, limits.configured),
        "scenarios:",
        *_scenarios(source, sent, steps),
        *_judgement(rate_rps, requests),
    ]
    return "\n".join(lines) + "\n"


# -- parts of the text ----------------------------------------------------------------------------


def _head(source: Source, sent: Sequence[FirstStep]) -> Iterator[str]:
    yield f"# A first load test of the {source.kind.upper()} API {_comment(source.name)}."
    yield "#"
    yield f"#     {source.command}"
    if source.api_key is None and any(step.needs_key for step in sent):
        yield "#"
        yield "# API_KEY has the value of the API key: it does not belong into this file."
    if any(step.auth in _BEARER for step in sent):
        yield "#"
        yield "# TOKEN has the bearer token; `loadgen` can fetch and refresh one too: see `auth`."
    yield ""
    yield "version: 1"
    yield f"name: {_scalar(_profile_name(source.name))}"
    yield ""
    yield "target:"
    yield f"  api: {source.target}"
    yield ""
    if source.stack is not None:
        yield f"sandbox: {{stack: {_scalar(source.stack)}}} # what `--sandbox` starts"
        yield ""


def _load(rate_rps: float, limits: Sequence[ConfiguredLimit]) -> Iterator[str]:
    yield "load:"
    yield "  model: open # requests come when they come, however slow the answers are"
    yield "  arrivals: poisson"
    yield "  unit: requests"
    yield "  phases:"
    if limits:
        yield "    # All scenarios together, in equal parts, and well below what is configured:"
        for limit in limits:
            yield f"    #   {_comment(_limit_words(limit))}"
    else:
        yield "    # All scenarios together, in equal parts. The limits of the API are not known."
    low, high = _number(min(1.0, rate_rps / 2)), _number(rate_rps)
    yield (
        f"    - {{name: warm-up, duration: {_WARM_UP_S}s, rate: [{low}, {high}], measure: false}}"
    )
    yield f"    - {{name: hold, duration: {_HOLD_S}s, rate: {high}}}"
    yield ""


def _scenarios(
    source: Source, sent: Sequence[FirstStep], steps: Sequence[FirstStep]
) -> Iterator[str]:
    for step in sent:
        yield from _scenario(source, step)
        yield ""
    kept_back = [step for step in steps if step not in sent]
    if kept_back:
        yield "  # These change data. Give them a body that the API takes before you send them."
        yield "  #"
    for step in kept_back:
        for line in _scenario(source, step):
            yield f"  # {line.removeprefix('  ')}"
        yield ""


def _scenario(source: Source, step: FirstStep) -> Iterator[str]:
    yield f"  - name: {_scalar(step.scenario)}"
    key = f"${{env.API_KEY:-{source.api_key}}}" if source.api_key else "${env.API_KEY}"
    if step.auth == "AWS_IAM":
        yield "    auth: {type: sigv4}"
    elif step.auth in _BEARER:
        yield '    auth: {type: bearer, value: "${env.TOKEN}"}'
    elif step.needs_key:
        yield f'    auth: {{type: api_key, value: "{key}"}}'
    yield "    flow:"
    yield f"      - {step.method.lower()}: {_scalar(step.path)}"
    yield f"        name: {_scalar(step.name)}"
    if step.needs_key and step.auth != "NONE":
        yield f'        headers: {{x-api-key: "{key}"}}'
    if step.method in _WITH_BODY:
        yield '        json: {example: "${uuid}"}'


def _judgement(rate_rps: float, requests: float) -> Iterator[str]:
    yield "thresholds:"
    yield "  # Refused requests are another question than how good the admitted ones are."
    yield "  - p95(ok_response) < 500ms"
    yield "  - rate(failed) < 1%"
    yield "  - rate(throttled) < 1%"
    yield ""
    yield "guards: # no run of this file goes beyond them"
    yield f"  max_requests: {max(100, round(2 * requests))}"
    yield f"  max_rate: {_number(_rounded(max(2.0, 2 * rate_rps)))}"
    yield "  max_cost_usd: 1"


_KIND_WORDS = {
    "usage_plan": "usage ",
    "quota": "quota of ",
    "lambda_concurrency": "Lambda, ",
}


def _limit_words(limit: ConfiguredLimit) -> str:
    """`usage plan basic, key me: 10 requests/s, burst 5`."""
    figures = []
    if limit.rate_rps is not None:
        figures.append(f"{limit.rate_rps:,.10g} requests/s")
    if limit.burst is not None:
        figures.append(f"burst {limit.burst:,}")
    if limit.quota is not None:
        used = "" if limit.used is None else f", {limit.used:,} used"
        figures.append(f"{limit.quota:,} requests a {limit.period}{used}")
    if limit.concurrency is not None:
        figures.append(f"{limit.concurrency:,} at once")
    return f"{_KIND_WORDS.get(limit.layer, '')}{limit.name}: {', '.join(figures)}"


# -- small texts ----------------------------------------------------------------------------------


def _with_templates(path: str) -> str:
    """`/orders/{id}` with a value for each parameter, as a template."""
    parts = []
    for part in path.replace("$", "$$").split("/"):
        if part.startswith("{") and part.endswith("+}"):
            parts.append("example")
        elif part.startswith("{") and part.endswith("}"):
            parts.append("${random_int(1, 100)}")
        else:
            parts.append(part)
    return "/".join(parts)


def _slug(text: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "-".join(word.lower() for word in words)[:60] or "scenario"


def _unique(name: str, taken: set[str]) -> str:
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    taken.add(unique)
    return unique


def _profile_name(name: str) -> str:
    """The name of an API, as far as profiles can have it."""
    fitting = re.sub(r"[^A-Za-z0-9._ -]+", "-", name).lstrip("._ -")[:64]
    return fitting or "api"


def _comment(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _scalar(text: str) -> str:
    """A text as YAML: plain where nothing in it could mean something else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """A text between double quotes, as YAML reads it."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\U{code:08x}"


def _number(value: float) -> str:
    return f"{value:.10g}"


def _rounded(rate_rps: float) -> float:
    """The rate cut to two digits, at least 0.1."""
    if rate_rps <= 0.1:
        return 0.1
    unit = 10.0 ** (floor(log10(rate_rps)) - 1)
    return round(floor(rate_rps / unit + 1e-9) * unit, 3)
