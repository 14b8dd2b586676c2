"""What a document shows of a function's settings."""

from __future__ import annotations

import hashlib

from tests.tuner.compare_rig import steady, tuning
from tuner.fingerprint import settings_fingerprint

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
SETTINGS = hashlib.sha256(b"PASSWORD=hunter2").hexdigest()
OTHERS = hashlib.sha256(b"PASSWORD=hunter3").hexdigest()


def test_it_is_the_same_for_the_same_settings_of_one_function():
    settings_fingerprint.cache_clear()
    first = settings_fingerprint(SETTINGS, ARN)
    settings_fingerprint.cache_clear()

    assert settings_fingerprint(SETTINGS, ARN) == first
    assert settings_fingerprint(OTHERS, ARN) != first


def test_it_is_neither_the_plain_hash_nor_good_for_another_function():
    shown = settings_fingerprint(SETTINGS, ARN)

    assert SETTINGS not in shown
    assert shown != settings_fingerprint(SETTINGS, f"{ARN}-2")


def test_a_document_has_it_in_place_of_the_plain_hash():
    document = tuning(steady(), arn=ARN, settings_sha256=SETTINGS).document

    assert document.function.settings_fingerprint == settings_fingerprint(SETTINGS, ARN)
    assert SETTINGS not in document.model_dump_json()
