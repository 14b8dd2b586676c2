"""Signatures that botocore and others make, and what is wrong with those that are refused."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from unittest import mock
from urllib.parse import quote

import pytest
from authorizer_rig import HOST, NOW_S, request
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from sandbox.credentials import CredentialStore, Expired, Identity
from sandbox.gateway.authorizers.sigv4 import Signed, verify

NOW = datetime.fromtimestamp(NOW_S, UTC)
REGION = "us-east-1"
OWN = Credentials("sandbox", "sandbox")


def store(clock=lambda: NOW_S):
    return CredentialStore("000000000000", clock=clock)


def signed(
    target="/live/orders/7?who=me",
    *,
    method="GET",
    body=b"",
    credentials=OWN,
    at=NOW,
    service="execute-api",
    region=REGION,
    headers=None,
    presigned_s=None,
):
    """A request as botocore signs it and sends it on."""
    described = AWSRequest(method, f"https://{HOST}{target}", headers=headers or {}, data=body)
    described.headers["Host"] = HOST
    if presigned_s is None:
        signer = SigV4Auth(credentials, service, region)
    else:
        signer = SigV4QueryAuth(credentials, service, region, expires=presigned_s)
    with mock.patch("botocore.auth.get_current_datetime", return_value=at):
        signer.add_auth(described)
    sent = described.url.removeprefix(f"https://{HOST}")
    return request(method, sent, dict(described.headers.items()), body)


def outcome(made, *, now=NOW, secret_of=None):
    return verify(made, REGION, now, secret_of or store().secret_of)


@pytest.mark.parametrize("presigned_s", [None, 60], ids=["header", "query"])
@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/live/orders/7",
        "/live/orders/7?b=2&a=1&a=0",
        "/live/a%20b/c%2Fd?x=a%20b&y=%C3%A4",
        "/live/a+b;c=d/~e?x=",
        "/live//double/../dots/",
        "/live/%E2%82%AC?%E2%82%AC=%26%3D",
    ],
)
def test_what_botocore_signs_is_good(target, presigned_s):
    found = outcome(signed(target, presigned_s=presigned_s))
    assert found == Signed("sandbox", Identity("arn:aws:iam::000000000000:root", "000000000000"))


@given(
    st.lists(st.text("abcXYZ019-_.~ äé%+/&=?*", min_size=1, max_size=6), max_size=4),
    st.dictionaries(st.text("ab c&=+é", min_size=1, max_size=4), st.text("x y&=+é%", max_size=6)),
    st.binary(max_size=20),
)
def test_any_path_query_and_body_is_good_and_another_body_is_not(parts, fields, body):
    path = "/live/" + "/".join(quote(part, safe="") for part in parts)
    query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in fields.items())
    made = signed(f"{path}?{query}" if query else path, method="POST", body=body)
    assert isinstance(outcome(made), Signed)
    made.body = body + b"x"
    assert outcome(made).reason == "bad signature"


def test_it_does_not_matter_how_a_client_writes_what_it_signed():
    made = signed("/live/a?x=a%2Cb")
    made.target = b"/live/a?x=a,b"
    made._path = None
    assert isinstance(outcome(made), Signed)


def change_header(name, value):
    def change(made):
        made.headers = [
            (key, value if key == name else old) for key, old in made.headers if value is not None
        ]
        if value is None:
            made.headers = [pair for pair in made.headers if pair[0] != name]

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda made: setattr(made, "method", "DELETE"),
        lambda made: (setattr(made, "target", b"/live/other?who=me"), setattr(made, "_path", None)),
        lambda made: (setattr(made, "target", b"/live/orders/7"), setattr(made, "_path", None)),
        change_header(b"host", b"other.example"),
        change_header(b"x-extra", b"changed"),
    ],
    ids=["method", "path", "query", "host", "a signed header"],
)
def test_what_was_signed_cannot_be_changed(change):
    made = signed(headers={"X-Extra": "first"})
    made.headers = list(made.headers)
    change(made)
    found = outcome(made)
    assert (found.reason, found.response_type) == ("bad signature", "INVALID_SIGNATURE")
    assert "does not match the signature you provided" in found.message


def test_a_header_that_was_not_signed_may_come_on_the_way():
    made = signed()
    made.headers = [*made.headers, (b"x-forwarded-for", b"1.2.3.4")]
    assert isinstance(outcome(made), Signed)


def test_a_hash_that_is_sent_along_has_to_be_of_the_body():
    good = {"X-Amz-Content-SHA256": hashlib.sha256(b"body").hexdigest()}
    assert isinstance(outcome(signed(method="POST", body=b"body", headers=good)), Signed)
    bad = {"X-Amz-Content-SHA256": hashlib.sha256(b"other").hexdigest()}
    assert outcome(signed(method="POST", body=b"body", headers=bad)).reason == "bad signature"
    none = {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    assert outcome(signed(method="POST", body=b"body", headers=none)).reason == "bad signature"


@pytest.mark.parametrize(
    ("arguments", "reason", "part"),
    [
        ({"credentials": Credentials("other", "sandbox")}, "unknown key", "token included"),
        ({"credentials": Credentials("sandbox", "wrong")}, "bad signature", "does not match"),
        ({"credentials": Credentials("sandbox", "sandbox", "t")}, "unknown key", "is invalid"),
        ({"service": "lambda"}, "bad signature", "'execute-api'"),
        ({"region": "eu-west-1"}, "bad signature", "valid region"),
        ({"at": NOW - timedelta(minutes=5, seconds=1)}, "expired time", "- 5 min."),
        ({"at": NOW + timedelta(minutes=5, seconds=1)}, "expired time", "+ 5 min."),
        (
            {"at": NOW - timedelta(seconds=61), "presigned_s": 60},
            "expired time",
            "20261005T115959Z is now earlier than 20261005T120000Z",
        ),
        ({"presigned_s": 604_801}, "incomplete", "604800"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_signatures(arguments, reason, part):
    found = outcome(signed(**arguments))
    assert found.reason == reason
    assert part in found.message


@pytest.mark.parametrize("minutes", [-5, 5])
def test_clocks_may_differ_by_five_minutes(minutes):
    assert isinstance(outcome(signed(at=NOW + timedelta(minutes=minutes))), Signed)


def test_a_presigned_url_holds_as_long_as_it_says():
    made = signed(at=NOW - timedelta(minutes=50), presigned_s=3_600)
    assert isinstance(outcome(made), Signed)


@pytest.mark.parametrize(
    ("headers", "target", "reason", "response_type"),
    [
        ({}, "/live", "missing", "MISSING_AUTHENTICATION_TOKEN"),
        ({"Authorization": "Bearer x"}, "/live", "incomplete", "INVALID_SIGNATURE"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=a"}, "/live", "incomplete", None),
        ({"Authorization": "AWS4-HMAC-SHA256"}, "/live", "incomplete", None),
        (
            {"Authorization": "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0"},
            "/live",
            "incomplete",
            None,
        ),
        ({}, "/live?X-Amz-Algorithm=AWS4-HMAC-SHA256", "incomplete", None),
        ({}, "/live?X-Amz-Signature=0", "incomplete", None),
    ],
    ids=range(7),
)
def test_requests_without_a_whole_signature(headers, target, reason, response_type):
    found = outcome(request("GET", target, headers))
    assert found.reason == reason
    assert response_type in (None, found.response_type)


@pytest.mark.parametrize(
    ("date", "reason"),
    [
        ("20261005T120000Z", "bad signature"),
        ("x", "bad signature"),
        ("20261005", "incomplete"),
        ("20261005T996099Z", "incomplete"),
        ("20261006T120000Z", "bad signature"),
    ],
)
def test_dates_that_do_not_fit(date, reason):
    credential = "sandbox/20261005/us-east-1/execute-api/aws4_request"
    header = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
    found = outcome(request("GET", "/", {"Authorization": header, "X-Amz-Date": date}))
    assert found.reason == reason


def test_the_host_has_to_be_signed():
    credential = "sandbox/20261005/us-east-1/execute-api/aws4_request"
    header = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=x-amz-date, Signature=0"
    headers = {"Authorization": header, "X-Amz-Date": "20261005T120000Z"}
    assert "'Host'" in outcome(request("GET", "/", headers)).message


@given(st.text(max_size=120).map(lambda text: text.encode("utf-8", "replace").decode("latin-1")))
def test_any_header_is_an_answer_and_never_a_crash(text):
    for header in (text, f"AWS4-HMAC-SHA256 {text}"):
        made = request("GET", "/", {"Authorization": header, "X-Amz-Date": "20261005T120000Z"})
        assert not isinstance(outcome(made), Signed)


# Temporary credentials


@pytest.mark.parametrize("presigned_s", [None, 900], ids=["header", "query"])
def test_temporary_credentials_hold_until_they_end(presigned_s):
    time = [NOW_S]
    keys = store(lambda: time[0])
    identity = keys.role_session("arn:aws:iam::000000000000:role/tester", "me")
    given_keys = keys.issue(identity, 900)
    credentials = Credentials(
        given_keys.access_key_id, given_keys.secret_key, given_keys.session_token
    )
    made = signed(credentials=credentials, presigned_s=presigned_s)
    assert outcome(made, secret_of=keys.secret_of) == Signed(given_keys.access_key_id, identity)
    time[0] += 900
    later = NOW + timedelta(seconds=900)
    made = signed(credentials=credentials, presigned_s=presigned_s, at=later)
    found = outcome(made, now=later, secret_of=keys.secret_of)
    assert (found.reason, found.response_type) == ("expired token", "EXPIRED_TOKEN")


@pytest.mark.parametrize("token", [None, "wrong", "ä"])
def test_a_temporary_key_needs_its_own_token(token):
    keys = store()
    given_keys = keys.issue(keys.root, 900)
    assert keys.secret_of(given_keys.access_key_id, token) is None


def test_the_store_is_bounded():
    keys = CredentialStore("000000000000", clock=lambda: NOW_S, capacity=2)
    issued = [keys.issue(keys.root, 900) for _ in range(3)]
    known = [keys.secret_of(one.access_key_id, one.session_token) for one in issued]
    assert known[0] is None
    assert None not in known[1:]
    assert not any(isinstance(one, Expired) for one in known)
