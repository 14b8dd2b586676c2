"""Input files of aws-lambda-power-tuning: read as it would, and made into options of `tune`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from tests.tuner.run_rig import tune_options
from tuner.options import TuneOptions, check_options
from tuner.power_tuning.input_file import (
    DEFAULT_POWER_VALUES_MB,
    PARAMETERS,
    parse_input,
    read_input_file,
)
from tuner.power_tuning.options_of_input import with_input

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
WHOLE = {"lambdaARN": ARN, "num": 20, "powerValues": [128, 512, 1024], "payload": {"id": 7}}


def options(
    values: dict[str, Any], function: str = "", *, parallel_given: bool = False, **said: Any
) -> TuneOptions:
    """The options of a command line that says only `said`, with an input file."""
    found = parse_input(json.dumps(values), "in.json")
    return with_input(tune_options(function, **said), found, parallel_given=parallel_given)


def changed(values: dict[str, Any], **said: Any) -> dict[str, Any]:
    """What the file has set, but for its notes."""
    before, after = tune_options("", **said), options({**WHOLE, **values}, **said)
    names = TuneOptions.__slots__  # type: ignore[attr-defined]
    return {
        name: getattr(after, name)
        for name in names
        if name != "notes" and getattr(after, name) != getattr(before, name)
    }


PLAIN = {
    "function": ARN,
    "region": "eu-west-1",
    "samples": 20,
    "sizes": "128,512,1024",
    "payload_text": '{"id": 7}',
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({}, PLAIN, id="what each file has"),
        pytest.param({"num": "20"}, PLAIN, id="num as text"),
        pytest.param({"strategy": None, "payloadS3": None}, PLAIN, id="null is not given"),
        pytest.param(
            {"includeOutputResults": True, "disablePayloadLogs": True}, PLAIN, id="always so here"
        ),
        pytest.param(
            {"powerValues": "ALL"},
            {**PLAIN, "sizes": ",".join(str(mb) for mb in range(128, 3009, 64))},
            id="ALL",
        ),
        pytest.param(
            {"powerValues": []},
            {**PLAIN, "sizes": "128,256,512,1024,1536,3008"},
            id="default sizes",
        ),
        pytest.param({"strategy": "speed"}, {**PLAIN, "objective": "speed"}, id="strategy"),
        pytest.param(
            {"strategy": "balanced", "balancedWeight": 0},
            {**PLAIN, "objective": "balanced", "weight": 0},
            id="weight 0",
        ),
        pytest.param(
            {"strategy": "cost", "balancedWeight": 0.2},
            {**PLAIN, "objective": "cost"},
            id="weight without balanced",
        ),
        pytest.param({"parallelInvocation": True}, {**PLAIN, "parallel": 3}, id="parallel"),
        pytest.param({"discardTopBottom": 0}, {**PLAIN, "discard": 0}, id="discard nothing"),
        pytest.param(
            {"allowedExceptions": ["Busy", "Late"]},
            {**PLAIN, "allow_errors": ("Busy", "Late")},
            id="allowed exceptions",
        ),
        pytest.param(
            {"preProcessorARN": f"{ARN}-pre", "postProcessorARN": f"{ARN}-post"},
            {**PLAIN, "pre": f"{ARN}-pre", "post": f"lambda-output:{ARN}-post"},
            id="processors",
        ),
        pytest.param({"autoOptimize": True}, {**PLAIN, "apply": "latest"}, id="optimize"),
        pytest.param(
            {"autoOptimize": True, "autoOptimizeAlias": "live"},
            {**PLAIN, "apply": "alias=live"},
            id="optimize an alias",
        ),
        pytest.param({"autoOptimizeAlias": "live"}, PLAIN, id="an alias, but no optimizing"),
        pytest.param({"sleepBetweenRunsMs": 1500}, {**PLAIN, "sleep_s": 1.5}, id="sleep"),
        pytest.param(
            {"sleepBetweenRunsMs": 1500, "parallelInvocation": True},
            {**PLAIN, "parallel": 3},
            id="sleep is for series",
        ),
        pytest.param(
            {"onlyColdStarts": True, "discardTopBottom": 0.2, "parallelInvocation": True},
            {**PLAIN, "cold_only": True},
            id="cold starts only",
        ),
        pytest.param(
            {"dryRun": True, "strategy": "balanced", "onlyColdStarts": True, "autoOptimize": True},
            {**{key: PLAIN[key] for key in PLAIN if key != "samples"}, "test_run": True},
            id="dry run",
        ),
        pytest.param(
            {"payloadS3": "s3://bucket/a/b.json"},
            {**{key: PLAIN[key] for key in PLAIN if key != "payload_text"}}
            | {"payload_file": "s3://bucket/a/b.json"},
            id="payload in S3 goes first",
        ),
    ],
)
def test_parameters_become_options(values: dict[str, Any], expected: dict[str, Any]) -> None:
    assert changed(values) == expected


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param({}, {"function": "mine"}, id="function"),
        pytest.param({}, {"samples": 7}, id="samples"),
        pytest.param({}, {"sizes": "256"}, id="sizes"),
        pytest.param({}, {"min_memory_mb": 256}, id="limits"),
        pytest.param({}, {"payload_file": "event.json"}, id="payload"),
        pytest.param({}, {"payloads_file": "events.json"}, id="payloads"),
        pytest.param({"strategy": "balanced"}, {"slo": "p95 < 1s"}, id="slo"),
        pytest.param({"strategy": "speed"}, {"objective": "cost"}, id="objective"),
        pytest.param(
            {"strategy": "balanced", "balancedWeight": 1},
            {"objective": "balanced", "weight": 0.0},
            id="weight",
        ),
        pytest.param({"discardTopBottom": 0.4}, {"discard": 0.0}, id="discard"),
        pytest.param({"allowedExceptions": ["Busy"]}, {"allow_errors": ("Late",)}, id="errors"),
        pytest.param({"sleepBetweenRunsMs": 9}, {"sleep_s": 0.0}, id="sleep"),
        pytest.param({"autoOptimize": True}, {"apply": "shift=live"}, id="apply"),
        pytest.param({"preProcessorARN": ARN}, {"pre": "true"}, id="pre"),
    ],
)
def test_the_command_line_goes_first(values: dict[str, Any], said: dict[str, Any]) -> None:
    function = said.pop("function", "")
    plain = tune_options(function, **said)

    found = options({**WHOLE, **values}, function, **said)

    names = {*said, *({"function", "region"} if function else ())}
    if said.keys() & {"min_memory_mb", "max_memory_mb"}:
        names.add("sizes")
    if said.keys() & {"payload_file", "payloads_file"}:
        names |= {"payload_file", "payload_text", "payloads_file", "payloads_text"}
    if "slo" in said:
        names.add("objective")
    assert {name: getattr(found, name) for name in names} == {
        name: getattr(plain, name) for name in names
    }


def test_one_at_a_time_can_be_said() -> None:
    found = options({**WHOLE, "parallelInvocation": True}, parallel_given=True)

    assert found.parallel == 1


def test_a_weight_of_the_file_is_for_a_balance_of_the_command_line_too() -> None:
    found = options({**WHOLE, "strategy": "cost", "balancedWeight": 0.7}, objective="balanced")

    assert (found.objective, found.weight) == ("balanced", 0.7)


def test_a_thorough_run_takes_only_the_range() -> None:
    found = options(WHOLE, thorough=True)

    assert (found.sizes, found.samples) == (None, None)
    assert (found.min_memory_mb, found.max_memory_mb) == (128, 1024)
    assert check_options(found).plan == "thorough"


@pytest.mark.parametrize(
    ("payload", "sent"),
    [
        pytest.param({"id": 7}, '{"id": 7}', id="object"),
        pytest.param('{"id":  7}', '{"id":  7}', id="JSON in a text, as it is"),
        pytest.param("plain", '"plain"', id="another text"),
        pytest.param("NaN", '"NaN"', id="no JSON"),
        pytest.param([1, 2], "[1, 2]", id="list"),
        pytest.param([], "[]", id="empty list"),
        *[pytest.param(empty, "null", id=f"{empty!r}") for empty in (None, 0, "", False)],
    ],
)
def test_the_payload_is_what_power_tuning_sends(payload: object, sent: str) -> None:
    assert options({**WHOLE, "payload": payload}).payload_text == sent


def test_without_a_payload_null_is_sent_and_said() -> None:
    values = {key: value for key, value in WHOLE.items() if key != "payload"}

    found = options(values)

    assert found.payload_text == "null"
    assert any("payload of in.json: missing, so null is sent" in note for note in found.notes)


def test_weighted_payloads_become_a_mix() -> None:
    payloads = [{"payload": {"id": 1}, "weight": 3}, {"payload": "[2]", "weight": 0.5}]

    request = check_options(options({**WHOLE, "payload": payloads}))

    assert request.payloads.contents == (b'{"id": 1}', b"[2]")
    assert list(request.payloads.weights.values()) == [3, 0.5]


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param([{"payload": 1}, {"payload": 2, "weight": 1}], id="not all have a weight"),
        pytest.param([{"weight": 1}], id="no payload"),
        pytest.param([1, 2], id="no objects"),
    ],
)
def test_a_list_that_is_no_mix_is_one_payload(payload: list[Any]) -> None:
    found = options({**WHOLE, "payload": payload})

    assert json.loads(found.payload_text or "") == payload
    assert found.payloads_text is None


@pytest.mark.parametrize(
    ("values", "note"),
    [
        pytest.param({}, "discardTopBottom of in.json: missing; its default of 0.2", id="discard"),
        pytest.param({"powerValues": None}, "powerValues of in.json: missing, so 128", id="sizes"),
        pytest.param({}, "num of in.json: 20 warm samples at each size", id="num"),
        pytest.param({"parallelInvocation": True}, "never twice at once", id="parallel"),
        pytest.param({"strategy": "balanced"}, "weighs per cents", id="balanced"),
        pytest.param({"balancedWeight": 1}, "only used with the strategy balanced", id="weight"),
        pytest.param(
            {"payload": [{"payload": 1, "weight": 1}]}, "the same shuffled sequence", id="mix"
        ),
        pytest.param({"autoOptimize": True}, "after a question unless --yes", id="optimize"),
        pytest.param({"autoOptimizeAlias": "x"}, "only used with autoOptimize", id="alias"),
        pytest.param({"dryRun": True}, "num of in.json: has no meaning with a test run", id="dry"),
    ],
)
def test_what_differs_is_said_once(values: dict[str, Any], note: str) -> None:
    notes = options({**WHOLE, **values}).notes

    assert sum(note in said for said in notes) == 1


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        pytest.param("lambdaARN", "orders", "the ARN of a function without", id="name"),
        pytest.param("lambdaARN", f"{ARN}:live", "without a version or alias", id="alias"),
        pytest.param("num", 4, "a whole number from 5 to 1000", id="few"),
        pytest.param("num", 5.5, "a whole number", id="no whole number"),
        pytest.param("num", True, "a whole number", id="true"),
        pytest.param("num", 1001, "a whole number from 5 to 1000", id="many"),
        pytest.param("powerValues", "all", '"ALL" or a list', id="all"),
        pytest.param("powerValues", [64], "whole MB between 128 and 10240", id="small"),
        pytest.param("powerValues", [128, "x"], "whole MB", id="text"),
        pytest.param("payloadS3", "bucket/key", "s3://bucket/key", id="S3"),
        pytest.param("parallelInvocation", "true", "true or false", id="flag as text"),
        pytest.param("strategy", "cheap", "cost, speed or balanced", id="strategy"),
        pytest.param("balancedWeight", 1.1, "a number from 0", id="weight"),
        pytest.param("autoOptimize", 1, "true or false", id="optimize"),
        pytest.param("autoOptimizeAlias", "", "the name of an alias", id="alias name"),
        pytest.param("preProcessorARN", "pre", "the ARN of a function", id="pre"),
        pytest.param("postProcessorARN", 5, "the ARN of a function", id="post"),
        pytest.param("discardTopBottom", 0.5, "a number from 0 to 0.4", id="discard"),
        pytest.param("onlyColdStarts", "yes", "true or false", id="cold"),
        pytest.param("sleepBetweenRunsMs", -1, "a number of milliseconds from 0", id="sleep"),
        pytest.param("includeOutputResults", 0, "true or false", id="output"),
        pytest.param("dryRun", "no", "true or false", id="dry run"),
        pytest.param("disablePayloadLogs", [], "true or false", id="logs"),
        pytest.param("allowedExceptions", "Busy", "a list of error types", id="no list"),
        pytest.param("allowedExceptions", [""], "a list of error types", id="empty type"),
    ],
)
def test_a_wrong_value_is_named(key: str, value: object, expected: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_input(json.dumps({**WHOLE, key: value}), "in.json")

    message = str(refused.value)
    assert message.startswith(f"in.json: {key}: expected ")
    assert expected in message
    assert f"(got {json.dumps(value)})" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"powerValue": [128]}', "in.json: powerValue: not a .*powerValues", id="key"),
        pytest.param('{"x": 1}', "in.json: x: not a parameter.*it has lambdaARN, num", id="far"),
        pytest.param("{", "in.json:1:2: expected JSON", id="no JSON"),
        pytest.param('{"num": NaN}', "in.json: expected JSON, got NaN", id="NaN"),
        pytest.param("[]", r"in.json: expected a JSON object.* \(got \[\]\)", id="list"),
        pytest.param(
            '{"payload": [{"payload": 1, "weight": 0}]}',
            r"in.json: payload\[0\].weight: expected a number above 0 \(got 0\)",
            id="weight 0",
        ),
        pytest.param(
            '{"payload": [{"payload": "", "weight": 1}]}',
            r"in.json: payload\[0\].payload: expected a payload that is not empty",
            id="empty payload",
        ),
    ],
)
def test_a_wrong_file_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_input(text, "in.json")


def test_a_wrong_key_shows_nothing_of_its_value() -> None:
    with pytest.raises(InputError) as refused:
        parse_input('{"payloads": {"password": "secret"}}', "in.json")

    assert "secret" not in str(refused.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'{"payload": "\xe9"}')

    with pytest.raises(InputError, match=r"--power-tuning: .*gone.json: could not read it"):
        read_input_file(tmp_path / "gone.json")
    with pytest.raises(InputError, match=r"latin.json: expected JSON in UTF-8 \(byte 13"):
        read_input_file(tmp_path / "latin.json")


def test_a_function_is_needed_from_either() -> None:
    with pytest.raises(InputError, match=r"in.json: lambdaARN: missing.*FUNCTION"):
        options({"num": 5})
    with pytest.raises(InputError, match=r"--power-tuning: expected FUNCTION .* --sandbox"):
        options(WHOLE, sandbox=True)
    assert options(WHOLE, "orders", sandbox=True).function == "orders"


def test_more_cold_starts_than_a_run_makes_are_refused() -> None:
    with pytest.raises(InputError, match=r"in.json: num: expected at most 50 .* \(got 100\)"):
        options({**WHOLE, "num": 100, "onlyColdStarts": True})


def test_the_defaults_of_the_stack_are_sizes_of_lambda() -> None:
    assert check_options(options({"lambdaARN": ARN})).sizes_mb == DEFAULT_POWER_VALUES_MB


@given(
    st.dictionaries(
        st.sampled_from([*PARAMETERS, "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["payload", "weight"]), inner, max_size=2)
            ),
            max_leaves=4,
        ),
        max_size=6,
    )
)
def test_whatever_a_file_says_it_is_read_or_refused(values: dict[str, Any]) -> None:
    try:
        found = parse_input(json.dumps(values), "in.json")
    except InputError as error:
        assert str(error).startswith("in.json: ")  # noqa: PT017 - most files are refused
        return
    json.loads(found.payload)


def test_the_documentation_names_every_parameter() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tune.md").read_text(encoding="utf-8")

    assert [name for name in PARAMETERS if f"`{name}`" not in page] == []
