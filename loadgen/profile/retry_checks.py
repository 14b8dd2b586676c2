"""How modelled clients retry: which keys fit together, in the profile and in its scenarios."""

from __future__ import annotations

from collections.abc import Iterator

from core.draft import Fault
from core.located_yaml import Path
from loadgen.profile.draft import Draft
from loadgen.profile.model import RetryModel


def retry_faults(draft: Draft) -> Iterator[Fault]:
    """All that is wrong with `retry` of the profile and of scenarios."""
    if draft.get("locustfile") is not None and draft.get("retry") is not None:
        yield Fault(("retry",), "needs scenarios: users of a locustfile retry as it says")
    searching = any(
        draft.get(*phase, "search") is not None for phase in draft.items("load", "phases")
    )
    paths = [("retry",), *((*scenario, "retry") for scenario in draft.items("scenarios"))]
    for path in paths:
        if searching and draft.get(*path) not in (None, "none"):
            yield Fault(path, "does not go with a phase that searches: it counts what it plans")
        yield from _faults(draft, path)


def _faults(draft: Draft, path: Path) -> Iterator[Fault]:
    given = draft.given(*path)
    retry = draft.part(RetryModel, *path)
    if not given or retry is None:
        return
    if retry.mode == "none":
        for key in sorted(given - {"mode", "clients"}):
            yield Fault((*path, key), "does not go with mode: none, which never sends again")
        return
    for key in ("base", "throttle_base"):
        if key in given and getattr(retry, f"{key}_s") > retry.cap_s:
            message = f"must be at most cap, {retry.cap_s:g} s {draft.got(*path, key)}"
            yield Fault((*path, key), message)
    for key in ("statuses", "throttle_statuses"):
        good = [status for status in getattr(retry, key) if 200 <= status < 300]
        if good:
            yield Fault((*path, key), f"{good[0]} is a success, which no client sends again")
    both = sorted(set(retry.statuses) & set(retry.throttle_statuses))
    if both:
        key = "statuses" if "statuses" in given else "throttle_statuses"
        message = f"{both[0]} is in statuses and in throttle_statuses: it can be one of them"
        yield Fault((*path, key), message)
    if retry.quota == "none":
        for key in sorted(given & {"retry_cost", "throttle_cost"}):
            yield Fault((*path, key), "has no meaning with quota: none")
