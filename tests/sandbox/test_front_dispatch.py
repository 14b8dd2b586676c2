"""Who is answered, and by which service."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

SIGNED = "AWS4-HMAC-SHA256 Credential=any/20260101/{region}/{service}/aws4_request, Signature=0"


def ask(
    sandbox: Any,
    path: str = "/2015-03-31/functions",
    *,
    method: str = "GET",
    service: str | None = "lambda",
    region: str = "us-east-1",
    **headers: str,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (in lower case) and body of the answer to a hand-made request."""
    connection = http.client.HTTPConnection(urlsplit(sandbox.endpoint_url).netloc, timeout=10)
    if service is not None:
        headers["Authorization"] = SIGNED.format(service=service, region=region)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, names, answer.read()
    finally:
        connection.close()


def test_an_unsigned_request_is_refused_as_aws_does(sandbox: Any) -> None:
    status, headers, body = ask(sandbox, service=None)
    assert status == 403
    assert headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    assert json.loads(body)["message"] == "Missing Authentication Token"


def test_a_presigned_request_is_taken(sandbox: Any) -> None:
    path = (
        "/2015-03-31/functions?X-Amz-Credential=any%2F20260101%2Fus-east-1%2Flambda%2Faws4_request"
    )
    assert ask(sandbox, path, service=None)[0] == 200


@pytest.mark.parametrize("authorization", ["Basic eDp5", "AWS4-HMAC-SHA256 Credential=a/b"])
def test_an_incomplete_signature_is_refused(sandbox: Any, authorization: str) -> None:
    status, headers, _ = ask(sandbox, service=None, Authorization=authorization)
    assert status == 403
    assert headers["x-amzn-errortype"] == "IncompleteSignatureException"


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1:1", "[::1]:80", "x.localhost", "lambda.us-east-1.amazonaws.com"],
)
def test_names_of_this_machine_and_of_aws_are_answered(sandbox: Any, host: str) -> None:
    assert ask(sandbox, Host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "amazonaws.com.evil.example", "10.0.0.1"]
)
def test_other_hosts_are_refused_against_dns_rebinding(sandbox: Any, host: str) -> None:
    status, _, body = ask(sandbox, Host=host)
    assert status == 403
    assert host in json.loads(body)["message"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1", 200),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
def test_web_pages_of_other_origins_are_refused(sandbox: Any, origin: str, status: int) -> None:
    assert ask(sandbox, Origin=origin)[0] == status


def test_every_answer_has_a_request_id(sandbox: Any) -> None:
    answers = [ask(sandbox), ask(sandbox, service=None), ask(sandbox, Host="evil.example")]
    ids = {headers["x-amzn-requestid"] for _, headers, _ in answers}
    assert len(ids) == 3


def test_another_region_is_named(sandbox: Any) -> None:
    status, headers, body = ask(sandbox, region="eu-west-1")
    assert (status, headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")
    assert "us-east-1" in json.loads(body)["message"]
    assert "eu-west-1" in json.loads(body)["message"]


def test_a_path_that_lambda_does_not_have_is_404(sandbox: Any) -> None:
    status, headers, _ = ask(sandbox, "/2015-03-31/nothing")
    assert (status, headers["x-amzn-errortype"]) == (404, "UnknownOperationException")


@pytest.mark.parametrize("name", ["a" * 300, "..%2Fstate.json", f"{'0' * 64}.zip", ""])
def test_a_package_that_is_not_there_is_404(sandbox: Any, name: str) -> None:
    assert ask(sandbox, f"/_sandbox/packages/{name}", service=None)[0] == 404


@pytest.mark.parametrize(
    ("service", "operation", "name"),
    [
        pytest.param("route53", "list_hosted_zones", "route53", id="rest-xml"),
        pytest.param("dynamodb", "list_tables", "dynamodb", id="json"),
        pytest.param("sns", "list_topics", "sns", id="query"),
        pytest.param("health", "describe_events", "health", id="cbor"),
        pytest.param("iot", "list_things", "iot", id="rest-json"),
    ],
)
def test_a_service_that_is_not_here_is_named_in_its_own_protocol(
    sandbox: Any, connect: Any, refused: Any, service: str, operation: str, name: str
) -> None:
    client = connect(sandbox, service)
    code, status, message = refused(getattr(client, operation))
    assert (code, status) == ("UnknownServiceException", 501)
    served = "apigateway, lambda, logs, monitoring, s3, servicequotas, sts, xray"
    assert message == f"the sandbox does not serve {name} (it serves {served})"


def test_sts_tells_who_one_is(sandbox: Any, connect: Any, refused: Any) -> None:
    client = connect(sandbox, "sts", region_name="eu-north-1")
    identity = client.get_caller_identity()
    assert identity["Account"] == "000000000000"
    assert identity["Arn"] == "arn:aws:iam::000000000000:root"
    code, status, message = refused(client.get_federation_token, Name="any")
    assert (code, status) == ("InvalidAction", 501)
    assert "GetFederationToken" in message


def test_it_listens_on_the_loopback_interface_only(sandbox: Any) -> None:
    port = urlsplit(sandbox.endpoint_url).port
    listening = "0A"
    addresses = []
    for table in ("tcp", "tcp6"):
        path = Path("/proc/net") / table
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            local, state = line.split()[1], line.split()[3]
            address, _, hex_port = local.partition(":")
            if state == listening and int(hex_port, 16) == port:
                addresses.append(address)
    # 127.0.0.1 as the kernel writes it on a little-endian machine.
    assert addresses == ["0100007F"]
