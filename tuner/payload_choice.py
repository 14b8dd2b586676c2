"""Which events a run sends, by the options: one, many, or an empty one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import InputError
from tuner.payload import Fetch, read_payload
from tuner.payload_file import OPTION, parse_payloads, read_payload_file
from tuner.payload_mix import PayloadMix

if TYPE_CHECKING:
    from tuner.options import TuneOptions


def read_payloads(options: TuneOptions, seed: int, *, even_share: float) -> PayloadMix:
    """The events of the run, read from where the options say; S3 is asked where they name it.

    Raises:
        InputError: naming the option or the file, the value and what was expected.
        AwsError: when S3 cannot be read.
    """
    if options.payloads_text is not None:
        return PayloadMix(parse_payloads(options.payloads_text, "payload"), seed)
    if options.payloads_file is None:
        payload = read_payload(
            file=options.payload_file, text=options.payload_text, fetch=_fetch(options, "--payload")
        )
        return PayloadMix.of(payload)
    for option, value in (
        ("--payload", options.payload_file),
        ("--payload-json", options.payload_text),
    ):
        if value is not None:
            raise InputError(f"{OPTION}: give either {OPTION} or {option}, not both")
    mix = read_payload_file(options.payloads_file, seed, _fetch(options, OPTION))
    return replace(mix, even_share=even_share)


def _fetch(options: TuneOptions, option: str) -> Fetch:
    def fetch(url: str, most_bytes: int) -> bytes:
        if options.sandbox:
            raise InputError(
                f"{option}: expected a file with --sandbox, which has no S3 (got {url!r})"
            )
        # Not at the top: most payloads are files, and boto3 takes longer to import than they take.
        from core.aws.s3 import parse_s3_url, read_object
        from core.aws.session import AwsSession

        place = parse_s3_url(url, option)
        session = AwsSession(region=options.region, profile=options.profile)
        return read_object(session, place, most_bytes)

    return fetch
