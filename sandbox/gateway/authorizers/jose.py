"""Signed tokens and sets of keys: the door to joserfc.

Import it where a token is there to be checked: with the cryptography behind it, it takes a tenth of
a second, and most sandboxes never see a token.
"""

from __future__ import annotations

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

__all__ = ["KeySet", "key_set", "signed_claims"]


def key_set(document: object) -> KeySet:
    """The keys of a JWKS document.

    Raises:
        ValueError: it is none.
    """
    try:
        return KeySet.import_key_set(document)  # type: ignore[arg-type]
    except (JoseError, TypeError, KeyError) as error:
        raise ValueError(str(error)) from error


def signed_claims(token: str, keys: KeySet, algorithms: tuple[str, ...]) -> object:
    """What a token says that one of `keys` signed.

    Raises:
        ValueError: it is no token, or its signature is not good.
    """
    try:
        return jwt.decode(token, keys, algorithms=list(algorithms)).claims
    except (JoseError, TypeError, KeyError) as error:
        raise ValueError(str(error)) from error
