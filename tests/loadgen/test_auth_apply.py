"""Injectors add the headers of each step's auth, and take new credentials as they come."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from core.aws.signing import SigningCredentials, sigv4_headers
from loadgen.auth.apply import Auths
from tests.loadgen.auth_rig import profile_with

KEY = {"type": "api_key", "value": "key-of-20-characters"}
SIGNED = {"type": "sigv4"}
PROFILE = profile_with(
    KEY, scenarios=[{"name": "main", "flow": [{"get": "/a"}, {"get": "/b", "auth": SIGNED}]}]
)


def headers(*pairs: tuple[str, str], secrets: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"kind": "headers", "headers": [list(pair) for pair in pairs], "secrets": [*secrets]}


def signing(secret_key: str, token: str | None = None) -> dict[str, Any]:
    return {
        "kind": "sigv4",
        "access_key": "AKIDEXAMPLE",
        "secret_key": secret_key,
        "token": token,
        "region": "eu-west-1",
        "service": "execute-api",
        "secrets": [secret_key, *([token] if token else [])],
    }


CREDENTIALS = {"profile": headers(("x-api-key", "one")), "step:1": signing("first-secret-key")}
REQUEST = ("POST", "http://127.0.0.1:1/b?x=1", [("Content-Type", "text/plain")], b"body")


def test_headers_that_are_always_the_same_are_made_once() -> None:
    applier = Auths(PROFILE, CREDENTIALS).for_step(0)

    assert not applier.per_request
    assert applier.headers(*REQUEST) == [("x-api-key", "one")]
    assert applier.headers(*REQUEST) is applier.headers("GET", "http://127.0.0.1:1/", [], b"")


def test_signatures_are_made_for_each_request() -> None:
    applier = Auths(PROFILE, CREDENTIALS).for_step(1)
    assert applier.per_request

    made = applier.headers(*REQUEST)
    # The second may pass between the two: sign for the time that was signed.
    signed_at = dict(made)["X-Amz-Date"]
    credentials = SigningCredentials("AKIDEXAMPLE", "first-secret-key")
    assert made == sigv4_headers(
        *REQUEST, credentials, "eu-west-1", "execute-api", now=seconds_of(signed_at)
    )
    assert applier.headers("GET", *REQUEST[1:])[0] != made[0]


def seconds_of(timestamp: str) -> float:
    from datetime import UTC, datetime

    return datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def test_new_credentials_reach_the_appliers_that_are_in_use() -> None:
    auths = Auths(PROFILE, CREDENTIALS)
    key, signed = auths.for_step(0), auths.for_step(1)
    versions = (key.version, signed.version)

    auths.update({"profile": headers(("x-api-key", "two")), "step:1": CREDENTIALS["step:1"]})
    assert key.headers(*REQUEST) == [("x-api-key", "two")]
    assert (key.version, signed.version) == (versions[0] + 1, versions[1])

    auths.update({"step:1": signing("second-secret", "token")})
    assert ("X-Amz-Security-Token", "token") in signed.headers(*REQUEST)
    assert signed.version == versions[1] + 1
    assert auths.for_step(1) is signed


def test_what_is_unknown_or_unchanged_changes_nothing() -> None:
    auths = Auths(PROFILE, CREDENTIALS)
    before = auths.for_step(0).version
    auths.update({"scenario:other": headers(), **json.loads(json.dumps(CREDENTIALS))})
    assert auths.for_step(0).version == before


def test_a_locustfile_gets_the_auth_of_the_profile() -> None:
    profile = profile_with(KEY, scenarios=[], locustfile={"file": "locustfile.py"})
    auths = Auths(profile, {"profile": headers(("x-api-key", "one"))})
    assert auths.of_profile().headers(*REQUEST) == [("x-api-key", "one")]


def test_excerpts_of_answers_show_none_of_it() -> None:
    auths = Auths(PROFILE, {**CREDENTIALS, "profile": headers(secrets=("a-bearer",))})
    auths.update({"step:1": signing("second-secret")})
    said = b"key-of-20-characters, a-bearer, first-secret-key and second-secret"
    assert auths.secrets.safe_excerpt(said) == "<hidden>, <hidden>, <hidden> and <hidden>"


def test_an_injector_that_signs_nothing_needs_no_boto() -> None:
    script = (
        "import sys, loadgen.auth.apply\n"
        "print([name for name in sys.modules if name in ('boto3', 'botocore', 'gevent')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
