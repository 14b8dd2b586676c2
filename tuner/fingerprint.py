"""The fingerprint of a function's settings that a document may show."""

from __future__ import annotations

import hashlib
from functools import lru_cache

# 16 MiB and some 50 ms for each guess (RFC 7914).
_N, _R, _P = 2**14, 8, 1
_BYTES = 32


@lru_cache(maxsize=64)
def settings_fingerprint(settings_sha256: str, function_arn: str) -> str:
    """A slow hash of the settings' SHA-256, in which environment variables are.

    Documents are shared, and a variable that is short or common could be guessed by trying: so each
    guess has to be expensive, and good for one function only. Two runs of one function have the
    same fingerprint as long as its settings are the same, which is what they are compared by.
    """
    digest = hashlib.scrypt(
        settings_sha256.encode(), salt=function_arn.encode(), n=_N, r=_R, p=_P, dklen=_BYTES
    )
    return digest.hex()
