"""The environment in which another program acts on the same account and region; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.aws.session import LocalAccess

# They outrank a profile that is named in the environment.
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_NO_FILE = "/dev/null"


def same_access(
    environment: Mapping[str, str], *, region: str, profile: str | None, local: LocalAccess | None
) -> dict[str, str]:
    """`environment`, in which AWS tools reach what a session of these settings reaches.

    With `local`, nothing of the user's AWS settings is left in it.
    """
    found = dict(environment)
    if local is not None:
        found = {name: value for name, value in found.items() if not name.startswith("AWS_")}
        found |= {
            "AWS_ENDPOINT_URL": local.endpoint_url,
            "AWS_ACCESS_KEY_ID": local.access_key_id,
            "AWS_SECRET_ACCESS_KEY": local.secret_access_key,
            "AWS_CONFIG_FILE": _NO_FILE,
            "AWS_SHARED_CREDENTIALS_FILE": _NO_FILE,
        }
    elif profile is not None:
        found = {name: value for name, value in found.items() if name not in _KEYS}
        found["AWS_PROFILE"] = profile
    return {**found, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
