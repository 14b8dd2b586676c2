"""Plans: what people write becomes values, and everything that is wrong is told at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError, InputErrors
from core.located_yaml import read_document
from reports.nightly.plan import LoadStep, NightlyPlan, TuneStep, setting_value
from reports.nightly.plan_reader import DEFAULT_HISTORY, PlanFile, read_plan
from reports.nightly.plan_schema import plan_schema

ENV = {"HOOK": "https://hooks.example/T0-secret", "TOKEN": "token-0123456789", "MANY": "40"}
PROFILE = """\
version: 1
name: orders
environments:
  staging: {target: {url: "http://127.0.0.1:1"}}
"""
STEPS = "steps: [{load: orders.yaml}]"
GOOD = """\
name: shop
description: All that is looked at every night
history: ../history
every: 1d
max_usd: 1.5
steps:
  - load: orders.yaml
    env: staging
    set: {auth.value: "${env.TOKEN}", load.seed: 7, vars.id: "007", data.rows: [1, 2]}
    time_limit: 10m
    budgets: "GET /search: p95 < 300ms"
    metrics: [p95, cost]
    floors: {p95: 7%}
    options: {logs: true, records: false, processes: 2}
    baseline: {set: {target.api.stage: before}}
  - tune: arn:aws:lambda:eu-west-1:123456789012:function:thumb:live
    payload: event.json
    sizes: 512
    samples: 10
    template: event.json
    resource: Thumb
    options: {slo: "p95 < 300ms", allow-error: [A, B], payloads: event.json, thorough: true}
    baseline: {function: "thumb:before"}
gates:
  window: ${env.MANY}
  confirm: {by: next_night, time_limit: 30m}
notify:
  - {kind: slack, url: "${env.HOOK}"}
outputs: {html: public/index.html, json: public/night.json}
environments:
  ci: {sandbox: true, gates: {inconclusive: pass}}
"""


def read(
    folder: Path, text: str, *, environment: str | None = None, settings: tuple[str, ...] = ()
) -> PlanFile:
    """The plan of a text, in a folder with a profile and an event."""
    (folder / "orders.yaml").write_text(PROFILE, encoding="utf-8")
    (folder / "event.json").write_text("{}", encoding="utf-8")
    path = folder / "nightly.yaml"
    path.write_text(text, encoding="utf-8")
    return read_plan(path, environment=environment, settings=settings, env=ENV)


def faults(folder: Path, text: str, *settings: str) -> list[str]:
    """What is wrong with a text, without the path of its file."""
    with pytest.raises(InputError) as raised:
        read(folder, text, settings=settings)
    error = raised.value
    lines = error.messages if isinstance(error, InputErrors) else [str(error)]
    return [line.replace(str(folder / "nightly.yaml"), "n.yaml") for line in lines]


def test_what_people_write_becomes_values(tmp_path: Path) -> None:
    plan = read(tmp_path, GOOD).plan
    load, tune = plan.steps

    assert isinstance(load, LoadStep)
    assert isinstance(tune, TuneStep)
    assert (plan.every_s, plan.gates.window, plan.gates.confirm.time_limit_s) == (86_400, 40, 1800)
    assert (load.name, load.kind, load.time_limit_s) == ("load orders", "load", 600)
    assert load.budgets == ("GET /search: p95 < 300ms",)
    assert load.floors is not None
    assert load.floors.p95 == pytest.approx(0.07)
    assert (tune.name, tune.kind, tune.sizes) == ("tune thumb-live", "tune", (512,))
    assert tune.options["allow-error"] == ["A", "B"]


def test_settings_of_a_profile_are_written_so_that_they_are_read_as_they_were(
    tmp_path: Path,
) -> None:
    (load, _) = read(tmp_path, GOOD).plan.steps
    assert isinstance(load, LoadStep)

    assert load.set == {
        "auth.value": "${env.TOKEN}",
        "load.seed": "7",
        "vars.id": '"007"',
        "data.rows": "[1, 2]",
    }


@given(st.text(max_size=40) | st.integers(-(10**15), 10**15) | st.booleans())
def test_any_setting_is_read_again_as_what_it_was(value: object) -> None:
    written = setting_value(value)

    assert isinstance(written, str)
    read_again = read_document(written).value if written else ""
    assert read_again == value


def test_an_environment_and_settings_are_laid_over_a_plan(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD, environment="ci", settings=("steps.0.name=shop at night",))

    assert file.plan.sandbox
    assert file.plan.gates.inconclusive == "pass"
    assert file.plan.steps[0].name == "shop at night"
    assert file.environment == "ci"
    assert file.at("steps", 0, "name") == "--set steps.0.name=shop at night: steps[0].name"
    assert file.at("max_usd").endswith("nightly.yaml:5:10: max_usd")


def test_no_secret_is_in_what_is_recorded(tmp_path: Path) -> None:
    file = read(tmp_path, GOOD)

    assert file.plan.notify[0].url == ENV["HOOK"]
    assert ENV["HOOK"] not in file.text
    assert ENV["TOKEN"] not in str(file.plan)


@pytest.mark.parametrize(
    ("history", "option", "place"),
    [
        ("history: s3://bucket/nights", None, "s3://bucket/nights"),
        ("history: s3://bucket/nights", "elsewhere", "elsewhere"),
        ("history: here", None, "{folder}/here"),
        ("", None, DEFAULT_HISTORY),
    ],
    ids=["S3", "option", "relative to the plan", "default"],
)
def test_the_history_is_where_option_or_plan_say(
    tmp_path: Path, history: str, option: str | None, place: str
) -> None:
    file = read(tmp_path, f"name: x\n{history}\n{STEPS}\n")

    assert file.history_place(option) == place.format(folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "n.yaml:1:1: is empty: profiles/nightly.yaml is one to begin with"),
        ("name: x", "n.yaml:1:1: steps: is missing"),
        ("name: x\nsteps: []", "n.yaml:2:8: steps: must have at least 1 (got an empty list)"),
        (
            f"name: a/b\n{STEPS}",
            "n.yaml:1:7: name: must match [A-Za-z0-9][A-Za-z0-9._-]{0,63} (got 'a/b')",
        ),
        (
            f"name: x\nhistroy: h\n{STEPS}",
            "n.yaml:2:1: histroy: unknown key (did you mean history?)",
        ),
        (
            f"name: x\nhistory: s3://B/x\n{STEPS}",
            (
                "n.yaml:2:10: history: must be a folder or s3://BUCKET/PREFIX, "
                "the bucket in small letters (got 's3://B/x')"
            ),
        ),
        (
            f"name: x\nhistory: event.json\n{STEPS}",
            (
                "n.yaml:2:10: history: is a file, and must be a folder or s3://BUCKET/PREFIX "
                "(got 'event.json')"
            ),
        ),
        (
            f"name: x\nregion: frankfurt\n{STEPS}",
            "n.yaml:2:9: region: must be a region such as eu-west-1 (got 'frankfurt')",
        ),
        (f"name: x\nevery_s: 3\n{STEPS}", "n.yaml:2:1: every_s: unknown key (did you mean every?)"),
        (f"name: x\nmax_usd: 0\n{STEPS}", "n.yaml:2:10: max_usd: must be greater than 0 (got 0)"),
        (
            f"name: x\nreport_url: shop\n{STEPS}",
            "n.yaml:2:13: report_url: must be a URL with https:// (got 'shop')",
        ),
        (
            f"name: x\ngates: {{min_nights: 30}}\n{STEPS}",
            "n.yaml:2:21: gates.min_nights: must be at most the window of 28 nights (got 30)",
        ),
        (
            f"name: x\nnotify: [{{kind: slack, url: hooks/T0-secret}}]\n{STEPS}",
            (
                "n.yaml:2:29: notify[0].url: must be a URL with https:// "
                "(got a value that is not shown)"
            ),
        ),
        (
            f"name: x\nnotify: [{{kind: slack, url: 'https://hooks.example/T0'}}]\n{STEPS}",
            (
                "n.yaml:2:29: notify[0].url: is a secret, and results keep the text of a plan: "
                "write ${env.NAME} instead"
            ),
        ),
        (
            f"name: x\noutputs: {{html: a.html, md: ./a.html}}\n{STEPS}",
            "n.yaml:2:29: outputs.md: is the file of html as well (got './a.html')",
        ),
        (
            f"name: x\n{STEPS}\nenvironments: {{ci: {{gates: {{windo: 9}}}}}}",
            "n.yaml:3:29: environments.ci.gates.windo: unknown key (did you mean window?)",
        ),
    ],
    ids=lambda value: re.sub(r"\W+", " ", value)[:40] if "n.yaml" not in value else "",
)
def test_a_fault_of_a_plan_is_one_line_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    assert faults(tmp_path, text) == [told]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("thumb", "steps[0]: must have load: PROFILE or tune: FUNCTION (got 'thumb')"),
        ("{lod: a}", "steps[0]: must have load: PROFILE or tune: FUNCTION (got a mapping)"),
        ("{tune: }", "steps[0].tune: must be text (got nothing)"),
        (
            "{load: orders.yaml, tune: a}",
            "steps[0].load: a step is one of load and tune: write a step for each",
        ),
        (
            "{kind: tune, tune: a}",
            "steps[0].kind: unknown key (load: or tune: says what a step is)",
        ),
        ("{tune: a, set: {}}", "steps[0].set: unknown key (it goes with load)"),
        ("{tune: a, time_limi: 3s}", "steps[0].time_limi: unknown key (did you mean time_limit?)"),
        (
            "{tune: a, time_limit: soon}",
            "steps[0].time_limit: must be a duration such as 500ms, 30s or 5m (got 'soon')",
        ),
        (
            "{tune: --x}",
            "steps[0].tune: must be the name or ARN of a function, or NAME:ALIAS (got '--x')",
        ),
        (
            '{tune: "${env.TOKEN}"}',
            (
                "steps[0].name: is missing: what the step runs comes from the environment, "
                "so it needs one"
            ),
        ),
        (
            "{tune: a, payload: nope.json}",
            "steps[0].payload: there is no such file in {folder} (got 'nope.json')",
        ),
        (
            "{tune: a, payload: '-'}",
            "steps[0].payload: must be a file: a night has no stdin (got '-')",
        ),
        (
            "{tune: a, resource: A}",
            "steps[0].resource: is a name in a template: it needs template as well",
        ),
        (
            "{tune: a, metrics: p95}",
            "steps[0].metrics: a tune has duration, cost and curve (got 'p95')",
        ),
        (
            "{tune: a, baseline: {set: {a: 1}, function: b}}",
            "steps[0].baseline.set: goes with load: a tuning has function here",
        ),
        (
            "{tune: a, baseline: {function: a}}",
            "steps[0].baseline.function: is what the step tunes: name another (got 'a')",
        ),
        ("{load: no.yaml}", "steps[0].load: there is no such file in {folder} (got 'no.yaml')"),
        (
            "{load: orders.yaml, env: stagin}",
            (
                "steps[0].env: orders.yaml has no such environment (did you mean staging?) "
                "(got 'stagin')"
            ),
        ),
        (
            "{load: orders.yaml, set: {a=b: 1}}",
            "steps[0].set.a=b: must be a path such as load.phases.0.rate, and its value",
        ),
        (
            "{load: orders.yaml, set: {auth.value: abc}}",
            (
                "steps[0].set.auth.value: is a secret, and results keep the text of a plan: "
                "write ${{env.NAME}} instead"
            ),
        ),
        (
            "{load: orders.yaml, baseline: {}}",
            "steps[0].baseline: must have env or set: where the version before stands",
        ),
        (
            "{load: orders.yaml, metrics: [p55]}",
            (
                "steps[0].metrics[0]: must be 'p50', 'p95', 'p99', 'duration', 'cost' or 'curve' "
                "(got 'p55')"
            ),
        ),
        (
            "{load: orders.yaml, options: {runs: x}}",
            "steps[0].options.runs: the night says this itself: leave it out",
        ),
        (
            "{load: orders.yaml, options: {log: true}}",
            "steps[0].options.log: loadgen run has no such option (did you mean logs?)",
        ),
        (
            "{load: orders.yaml, options: {logs: 3}}",
            "steps[0].options.logs: must be true or false (got 3)",
        ),
        (
            "{load: orders.yaml, options: {--seed: 3}}",
            "steps[0].options.--seed: is written without dashes: seed",
        ),
        (
            "{tune: a, options: {apply: live}}",
            (
                "steps[0].options.apply: a night measures, and changes nothing: "
                "see `tune apply` for afterwards"
            ),
        ),
        (
            "{tune: a, options: {slo: [a, b]}}",
            "steps[0].options.slo: must be one value (got a list)",
        ),
        ("{tune: a, options: {slo: true}}", "steps[0].options.slo: must have a value (got true)"),
    ],
    ids=lambda value: value[:40] if value[0] in "{t" else "",
)
def test_a_fault_of_a_step_is_one_line(tmp_path: Path, step: str, told: str) -> None:
    (line,) = faults(tmp_path, f"name: x\nsteps:\n  - {step}\n")

    assert line.split(": ", 1)[1] == told.format(folder=tmp_path)
    assert line.startswith("n.yaml:3:")


def test_two_steps_cannot_have_one_name(tmp_path: Path) -> None:
    steps = "  - load: orders.yaml\n  - {load: orders.yaml, env: staging}\n"
    told = "'load orders' is what steps[0] is called as well: give each a name of its own"

    assert faults(tmp_path, f"name: x\nsteps:\n{steps}") == [f"n.yaml:4:5: steps[1]: {told}"]


def test_every_fault_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    steps = "steps:\n  - {load: no.yaml, env: x}\n  - {tune: a, samples: 0}\n"
    text = f"nmae: x\n{steps}gates: {{windo: 3}}\n"
    told = faults(tmp_path, text, "every=never", "gates")

    assert [line.split(" ")[0:3:2] for line in told[:5]] == [
        ["n.yaml:1:1:", "is"],
        ["n.yaml:1:1:", "unknown"],
        ["n.yaml:3:12:", "there"],
        ["n.yaml:4:24:", "must"],
        ["n.yaml:5:9:", "unknown"],
    ]
    assert told[5].startswith("--set every=never: every: must be a duration")
    assert told[6] == "--set gates: must be PATH=VALUE such as gates.window=40"


def test_what_comes_from_the_environment_is_not_shown(tmp_path: Path) -> None:
    text = f'name: x\nregion: "${{env.TOKEN}}"\n{STEPS}\n'

    assert faults(tmp_path, text) == [
        "n.yaml:2:9: region: must be a region such as eu-west-1 (got '${env.TOKEN}')"
    ]


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all values in a document, but its own."""
    inner: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for step, found in inner:
        yield (*path, step)
        yield from places(found, (*path, step))


HOSTILE = [
    None, "", 3, -1, 1.5, True, [], {}, [None], [[]], {"a": 1}, {"": {}}, "${env.HOOK}",
    "x${env.TOKEN}y", "${env.NOPE}", "${env.", "\x00", "a" * 5000, "~", "..", "s3://", "https://",
    10**25, "--", "=", "\n", "/dev/zero",
]  # fmt: skip


@given(
    st.sampled_from(list(places(read_document(GOOD).value))),
    st.sampled_from(HOSTILE),
    st.booleans(),
)
@settings(max_examples=20, deadline=None)
def test_whatever_stands_in_a_plan_is_told_in_lines_without_secrets(
    path: tuple[str | int, ...],
    value: object,
    is_key: bool,  # noqa: FBT001 # hypothesis gives it
) -> None:
    document: Any = read_document(GOOD).value
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    if is_key and isinstance(holder, dict) and isinstance(value, str):
        holder[value] = holder.pop(path[-1])
    else:
        holder[path[-1]] = value
    lines: Sequence[str] = ()
    with TemporaryDirectory() as folder:
        try:
            read(Path(folder), json.dumps(document))
        except InputErrors as error:
            lines = error.messages

    assert not [line for line in lines if "\n" in line]
    assert not [line for line in lines if "T0-secret" in line or ENV["TOKEN"] in line]


def test_the_schema_names_what_files_have_and_not_what_the_code_has() -> None:
    schema = plan_schema()
    parts = (schema, *schema["$defs"].values())
    keys = {key for part in parts for key in part.get("properties", {})}

    assert {"load", "tune", "time_limit", "every", "json"} <= keys
    assert not {"time_limit_s", "every_s", "json_", "kind_"} & keys
    assert "kind" not in schema["$defs"]["LoadStep"]["properties"]
    assert schema["$defs"]["LoadStep"]["required"] == ["load"]


def test_plans_can_be_built_by_the_names_of_fields() -> None:
    step = LoadStep(name="x", profile="p.yaml", time_limit_s=5.0)

    assert NightlyPlan(name="x", steps=(step,)).steps == (step,)
