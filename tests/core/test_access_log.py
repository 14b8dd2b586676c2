"""Lines of access logs, in the formats that stages have."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.access_log import AccessLine, access_log_reader

CLF = (
    "$context.identity.sourceIp $context.identity.caller $context.identity.user "
    '[$context.requestTime] "$context.httpMethod $context.resourcePath $context.protocol" '
    "$context.status $context.responseLength $context.requestId $context.extendedRequestId"
)
CLF_LINE = '1.2.3.4 - - [26/Nov/2026:11:44:38 +0000] "GET /x HTTP/1.1" 429 31 id-1 eid='
XML = (
    '<request id="$context.requestId"><status>$context.status</status>'
    "<why>$context.error.responseType</why></request>"
)


@pytest.mark.parametrize(
    ("log_format", "line", "expected"),
    [
        pytest.param(
            '{"id":"$context.requestId","s":"$context.status","t":"$context.error.responseType",'
            '"l":"$context.integration.integrationStatus"}',
            '{"id":"id-1","s":"429","t":"THROTTLED","l":"-"}',
            AccessLine("id-1", 429, "THROTTLED", None),
            id="JSON",
        ),
        pytest.param(
            '{ "id": "$context.requestId", "s": $context.status, "l": $context.integrationStatus }',
            '{ "id": "id-1", "s": 500, "l": 429 }',
            AccessLine("id-1", 500, None, 429),
            id="JSON with numbers",
        ),
        pytest.param(
            '{"id":"$context.requestId","m":$context.error.messageString,"s":$context.status}',
            '{"id":"id-1","m":-,"s":200}',
            AccessLine("id-1", 200, None, None),
            id="JSON that a missing value broke",
        ),
        pytest.param(
            '{"a":{"id":"$context.requestId"},"b":{"s":{"c":"$context.status"}}}',
            '{"a":{"id":"id-1"},"b":{"s":{"c":"429"}}}',
            AccessLine("id-1", 429, None, None),
            id="nested JSON",
        ),
        pytest.param(
            '{"id":"$context.extendedRequestId"}',
            '{"id":"id-1"}',
            AccessLine("id-1", None, None, None),
            id="only the extended id",
        ),
        pytest.param(
            '{"id":"$context.requestId","l":"$context.responseLatency",'
            '"i":"$context.integration.latency","a":"$context.authorizer.latency",'
            '"call":"$context.integration.requestId"}',
            '{"id":"id-1","l":"41","i":"38","a":"-","call":"call-1"}',
            AccessLine("id-1", None, None, None, 41, 38, None, "call-1"),
            id="latencies and the id of the call",
        ),
        pytest.param(
            "$context.requestId $context.responseLatency $context.integrationLatency "
            "$context.awsEndpointRequestId",
            "id-1 7 - call-1",
            AccessLine("id-1", None, None, None, 7, None, None, "call-1"),
            id="latencies as text",
        ),
        pytest.param(CLF, CLF_LINE, AccessLine("id-1", 429, None, None), id="common log format"),
        pytest.param(
            "$context.requestId,$context.status,$context.error.responseType",
            "id-1,429,QUOTA_EXCEEDED\n",
            AccessLine("id-1", 429, "QUOTA_EXCEEDED", None),
            id="CSV",
        ),
        pytest.param(
            XML,
            '<request id="id-1"><status>200</status><why>-</why></request>',
            AccessLine("id-1", 200, None, None),
            id="XML",
        ),
    ],
)
def test_lines_are_read_in_the_format_of_the_stage(
    log_format: str, line: str, expected: AccessLine
) -> None:
    reader = access_log_reader(log_format)

    assert reader is not None
    assert reader.read(line) == expected


@pytest.mark.parametrize("log_format", ['{"s":"$context.status"}', "$context.status", "", "{"])
def test_without_a_request_id_a_format_is_of_no_use(log_format: str) -> None:
    assert access_log_reader(log_format) is None


def test_the_extended_id_is_the_request_id_of_http_apis_only() -> None:
    log_format = '{"id":"$context.extendedRequestId"}'

    assert access_log_reader(log_format) is not None
    assert access_log_reader(log_format, rest=True) is None
    assert access_log_reader('{"id":"$context.requestId"}', rest=True) is not None


@pytest.mark.parametrize("line", ["", "something else", '{"id":"-"}', "[]", '{"id":{"a":1}}'])
def test_lines_of_something_else_are_passed_over(line: str) -> None:
    reader = access_log_reader('{"id":"$context.requestId"}')

    assert reader is not None
    assert reader.read(line) is None


@pytest.mark.parametrize(
    ("log_format", "pattern"),
    [
        pytest.param(
            '{"id":"$context.requestId","s":"$context.status"}',
            '{ ($.s = "429") || ($.s = "500") }',
            id="text",
        ),
        pytest.param(
            '{"id":"$context.requestId","s":{"c":$context.status}}',
            "{ ($.s.c = 429) || ($.s.c = 500) }",
            id="number",
        ),
        pytest.param(CLF, "?429 ?500", id="no JSON"),
        pytest.param('{"id":"$context.requestId","a b":"$context.status"}', "?429 ?500", id="name"),
        pytest.param('{"id":"$context.requestId"}', "", id="no status"),
    ],
)
def test_filter_patterns_let_only_the_wanted_statuses_through(
    log_format: str, pattern: str
) -> None:
    reader = access_log_reader(log_format)

    assert reader is not None
    assert reader.pattern([500, 429, 429]) == pattern


VARIABLES = {
    "$context.requestId": st.from_regex(r"[a-z0-9-]{4,36}", fullmatch=True),
    "$context.status": st.sampled_from(["200", "429", "500"]),
    "$context.error.responseType": st.sampled_from(["THROTTLED", "-"]),
    "$context.integrationStatus": st.sampled_from(["-", "200", "429"]),
    "$context.path": st.from_regex(r"/[a-z/]{0,9}", fullmatch=True),
}


@given(
    order=st.permutations(sorted(VARIABLES)),
    form=st.sampled_from(["JSON", "text"]),
    data=st.data(),
)
def test_every_format_gives_back_what_went_in(
    order: list[str], form: str, data: st.DataObject
) -> None:
    values = {name: data.draw(VARIABLES[name]) for name in order}
    if form == "JSON":
        log_format = json.dumps({f"k{i}": name for i, name in enumerate(order)})
        line = json.dumps({f"k{i}": values[name] for i, name in enumerate(order)})
    else:
        log_format = "|".join(order)
        line = "|".join(values[name] for name in order)
    reader = access_log_reader(log_format)

    assert reader is not None
    found = reader.read(line)
    request_id = values["$context.requestId"]
    assert (found.request_id if found else "-") == request_id
    if found is not None:
        assert str(found.status) == values["$context.status"]
        assert (found.error_type or "-") == values["$context.error.responseType"]
        status = found.integration_status
        assert ("-" if status is None else str(status)) == values["$context.integrationStatus"]


@given(log_format=st.text(), line=st.text())
def test_no_format_and_no_line_is_too_strange(log_format: str, line: str) -> None:
    reader = access_log_reader(log_format + "$context.requestId")

    if reader is not None:
        reader.read(line)
        reader.pattern([429])
