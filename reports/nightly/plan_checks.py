"""What has to fit together in a plan, beyond what each of its fields may be.

Everything is looked at, so that one reading tells all that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path as FilePath

from pydantic import BaseModel

from core.draft import Draft, Fault
from core.layers import SECTION
from core.located_model import written_name
from core.located_yaml import Path
from reports.nightly.plan import (
    Confirm,
    Gates,
    LoadStep,
    NightlyPlan,
    Outputs,
    Retention,
    TuneStep,
    kind_of,
)
from reports.nightly.step_checks import same_names, step_faults

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_WEB_URL = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?")
# S3 user guide, "General purpose bucket naming rules"; a prefix without empty parts.
_S3_PLACE = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^/\s]+)*/?")


def faults_of(draft: Draft) -> Iterator[Fault]:
    """All that is wrong between the fields of a plan, part by part."""
    yield from _place_faults(draft)
    for path in draft.items("steps"):
        yield from step_faults(draft, path)
    yield from same_names(draft)
    yield from _gate_faults(draft)
    yield from _notify_faults(draft)
    yield from _output_faults(draft)
    yield from _environment_faults(draft)


def keys_by_field_name(draft: Draft) -> Iterator[Fault]:
    """Keys that only the code calls so, and that models take: `time_limit_s` is `time_limit`."""
    places: list[tuple[Path, type[BaseModel]]] = [
        ((), NightlyPlan),
        (("gates",), Gates),
        (("gates", "confirm"), Confirm),
        (("retention",), Retention),
        (("outputs",), Outputs),
    ]
    for path in draft.items("steps"):
        kind = kind_of(draft.get(*path))
        places.append((path, TuneStep if kind == "tune" else LoadStep))
        if "kind" in draft.mapping(*path):
            yield Fault((*path, "kind"), "unknown key (load: or tune: says what a step is)")
    for path, model in places:
        for name, found in model.model_fields.items():
            key = written_name(name, found)
            if key != name and name in draft.mapping(*path):
                yield Fault((*path, name), f"unknown key (did you mean {key}?)")


# -- where ----------------------------------------------------------------------------------------


def _place_faults(draft: Draft) -> Iterator[Fault]:
    region = draft.text("region")
    if region is not None and not _REGION.fullmatch(region):
        yield Fault(("region",), f"must be a region such as eu-west-1 {draft.got('region')}")
    url = draft.text("report_url")
    if url is not None and not _WEB_URL.fullmatch(url):
        yield Fault(("report_url",), f"must be a URL with https:// {draft.got('report_url')}")
    history = draft.text("history")
    if history and (found := history_fault(history, draft.base_dir)):
        yield Fault(("history",), f"{found} {draft.got('history')}")
    for key in ("region", "profile", "branch"):
        if draft.text(key) == "":
            yield Fault((key,), f"must not be empty: leave it out {draft.got(key)}")


def history_fault(place: str, base_dir: FilePath) -> str | None:
    """What is wrong with a place for the history; relative folders begin at `base_dir`."""
    if "://" in place or place.lower().startswith("s3:"):
        if _S3_PLACE.fullmatch(place):
            return None
        return "must be a folder or s3://BUCKET/PREFIX, the bucket in small letters"
    try:
        folder = base_dir / place
        if folder.exists() and not folder.is_dir():
            return "is a file, and must be a folder or s3://BUCKET/PREFIX"
    except (OSError, ValueError):
        return "no such path can exist"
    return None


# -- how it is judged and told --------------------------------------------------------------------


def _gate_faults(draft: Draft) -> Iterator[Fault]:
    gates = draft.part(Gates, "gates") or Gates()
    if gates.min_nights > gates.window:
        message = f"must be at most the window of {gates.window} nights"
        yield Fault(("gates", "min_nights"), f"{message} (got {gates.min_nights})")


def _notify_faults(draft: Draft) -> Iterator[Fault]:
    """URLs are secrets, so they are not shown, and do not stand in the text of a plan."""
    for path in draft.items("notify"):
        url = draft.text(*path, "url")
        place = (*path, "url")
        # Nobody is told where `${env.NAME:-}` is not set, as on the machine of a developer.
        if url and not _WEB_URL.fullmatch(url):
            yield Fault(place, "must be a URL with https:// (got a value that is not shown)")
        elif url is not None and place not in draft.written and not _is_local(url):
            message = "is a secret, and results keep the text of a plan: write ${env.NAME} instead"
            yield Fault(place, message)


def _is_local(url: str) -> bool:
    return re.match(r"https?://(127\.0\.0\.1|localhost|\[::1\])(?=[:/]|$)", url) is not None


def _output_faults(draft: Draft) -> Iterator[Fault]:
    first: dict[FilePath, str] = {}
    for key in draft.mapping("outputs"):
        text = draft.text("outputs", key)
        if text is None:
            continue
        place = ("outputs", key)
        try:
            path = (draft.base_dir / text).absolute()
            if not text or path.is_dir():
                yield Fault(place, f"must be the path of a file {draft.got(*place)}")
        except (OSError, ValueError):
            yield Fault(place, f"no such path can exist {draft.got(*place)}")
            continue
        if path in first:
            yield Fault(place, f"is the file of {first[path]} as well {draft.got(*place)}")
        first.setdefault(path, key)


def _environment_faults(draft: Draft) -> Iterator[Fault]:
    for name in draft.mapping(SECTION):
        if SECTION in draft.mapping(SECTION, name):
            yield Fault((SECTION, name, SECTION), "an environment has no environments of its own")
