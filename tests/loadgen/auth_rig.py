"""Profiles with auth, and sources whose clock a test sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.aws.session import AwsSession
from loadgen.auth.sources import Sources
from loadgen.profile.model import Profile


def profile_with(auth: dict[str, Any] | None = None, **parts: Any) -> Profile:
    """A small valid profile; `auth` is that of the profile."""
    document: dict[str, Any] = {
        "version": 1,
        "name": "auth",
        "target": {"url": "http://127.0.0.1:1"},
        "load": {"phases": [{"name": "one", "duration": "1s", "rate": 1}]},
        "scenarios": [{"name": "main", "flow": [{"get": "/"}]}],
        **parts,
    }
    if auth is not None:
        document["auth"] = auth
    return Profile.model_validate(document)


class Rig:
    """Sources, what they warned of, and their clock."""

    def __init__(
        self, profile: Profile, base_dir: Path, *, endpoint_url: str | None = None
    ) -> None:
        self.now_s = 1_790_000_000.0
        self.warnings: list[str] = []
        self.sessions: list[tuple[str | None, str | None]] = []
        self._endpoint_url = endpoint_url
        self.sources = Sources(
            profile,
            base_dir,
            self._session,
            warn=self.warnings.append,
            clock=lambda: self.now_s,
        )

    def _session(self, region: str | None, aws_profile: str | None) -> AwsSession:
        self.sessions.append((region, aws_profile))
        return AwsSession(region=region, profile=aws_profile, endpoint_url=self._endpoint_url)

    def header(self, key: str = "profile") -> tuple[str, str]:
        """The only header that the auth of `key` adds."""
        ((name, value),) = self.sources.current()[key]["headers"]
        return name, value
