"""A Cognito user pool with one user, as far as InitiateAuth goes, on a port of 127.0.0.1."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.loadgen.test_auth_tokens import jwt

CLIENT_ID = "app-client-1"
USER = "load@example.com"
SUB = "5f0c1a-sub"  # what the pool calls the user
PASSWORD = "Pass word/1!"


class UserPool:
    """What the pool does, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.client_secret: str | None = None
        self.challenge: str | None = None
        self.refuses: dict[str, tuple[str, str]] = {}  # by flow: code and message
        self.gives_nothing = False
        self.lifetime_s = 3600
        self.flows: list[str] = []
        self.credentials_sent: list[str | None] = []

    def answer(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        flow, given = asked["AuthFlow"], asked["AuthParameters"]
        self.flows.append(flow)
        if flow in self.refuses:
            code, message = self.refuses[flow]
            return 400, {"__type": code, "message": message}
        if asked["ClientId"] != CLIENT_ID:
            return 400, {"__type": "ResourceNotFoundException", "message": "no such client"}
        if not self._is_user(flow, given):
            return 400, {"__type": "NotAuthorizedException", "message": "Incorrect username."}
        if self.challenge:
            return 200, {"ChallengeName": self.challenge, "Session": "s", "ChallengeParameters": {}}
        if self.gives_nothing:
            return 200, {}
        number = len(self.flows)
        result = {
            "IdToken": jwt(n=number, use="id"),
            "AccessToken": jwt(n=number, username=SUB),
            "ExpiresIn": self.lifetime_s,
            "TokenType": "Bearer",
        }
        if flow == "USER_PASSWORD_AUTH":
            result["RefreshToken"] = f"refresh-{number}"
        return 200, {"AuthenticationResult": result}

    def _is_user(self, flow: str, given: dict[str, str]) -> bool:
        if flow == "USER_PASSWORD_AUTH":
            name = USER
            good = given["USERNAME"] == USER and given["PASSWORD"] == PASSWORD
        else:
            name = SUB
            good = given["REFRESH_TOKEN"].startswith("refresh-")
        if self.client_secret is None:
            return good and "SECRET_HASH" not in given
        made = hmac.new(self.client_secret.encode(), (name + CLIENT_ID).encode(), hashlib.sha256)
        return good and given.get("SECRET_HASH") == base64.b64encode(made.digest()).decode()


@contextmanager
def user_pool() -> Iterator[UserPool]:
    """A pool that listens for as long as the context lasts."""
    pool = UserPool()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            target = self.headers["X-Amz-Target"]
            assert target == "AWSCognitoIdentityProviderService.InitiateAuth"
            pool.credentials_sent.append(self.headers["Authorization"])
            status, answer = pool.answer(asked)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pool.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield pool
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
