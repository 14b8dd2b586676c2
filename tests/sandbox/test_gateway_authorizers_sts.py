"""STS as boto3 sees it: identities, temporary credentials and their end."""

from __future__ import annotations

from datetime import UTC, datetime

import boto3
import pytest
from authorizer_rig import NOW_S
from rpc_rig import client_of, serve

from sandbox.credentials import CredentialStore, Expired, Secret
from sandbox.sts import StsService

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/tester"


@pytest.fixture(scope="module")
def time():
    return [NOW_S]


@pytest.fixture(scope="module")
def keys(time):
    return CredentialStore(ACCOUNT, clock=lambda: time[0])


@pytest.fixture(scope="module")
def port(keys):
    with serve({"sts": StsService(ACCOUNT, keys)}) as port:
        yield port


@pytest.fixture(scope="module")
def session():
    return boto3.Session()


@pytest.fixture(scope="module")
def sts(port):
    with client_of(port, "sts", region="eu-north-1") as client:
        yield client


@pytest.fixture(scope="module")
def loose(port):
    """A client that sends what the SDK would refuse."""
    with client_of(port, "sts", parameter_validation=False) as client:
        yield client


def with_credentials(session, port, credentials):
    """A client that signs with what STS gave."""
    return session.client(
        "sts",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_everybody_is_root(sts):
    identity = sts.get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert (identity["Account"], identity["UserId"]) == (ACCOUNT, ACCOUNT)


def test_an_assumed_role_has_a_name_of_its_own(session, port, sts, keys):
    answer = sts.assume_role(RoleArn=ROLE, RoleSessionName="me@here", DurationSeconds=900)
    credentials = answer["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert len(credentials["AccessKeyId"]) == 20
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/tester/me@here"
    assert answer["AssumedRoleUser"]["Arn"] == arn
    assert answer["AssumedRoleUser"]["AssumedRoleId"].startswith("AROA")
    assert credentials["Expiration"] == datetime.fromtimestamp(NOW_S + 900, UTC)
    secret = keys.secret_of(credentials["AccessKeyId"], credentials["SessionToken"])
    assert isinstance(secret, Secret)
    assert secret.secret_key == credentials["SecretAccessKey"]
    assumed = with_credentials(session, port, credentials)
    identity = assumed.get_caller_identity()
    assert identity["Arn"] == arn
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    assumed.close()


def test_credentials_end(session, port, sts, keys, time, refused):
    credentials = sts.get_session_token()["Credentials"]
    assert credentials["Expiration"] == datetime.fromtimestamp(time[0] + 43_200, UTC)
    client = with_credentials(session, port, credentials)
    assert client.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    now = time[0]
    time[0] = now + 43_200
    try:
        secret = keys.secret_of(credentials["AccessKeyId"], credentials["SessionToken"])
        assert secret == Expired()
        assert refused(client.get_caller_identity)[:2] == ("ExpiredToken", 403)
    finally:
        time[0] = now
        client.close()


def test_keys_that_were_never_given_are_nobodys(session, port, refused):
    invented = {"AccessKeyId": "ASIA0", "SecretAccessKey": "x", "SessionToken": "y"}
    client = with_credentials(session, port, invented)
    assert refused(client.get_caller_identity)[:2] == ("InvalidClientTokenId", 403)
    client.close()


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("assume_role", {"RoleSessionName": "x" * 65}, "ValidationError"),
        ("assume_role", {"DurationSeconds": 899}, "ValidationError"),
        ("assume_role", {"DurationSeconds": 43_201}, "ValidationError"),
        ("assume_role", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:user/tester"}, "ValidationError"),
        ("assume_role", {"RoleArn": ROLE.replace(ACCOUNT, "1" * 12)}, "AccessDenied"),
        ("assume_role", {"Policy": "{}"}, "ValidationError"),
        ("get_session_token", {"DurationSeconds": 129_601}, "ValidationError"),
        ("get_session_token", {"SerialNumber": "arn:aws:iam::0:mfa/x"}, "ValidationError"),
        ("get_federation_token", {"Name": "me"}, "InvalidAction"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_refused(loose, refused, operation, arguments, code):
    defaults = {"RoleArn": ROLE, "RoleSessionName": "me"} if operation == "assume_role" else {}
    assert refused(getattr(loose, operation), **{**defaults, **arguments})[0] == code
