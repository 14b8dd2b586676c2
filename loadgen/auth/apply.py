"""The headers with which a request says who sends it, made in an injector.

An injector is told credentials in two shapes, each a JSON object: the headers themselves, or what
requests are signed with. Both list the secrets in them, so that nothing shows them again. No boto
is needed; botocore's signer is imported only where something is signed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from loadgen.auth.given import given_secrets
from loadgen.auth.keys import PROFILE_KEY, key_of_step
from loadgen.profile.model import Profile
from loadgen.redact import Secrets

if TYPE_CHECKING:
    from core.aws.signing import Signer

Header = tuple[str, str]

HEADERS = "headers"
SIGV4 = "sigv4"


class Applier(Protocol):
    """What adds auth to the requests of a step."""

    @property
    def version(self) -> int:
        """Grows whenever the credentials change: what was made of the headers is then old."""
        ...

    @property
    def per_request(self) -> bool:
        """Whether the headers depend on the request."""
        ...

    def headers(
        self, method: str, url: str, headers: Sequence[Header], body: bytes
    ) -> list[Header]:
        """The headers to add to a request; not to be changed by who gets them.

        `url` is the whole URL as it is sent, and `headers` those of the request, its Host
        included where it is not the URL's.
        """
        ...


class StaticApplier:
    """The same headers for every request, until the credentials change."""

    per_request = False

    def __init__(self, credentials: Mapping[str, Any]) -> None:
        self.version = 0
        self.update(credentials)

    def update(self, credentials: Mapping[str, Any]) -> None:
        """From now on with these."""
        self._headers: list[Header] = [(name, value) for name, value in credentials["headers"]]
        self.version += 1

    def headers(
        self, method: str, url: str, headers: Sequence[Header], body: bytes
    ) -> list[Header]:
        """The headers to add, whatever the request is."""
        return self._headers


class SigV4Applier:
    """Signs each request."""

    per_request = True

    def __init__(self, credentials: Mapping[str, Any]) -> None:
        self.version = 0
        self.update(credentials)

    def update(self, credentials: Mapping[str, Any]) -> None:
        """From now on with these."""
        self._signer: Signer = _signer(credentials)
        self.version += 1

    def headers(
        self, method: str, url: str, headers: Sequence[Header], body: bytes
    ) -> list[Header]:
        """The headers that sign this request, at this moment."""
        return self._signer.headers(method, url, headers, body)


class Auths:
    """The auth of each step of a profile, with credentials that can be replaced at any time."""

    def __init__(self, profile: Profile, credentials: Mapping[str, Any]) -> None:
        self.secrets = Secrets(given_secrets(profile))  # what excerpts of answers must not show
        self._credentials = dict(credentials)
        self._hide(credentials)
        self._appliers = {key: _applier(told) for key, told in credentials.items()}
        self._of_step = tuple(self._appliers[key] for key in key_of_step(profile))

    def update(self, credentials: Mapping[str, Any]) -> None:
        """Replaces what has changed; the appliers that were given out stay the same objects."""
        self._hide(credentials)
        for key, told in credentials.items():
            applier = self._appliers.get(key)
            if applier is not None and told != self._credentials[key]:
                self._credentials[key] = told
                applier.update(told)

    def for_step(self, step_index: int) -> Applier:
        """What adds auth to the requests of a step, by its global number."""
        return self._of_step[step_index]

    def of_profile(self) -> Applier:
        """What adds auth to the requests of a locustfile."""
        return self._appliers[PROFILE_KEY]

    def _hide(self, credentials: Mapping[str, Any]) -> None:
        for told in credentials.values():
            self.secrets.add(told["secrets"])


def _applier(credentials: Mapping[str, Any]) -> StaticApplier | SigV4Applier:
    if credentials["kind"] == SIGV4:
        return SigV4Applier(credentials)
    return StaticApplier(credentials)


def _signer(credentials: Mapping[str, Any]) -> Signer:
    from core.aws.signing import Signer, SigningCredentials

    return Signer(
        SigningCredentials(
            credentials["access_key"], credentials["secret_key"], credentials["token"]
        ),
        credentials["region"],
        credentials["service"],
    )
