"""Logging in at a Cognito user pool: user and password once, then the refresh token."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.aws.session import AwsSession, aws_call
from core.errors import AwsError, CredentialsError, InputError


class CognitoClient(Protocol):
    """What of boto3's client for `cognito-idp` is used."""

    def initiate_auth(
        self, *, AuthFlow: str, ClientId: str, AuthParameters: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """boto3's InitiateAuth."""
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, and through which app client."""

    client_id: str
    username: str
    password: str = field(repr=False)
    client_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login gives. ID and access token hold for `lifetime_s` seconds from then on."""

    id: str = field(repr=False)
    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    lifetime_s: float


# What a user can do about it, by the code of the refusal.
_HINTS = {
    "InvalidParameterException": "the app client must allow ALLOW_USER_PASSWORD_AUTH",
    "ResourceNotFoundException": "check client_id and region",
    "PasswordResetRequiredException": "set a new password for the user first",
    "UserNotConfirmedException": "confirm the user first",
}
_REFUSALS = frozenset(
    {
        "NotAuthorizedException",
        "PasswordResetRequiredException",
        "UserNotConfirmedException",
        "UserNotFoundException",
    }
)


class UserPool:
    """One user at one app client."""

    def __init__(self, session: AwsSession, login: Login) -> None:
        self._client = session.user_pools()
        self._login = login

    def log_in(self) -> Tokens:
        """Logs in with the password (USER_PASSWORD_AUTH).

        Raises:
            CredentialsError: user, password or client secret are not accepted.
            InputError: the pool wants more than a password.
            AwsError: any other refusal, or no answer.
        """
        parameters = {"USERNAME": self._login.username, "PASSWORD": self._login.password}
        return self._tokens("USER_PASSWORD_AUTH", parameters, self._login.username, None)

    def renew(self, tokens: Tokens, username: str) -> Tokens:
        """New tokens for a refresh token (REFRESH_TOKEN_AUTH).

        `username` is the pool's own name of the user, which the access token has; with a client
        secret Cognito does not accept an alias such as an e-mail address here.

        Raises:
            AwsError: as `log_in`; a refresh token may have ended or been revoked.
        """
        if tokens.refresh is None:
            raise CredentialsError("could not renew the Cognito login: there is no refresh token")
        parameters = {"REFRESH_TOKEN": tokens.refresh}
        return self._tokens("REFRESH_TOKEN_AUTH", parameters, username, tokens.refresh)

    def _tokens(
        self, flow: str, parameters: dict[str, str], username: str, refresh: str | None
    ) -> Tokens:
        if self._login.client_secret is not None:
            parameters["SECRET_HASH"] = self._secret_hash(self._login.client_secret, username)
        try:
            with aws_call("log in at Cognito"):
                answer = self._client.initiate_auth(
                    AuthFlow=flow, ClientId=self._login.client_id, AuthParameters=parameters
                )
        except AwsError as error:
            raise _explained(error) from error
        return _tokens_of(answer, refresh)

    def _secret_hash(self, client_secret: str, username: str) -> str:
        text = (username + self._login.client_id).encode()
        return base64.b64encode(hmac.digest(client_secret.encode(), text, "sha256")).decode()


def _explained(error: AwsError) -> AwsError:
    kind = CredentialsError if error.code in _REFUSALS else type(error)
    return kind(str(error.args[0]), code=error.code, hint=_HINTS.get(error.code or "", error.hint))


def _tokens_of(answer: Mapping[str, Any], refresh: str | None) -> Tokens:
    challenge = answer.get("ChallengeName")
    if challenge:
        raise InputError(
            f"could not log in at Cognito: it asks for {challenge} and not only for a password",
            hint="use a user for tests, without MFA, whose password is permanent",
        )
    result = answer.get("AuthenticationResult") or {}
    try:
        return Tokens(
            id=result["IdToken"],
            access=result["AccessToken"],
            refresh=result.get("RefreshToken", refresh),  # a renewal gives one only on rotation
            lifetime_s=float(result["ExpiresIn"]),
        )
    except KeyError as error:
        raise AwsError(f"could not log in at Cognito: its answer has no {error}") from error
