"""Credentials are fetched before a run, renewed when they are due, and never shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import CredentialsError, InputError
from tests.loadgen.auth_rig import Rig, profile_with
from tests.loadgen.test_auth_tokens import jwt

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    return monkeypatch


def write(path: Path, text: str) -> None:
    path.write_text(text)


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        pytest.param(
            {"type": "api_key", "value": "key-of-20-characters"},
            ("x-api-key", "key-of-20-characters"),
            id="API key",
        ),
        pytest.param(
            {"type": "api_key", "value": "k", "header": "X-Other"}, ("X-Other", "k"), id="header"
        ),
        pytest.param(
            {"type": "bearer", "value": "abc"}, ("Authorization", "Bearer abc"), id="bearer"
        ),
        pytest.param(
            {"type": "bearer", "value": "abc", "header": "Token", "prefix": ""},
            ("Token", "abc"),
            id="bearer without a prefix",
        ),
    ],
)
def test_fixed_credentials_are_headers(
    tmp_path: Path, auth: dict[str, Any], header: tuple[str, str]
) -> None:
    rig = Rig(profile_with(auth), tmp_path)

    assert rig.header() == header
    assert rig.sources.next_refresh_s() is None
    assert rig.sources.secret_values() == {auth["value"]}
    assert json.loads(json.dumps(rig.sources.current())) == rig.sources.current()


def test_without_auth_there_is_nothing_to_add(tmp_path: Path) -> None:
    rig = Rig(profile_with(), tmp_path)

    assert rig.sources.current() == {"profile": {"kind": "headers", "headers": [], "secrets": []}}
    assert rig.sessions == []


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        pytest.param({"type": "api_key", "value": ""}, "value: is empty", id="empty"),
        pytest.param(
            {"type": "api_key", "value": "very\r\nsecret: 1"},
            "value: cannot stand in an HTTP header",
            id="two lines",
        ),
        pytest.param(
            {"type": "bearer", "value": "very-secret-ä"}, "token: cannot stand", id="no ASCII"
        ),
        pytest.param(
            {"type": "bearer", "value": "secret", "header": "a b"},
            r"header: must be the name of an HTTP header \(got 'a b'\)",
            id="no header name",
        ),
        pytest.param({"type": "bearer", "file": "no"}, "could not read .*/no", id="no file"),
        pytest.param(
            {"type": "bearer", "command": ["sh", "-c", "echo secret; exit 1"]},
            "'sh' ended with exit code 1",
            id="command",
        ),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    tmp_path: Path, auth: dict[str, Any], message: str
) -> None:
    scenarios = [{"name": "buy", "auth": auth, "flow": [{"get": "/"}]}]
    rig = Rig(profile_with(scenarios=scenarios), tmp_path)

    with pytest.raises(InputError, match=f"^auth of scenario 'buy': {message}") as raised:
        rig.sources.current()
    assert "secret" not in str(raised.value)


def test_a_message_of_a_command_does_not_show_a_known_secret(tmp_path: Path) -> None:
    auth = {"type": "bearer", "command": ["sh", "-c", "echo not hunter22 >&2; exit 1"]}
    rig = Rig(profile_with(auth, vars={"password": "hunter22"}), tmp_path)

    with pytest.raises(InputError, match="exit code 1: not <hidden>"):
        rig.sources.current()


# Renewal


def test_a_jwt_in_a_file_is_read_again_a_minute_before_its_end(tmp_path: Path) -> None:
    rig = Rig(profile_with({"type": "bearer", "file": "token"}), tmp_path)
    first, second = jwt(exp=int(rig.now_s) + 300), jwt(exp=int(rig.now_s) + 3600)
    write(tmp_path / "token", first)
    assert rig.header() == ("Authorization", f"Bearer {first}")
    assert rig.sources.next_refresh_s() == 240

    write(tmp_path / "token", second)
    rig.now_s += 239
    rig.sources.refresh()
    assert rig.header()[1] == f"Bearer {first}"
    rig.now_s += 1
    assert rig.sources.refresh()["profile"]["headers"] == [["Authorization", f"Bearer {second}"]]
    assert rig.sources.next_refresh_s() == 3300
    assert rig.sources.secret_values() == {first, second}


def test_a_file_that_is_not_renewed_in_time_is_looked_at_each_five_seconds(tmp_path: Path) -> None:
    rig = Rig(profile_with({"type": "bearer", "file": "token"}), tmp_path)
    write(tmp_path / "token", jwt(exp=int(rig.now_s) + 10))
    rig.header()
    for _ in range(3):
        assert rig.sources.next_refresh_s() == 5
        rig.now_s += 5
        rig.sources.refresh()
    assert rig.warnings == []


@pytest.mark.parametrize(
    ("refresh", "wait_s"),
    [
        pytest.param("2m", 120, id="as given"),
        pytest.param("1s", 5, id="not faster"),
        pytest.param(None, None, id="an opaque token for ever"),
    ],
)
def test_a_command_is_run_again_as_the_profile_says(
    tmp_path: Path, refresh: str | None, wait_s: float | None
) -> None:
    command = ["sh", "-c", "echo x >> runs; wc -l < runs"]
    more = {} if refresh is None else {"refresh": refresh}
    rig = Rig(profile_with({"type": "bearer", "command": command, **more}), tmp_path)
    assert rig.header()[1] == "Bearer 1"
    assert rig.sources.next_refresh_s() == wait_s

    rig.now_s += wait_s or 0
    rig.sources.refresh()
    assert rig.header()[1] == ("Bearer 1" if wait_s is None else "Bearer 2")


def test_a_renewal_that_does_not_work_keeps_the_old_token_and_is_tried_again(
    tmp_path: Path,
) -> None:
    rig = Rig(profile_with({"type": "bearer", "file": "token", "refresh": "1m"}), tmp_path)
    write(tmp_path / "token", "first")
    rig.header()
    (tmp_path / "token").unlink()

    waits: list[float | None] = []
    for _ in range(6):
        rig.now_s += rig.sources.next_refresh_s() or 0
        rig.sources.refresh()
        waits.append(rig.sources.next_refresh_s())
    assert waits == [5, 10, 20, 40, 60, 60]
    assert rig.header()[1] == "Bearer first"
    assert len(rig.warnings) == 1  # and not again for the same reason
    assert "auth of the profile: could not renew, the old one stays: could not" in rig.warnings[0]

    write(tmp_path / "token", "second")
    rig.now_s += 60
    rig.sources.refresh()
    assert rig.header()[1] == "Bearer second"
    assert rig.sources.next_refresh_s() == 60


def test_the_same_auth_at_several_places_is_fetched_once(tmp_path: Path) -> None:
    auth = {"type": "bearer", "command": ["sh", "-c", "echo x >> runs; wc -l < runs"]}
    flow = [{"get": "/a", "auth": auth}, {"get": "/b", "auth": auth}]
    rig = Rig(profile_with(scenarios=[{"name": "main", "flow": flow}]), tmp_path)

    assert rig.header("step:0") == rig.header("step:1") == ("Authorization", "Bearer 1")


def test_a_token_that_ends_before_the_run_is_told(tmp_path: Path) -> None:
    rig = Rig(profile_with({"type": "bearer", "value": "x"}), tmp_path)
    token = jwt(exp=int(rig.now_s) + 300)
    rig = Rig(profile_with({"type": "bearer", "value": token}), tmp_path)
    rig.sources.current()
    assert rig.sources.ending_before(rig.now_s + 299) == ()
    (sentence,) = rig.sources.ending_before(rig.now_s + 301)
    assert sentence == "auth of the profile: the token ends before the run does, and is not renewed"
    assert rig.warnings == []


def test_a_token_that_has_ended_is_used_with_a_warning(tmp_path: Path) -> None:
    rig = Rig(profile_with({"type": "bearer", "value": jwt(exp=1)}), tmp_path)
    rig.sources.current()
    assert rig.warnings == ["auth of the profile: the token has ended already"]


# Signing


def test_signing_uses_the_credentials_of_the_aws_settings(
    tmp_path: Path, aws: pytest.MonkeyPatch
) -> None:
    rig = Rig(profile_with({"type": "sigv4"}), tmp_path)

    told = rig.sources.current()["profile"]
    assert told == {
        "kind": "sigv4",
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "token": None,
        "region": "eu-west-1",
        "service": "execute-api",
        "secrets": sorted([ACCESS_KEY, SECRET_KEY]),
    }
    assert rig.sources.next_refresh_s() is None
    assert rig.sources.secret_values() == {ACCESS_KEY, SECRET_KEY}


def test_made_up_keys_of_emulators_are_no_secrets(tmp_path: Path, aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    aws.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    rig = Rig(profile_with({"type": "sigv4"}), tmp_path)
    rig.sources.current()

    assert rig.sources.secret_values() == frozenset()


API = "https://abc.execute-api.ap-south-1.amazonaws.com/prod"
FUNCTION = "https://abc.lambda-url.us-west-2.on.aws/"


@pytest.mark.parametrize(
    ("auth", "target", "region", "service"),
    [
        pytest.param({}, {"url": API}, "ap-south-1", "execute-api", id="of the URL"),
        pytest.param({}, {"url": FUNCTION}, "us-west-2", "lambda", id="of a function URL"),
        pytest.param({}, {"function_url": "f"}, "sa-east-1", "lambda", id="of a function"),
        pytest.param(
            {}, {"api": {"id": "a", "region": "us-east-2"}}, "us-east-2", "execute-api", id="API"
        ),
        pytest.param({}, {"url": "https://shop.example"}, "sa-east-1", "execute-api", id="aws"),
        pytest.param(
            {"region": "eu-north-1", "service": "execute-api"},
            {"url": FUNCTION},
            "eu-north-1",
            "execute-api",
            id="what is written goes first",
        ),
    ],
)
def test_requests_are_signed_for_the_region_of_the_api(
    tmp_path: Path,
    aws: pytest.MonkeyPatch,
    auth: dict[str, Any],
    target: dict[str, Any],
    region: str,
    service: str,
) -> None:
    profile = profile_with({"type": "sigv4", **auth}, target=target, aws={"region": "sa-east-1"})
    told = Rig(profile, tmp_path).sources.current()["profile"]

    assert (told["region"], told["service"]) == (region, service)


def process_profile(tmp_path: Path, aws: pytest.MonkeyPatch, script: str) -> Rig:
    """Sources whose AWS profile asks a program for its credentials, as tools for SSO do."""
    aws.delenv("AWS_ACCESS_KEY_ID")
    aws.delenv("AWS_SECRET_ACCESS_KEY")
    (tmp_path / "script.sh").write_text(script)
    (tmp_path / "config").write_text(
        f"[profile ci]\ncredential_process = sh {tmp_path}/script.sh {tmp_path}\n"
    )
    aws.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return Rig(profile_with({"type": "sigv4", "profile": "ci"}), tmp_path)


GIVES = """
echo x >> $1/runs
cat <<END
{"Version": 1, "AccessKeyId": "ASIA0123456789ABCDEF", "SecretAccessKey": "0123456789abcdef012345",
 "SessionToken": "a-session-token-$(wc -l < $1/runs)", "Expiration": "%s"}
END
"""


@pytest.mark.parametrize(
    ("left", "wait_s", "changes"),
    [
        pytest.param(timedelta(hours=1), 46 * 60, False, id="good for an hour"),
        pytest.param(timedelta(minutes=10), 60, True, id="about to end"),
    ],
)
def test_temporary_credentials_are_renewed_by_botocore(
    tmp_path: Path, aws: pytest.MonkeyPatch, *, left: timedelta, wait_s: float, changes: bool
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    rig = process_profile(tmp_path, aws, GIVES % f"{now + left:%Y-%m-%dT%H:%M:%SZ}")
    rig.now_s = now.timestamp()
    first = rig.sources.current()["profile"]["token"]
    assert rig.sources.next_refresh_s() == wait_s

    rig.now_s += wait_s
    second = rig.sources.refresh()["profile"]["token"]
    assert (second != first) == changes
    assert rig.sources.secret_values() > {first, second, "ASIA0123456789ABCDEF"}


@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param("echo not logged in >&2; exit 1", "not logged in", id="refuses"),
        pytest.param("echo no json", "could not read the AWS credentials: Expecting", id="talks"),
        pytest.param(GIVES % "2000-01-01T00:00:00Z", "still expired", id="over already"),
    ],
)
def test_credentials_that_cannot_be_read_are_one_clear_line(
    tmp_path: Path, aws: pytest.MonkeyPatch, script: str, message: str
) -> None:
    rig = process_profile(tmp_path, aws, script)

    with pytest.raises(CredentialsError, match=f"^auth of the profile: .*{message}"):
        rig.sources.current()


def test_without_credentials_nothing_starts(tmp_path: Path, aws: pytest.MonkeyPatch) -> None:
    aws.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialsError, match=r"^auth of the profile: .*Unable to locate"):
        Rig(profile_with({"type": "sigv4"}), tmp_path).sources.current()
    with pytest.raises(InputError, match=r"^auth of the profile: profile 'no': not found"):
        Rig(profile_with({"type": "sigv4", "profile": "no"}), tmp_path).sources.current()


def test_temporary_credentials_in_a_file_are_read_again(
    tmp_path: Path, aws: pytest.MonkeyPatch
) -> None:
    aws.delenv("AWS_ACCESS_KEY_ID")
    aws.delenv("AWS_SECRET_ACCESS_KEY")
    aws.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def tool_writes(token: str) -> None:
        text = f"aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
        write(tmp_path / "credentials", f"[default]\n{text}aws_session_token = {token}\n")

    tool_writes("first-session-token")
    rig = Rig(profile_with({"type": "sigv4"}), tmp_path)
    assert rig.sources.current()["profile"]["token"] == "first-session-token"
    assert rig.sources.next_refresh_s() == 60

    tool_writes("second-session-token")
    rig.now_s += 60
    assert rig.sources.refresh()["profile"]["token"] == "second-session-token"
