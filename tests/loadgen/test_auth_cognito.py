"""A Cognito login is made once, renewed by its refresh token, and made anew where that ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import CredentialsError, InputError, ToolError
from tests.loadgen.auth_rig import Rig, profile_with
from tests.loadgen.cognito_server import CLIENT_ID, PASSWORD, USER, UserPool, user_pool
from tests.loadgen.test_auth_tokens import jwt_claims

LOGIN = {
    "type": "cognito",
    "client_id": CLIENT_ID,
    "username": USER,
    "password": PASSWORD,
    "region": "eu-west-1",
}


@pytest.fixture
def pool() -> Iterator[UserPool]:
    with user_pool() as made:
        yield made


def rig_for(pool: UserPool, tmp_path: Path, **parts: Any) -> Rig:
    return Rig(profile_with({**LOGIN, **parts}), tmp_path, endpoint_url=pool.url)


def test_a_login_gives_the_id_token_or_the_access_token(pool: UserPool, tmp_path: Path) -> None:
    rig = rig_for(pool, tmp_path)
    name, value = rig.header()
    assert name == "Authorization"
    assert jwt_claims(value.removeprefix("Bearer ")) == {"n": 1, "use": "id"}

    rig = rig_for(pool, tmp_path, token="access", header="X-Token", prefix="")
    name, value = rig.header()
    assert name == "X-Token"
    assert "username" in jwt_claims(value)
    assert rig.sessions == [("eu-west-1", None)]
    assert pool.credentials_sent == [None, None]


def test_it_is_renewed_a_minute_before_its_end_by_the_refresh_token(
    pool: UserPool, tmp_path: Path
) -> None:
    rig = rig_for(pool, tmp_path)
    first = rig.header()
    assert rig.sources.next_refresh_s() == 3540

    rig.now_s += 3541
    rig.sources.refresh()
    rig.now_s += 3541
    rig.sources.refresh()

    assert pool.flows == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN_AUTH"]
    assert rig.header() != first
    assert rig.sources.next_refresh_s() == 3540
    assert rig.warnings == []


def test_a_client_secret_is_proved_with_the_name_that_the_pool_expects(
    pool: UserPool, tmp_path: Path
) -> None:
    pool.client_secret = "client/secret="
    rig = rig_for(pool, tmp_path, client_secret="client/secret=")
    rig.header()
    rig.now_s += 3541
    rig.sources.refresh()

    assert pool.flows == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH"]
    assert {"client/secret=", PASSWORD, "refresh-1"} < rig.sources.secret_values()
    assert len(rig.sources.secret_values()) == 3 + 2 * 2  # ID and access token, twice


def test_where_the_refresh_token_has_ended_the_password_is_used_again(
    pool: UserPool, tmp_path: Path
) -> None:
    rig = rig_for(pool, tmp_path)
    first = rig.header()
    pool.refuses["REFRESH_TOKEN_AUTH"] = ("NotAuthorizedException", "Refresh Token has expired")
    rig.now_s += 3541
    rig.sources.refresh()

    assert pool.flows == ["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH", "USER_PASSWORD_AUTH"]
    assert rig.header() != first
    assert rig.warnings == []


def test_where_nothing_works_the_old_login_stays(pool: UserPool, tmp_path: Path) -> None:
    rig = rig_for(pool, tmp_path)
    first = rig.header()
    for flow in ("REFRESH_TOKEN_AUTH", "USER_PASSWORD_AUTH"):
        pool.refuses[flow] = ("NotAuthorizedException", f"not with {PASSWORD}")
    rig.now_s += 3541
    rig.sources.refresh()

    assert rig.header() == first
    assert len(rig.warnings) == 1
    assert "NotAuthorizedException: not with <hidden>" in rig.warnings[0]
    assert rig.sources.next_refresh_s() == 5


def test_a_token_of_a_few_seconds_is_not_renewed_all_the_time(
    pool: UserPool, tmp_path: Path
) -> None:
    pool.lifetime_s = 3
    rig = rig_for(pool, tmp_path)
    rig.header()
    assert rig.sources.next_refresh_s() == 5


@pytest.mark.parametrize(
    ("changes", "parts", "kind", "message"),
    [
        pytest.param(
            {},
            {"password": "Wrong/1!"},
            CredentialsError,
            r"^auth of the profile: could not log in at Cognito: NotAuthorizedException: ",
            id="wrong password",
        ),
        pytest.param(
            {}, {"client_id": "other"}, CredentialsError, r"check client_id and region", id="client"
        ),
        pytest.param(
            {"challenge": "NEW_PASSWORD_REQUIRED"},
            {},
            InputError,
            r"asks for NEW_PASSWORD_REQUIRED and not only for a password \(use a user for tests",
            id="first password",
        ),
        pytest.param(
            {"refuses": {"USER_PASSWORD_AUTH": ("InvalidParameterException", "flow not enabled")}},
            {},
            CredentialsError,
            r"flow not enabled \(the app client must allow ALLOW_USER_PASSWORD_AUTH\)",
            id="flow not enabled",
        ),
        pytest.param(
            {"gives_nothing": True}, {}, CredentialsError, r"has no 'IdToken'", id="no tokens"
        ),
        pytest.param({"url": "http://127.0.0.1:9"}, {}, CredentialsError, r"Could not", id="down"),
    ],
)
def test_a_login_that_does_not_work_is_one_clear_line(
    pool: UserPool,
    tmp_path: Path,
    changes: dict[str, Any],
    parts: dict[str, Any],
    kind: type[ToolError],
    message: str,
) -> None:
    for name, value in changes.items():
        setattr(pool, name, value)
    rig = rig_for(pool, tmp_path, **parts)

    with pytest.raises(kind, match=message) as raised:
        rig.sources.current()
    assert "/1!" not in str(raised.value)
