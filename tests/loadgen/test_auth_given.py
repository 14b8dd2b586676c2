"""What of a profile and a command line is secret."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.auth.given import given_secrets, hidden_arguments, secrets_in
from tests.loadgen.auth_rig import profile_with

COGNITO = {
    "type": "cognito",
    "client_id": "client-1",
    "username": "somebody",
    "password": "pw",
    "client_secret": "cs",
    "token": "access",
}


@pytest.mark.parametrize(
    ("parts", "secrets"),
    [
        pytest.param({}, set(), id="none"),
        pytest.param({"auth": {"type": "api_key", "value": "k1"}}, {"k1"}, id="API key"),
        pytest.param({"auth": {"type": "bearer", "value": "t1"}}, {"t1"}, id="bearer"),
        pytest.param(
            {"auth": {"type": "api_key", "value": "${env.KEY:-k3}"}}, {"k3"}, id="a default"
        ),
        pytest.param(
            {"auth": {"type": "api_key", "value": "${env.KEY}${ env.B :-}"}}, set(), id="no default"
        ),
        pytest.param(
            {"http": {"headers": {"X-Token": "a ${env.T:-abcdef} ${env.U:-ghijkl}"}}},
            {"abcdef", "ghijkl"},
            id="defaults in a header",
        ),
        pytest.param({"auth": COGNITO}, {"pw", "cs"}, id="Cognito"),
        pytest.param({"auth": {"type": "bearer", "file": "token.txt"}}, set(), id="a file"),
        pytest.param(
            {
                "auth": {
                    "type": "bearer",
                    "command": ["get-token", "--password", "hunter22", "--api-key=abcdef", "-v"],
                }
            },
            {"hunter22", "abcdef"},
            id="options of a command",
        ),
        pytest.param(
            {"environments": {"prod": {"auth": {"type": "api_key", "value": "k2"}}}},
            {"k2"},
            id="of another environment",
        ),
        pytest.param(
            {"http": {"headers": {"Authorization": "Bearer abcdef", "Accept": "text/html"}}},
            {"Bearer abcdef", "abcdef"},
            id="headers",
        ),
        pytest.param(
            {"vars": {"api_key": "abcdef", "token_url": "https://x.example/token", "n_tokens": 3}},
            {"abcdef"},
            id="variables",
        ),
        pytest.param(
            {"target": {"url": "https://me:pass@shop.example/x"}}, {"pass"}, id="in a URL"
        ),
        pytest.param(
            {
                "scenarios": [
                    {
                        "name": "log in",
                        "auth": {"type": "none"},
                        "flow": [
                            {
                                "post": "/login",
                                "json": {"user": "me", "password": "hunter22"},
                                "query": {"token": ["abcdef", "on"]},
                                "capture": {"token": "json: access.token"},
                                "checks": {"json": {"token_type": "Bearer-like"}},
                            },
                            {"get": "/", "headers": {"X-Token": "${token} of mine"}},
                        ],
                    }
                ]
            },
            {"hunter22", "abcdef"},
            id="what a step sends, but not what it expects, captures or fills in",
        ),
    ],
)
def test_secrets_are_known_by_their_place(parts: dict[str, Any], secrets: set[str]) -> None:
    assert given_secrets(profile_with(**parts)) == secrets


def test_they_are_found_in_a_document_that_nobody_checked() -> None:
    document = {
        "auth": {"value": "k1"},
        "environments": {"prod": {"auth": {"value": "${env.KEY}"}}},
    }
    assert secrets_in(document) == {"k1"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("auth.value=abc", "auth.value=<hidden>"),
        ("auth.password=a=b", "auth.password=<hidden>"),
        ("scenarios[0].auth.client_secret=x", "scenarios[0].auth.client_secret=<hidden>"),
        ("scenarios.0.flow.1.auth.token=x", "scenarios.0.flow.1.auth.token=<hidden>"),
        ("auth.command[1]=x", "auth.command[1]=<hidden>"),
        ("auth={type: api_key, value: x}", "auth=<hidden>"),
        ("environments={prod: {auth: {value: x}}}", "environments=<hidden>"),
        ("http.headers.X-Api-Key=x", "http.headers.X-Api-Key=<hidden>"),
        ("vars.password=x", "vars.password=<hidden>"),
        ("target.url=https://me:pw@x.example", "target.url=<hidden>"),
        ("auth.type=bearer", "auth.type=bearer"),
        ("auth.header=X-Key", "auth.header=X-Key"),
        ("load.phases[0].rate=5", "load.phases[0].rate=5"),
        ("auth.value", "auth.value"),
        ("auth.value=", "auth.value="),
    ],
)
def test_a_recorded_command_line_has_no_secret_settings(given: str, shown: str) -> None:
    line = ["loadgen", "run", "auth.value=file", "--set", given, f"--set={given}", "--yes"]
    assert hidden_arguments(line) == [
        "loadgen", "run", "auth.value=file", "--set", shown, f"--set={shown}", "--yes",
    ]  # fmt: skip
