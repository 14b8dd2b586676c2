"""Whether anything of a tuning is left behind, whatever goes wrong.

Run: python benchmarks/tuner_faults.py [--random N] [--quick] [--seed N] [--minutes M]

Real `tune` processes tune functions of a real sandbox, through a proxy that records every call and
makes one go wrong. Then `tune restore` runs, in a share of the cases without the journal, as from
another machine. Afterwards everything that the user owns is compared with what it was: memory,
description and every other setting, code, versions, aliases, tags, and a function that nobody
touched. What others did meanwhile must be as they left it. Besides, every DeleteFunction must have
named a version that the run itself had published.

Prints a line for each kind of fault, and ends with 1 where something was not restored. "no journal"
are those that were restored without it; "kept, said" those where a restore was not sure whose
something is, kept it and said so; "not met" those whose run was over before its fault. A trial
takes one or two seconds, two at a time; 10 minutes are the most.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fault_proxy import Call, Drop, Hook, Moment, Refuse, Verdict
from fault_rig import FIXED, ON_DEMAND, Act, Rig, World, acts

from core.local_aws import local_aws

# Changes of the fixed plan: three sizes set and published, one restore, three deletions; those of
# the adaptive plan depend on what it meets.
FIXED_CHANGES = 10
SHARE_WITHOUT_JOURNAL = 0.3
EXPIRED = Refuse(403, "ExpiredTokenException", "The security token in the request is expired")
THROTTLES = (
    Refuse(429, "TooManyRequestsException", "Rate exceeded"),
    Refuse(400, "ThrottlingException", "Rate exceeded"),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault on one function: `play` lets it happen and has it undone."""

    kind: str
    play: Callable[[Rig], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What was found afterwards; `reached` says whether the fault came to pass."""

    trial: Trial
    reached: bool
    without_journal: bool
    said: bool
    faults: tuple[str, ...]


def at(rig: Rig, number: int, moment: Moment, act: Callable[[], Verdict]) -> Hook:
    """Calls `act` at one state-changing call of the run."""

    def hook(call: Call, now: Moment) -> Verdict:
        if call.changes == number and now == moment and not rig.reached:
            rig.reached = True
            return act()
        return None

    return hook


def killed_at(number: int, moment: Moment, plan: Sequence[str]) -> Callable[[Rig], None]:
    """A run that is killed at one of its changes, and then undone."""

    def play(rig: Rig) -> None:
        rig.proxy.hook = at(rig, number, moment, rig.kill)
        rig.run(plan)
        rig.restore()

    return play


def killed_at_random(rig: Rig) -> None:
    """A run that is killed at a random moment after its first call."""
    plan = rig.rng.choice((FIXED, ON_DEMAND))
    rig.kill_after(rig.rng.uniform(0, rig.world.usual_s[plan] * 1.05))
    rig.reached = True
    rig.run(plan)
    rig.restore()


def killed_twice(rig: Rig) -> None:
    """A run that is killed, and its restore, too."""
    rig.proxy.hook = at(rig, rig.rng.randrange(1, FIXED_CHANGES), "after", rig.kill)
    rig.run(FIXED)
    rig.reached = False
    done = rig.changes
    moment: Moment = rig.rng.choice(("before", "after"))
    rig.proxy.hook = at(rig, done + rig.rng.randrange(2), moment, rig.kill)
    rig.restore()
    rig.restore()


def credentials_expire(rig: Rig) -> None:
    """All calls are refused from one of the changes on."""
    number = rig.rng.randrange(FIXED_CHANGES)

    def hook(call: Call, moment: Moment) -> Verdict:
        rig.reached = rig.reached or call.changes == number
        return EXPIRED if rig.reached and moment == "before" else None

    rig.proxy.hook = hook
    ended = rig.run(FIXED)
    last = ended.stderr.strip().splitlines()[-1]
    rig.expect(ended.returncode == 1, f"exit code {ended.returncode} with lost credentials")
    rig.expect("run `tune restore`" in last, f"the last line names no command: {last}")
    rig.proxy.hook = lambda call, moment: None
    following = rig.run(["--dry-run"])
    rig.expect("`tune restore" in following.stderr, "the next run does not offer the restore")
    rig.restore()


def network_ends(rig: Rig) -> None:
    """Connections are refused from one of the changes on, and the run is ended while it tries."""

    def end() -> Verdict:
        rig.proxy.close()
        rig.kill_after(5)
        return Drop()

    moment: Moment = rig.rng.choice(("before", "after"))
    rig.proxy.hook = at(rig, rig.rng.randrange(FIXED_CHANGES), moment, end)
    rig.run(FIXED)
    rig.proxy.listen()
    rig.restore()


def network_returns(rig: Rig) -> None:
    """Connections are refused for some seconds: the run itself has to outlast it."""

    def pause() -> Verdict:
        rig.proxy.close()
        rig.later(3, rig.proxy.listen)
        return Drop()

    moment: Moment = rig.rng.choice(("before", "after"))
    rig.proxy.hook = at(rig, rig.rng.randrange(FIXED_CHANGES), moment, pause)
    rig.ends_by_itself(rig.run(FIXED))


def answers_are_cut(rig: Rig) -> None:
    """A share of all control calls loses its connection, before or in the middle of the answer."""

    def hook(call: Call, moment: Moment) -> Verdict:
        if call.operation in ("Invoke", "other") or rig.rng.random() > 0.15:
            return None
        rig.reached = True
        return Drop(0.5 if moment == "after" else 0.0)

    rig.proxy.hook = hook
    rig.ends_by_itself(rig.run(rig.rng.choice((FIXED, ON_DEMAND))))


def throttled(rig: Rig) -> None:
    """15 control calls a second, of which others take half, and a third refused at random."""
    tokens, last_s = 7.5, time.monotonic()

    def hook(call: Call, moment: Moment) -> Verdict:
        nonlocal tokens, last_s
        if call.operation in ("Invoke", "other", "GetFunction") or moment == "after":
            return None
        now_s = time.monotonic()
        tokens, last_s = min(7.5, tokens + (now_s - last_s) * 7.5), now_s
        if tokens >= 1 and rig.rng.random() > 0.35:
            tokens -= 1
            return None
        rig.reached = True
        return rig.rng.choice(THROTTLES)

    rig.proxy.hook = hook
    rig.ends_by_itself(rig.run(FIXED))


def others_come_between(act: Act, *, killed: bool) -> Callable[[Rig], None]:
    """Somebody else does something right before one of the changes, and the run may be killed."""

    def play(rig: Rig) -> None:
        number = rig.rng.randrange(FIXED_CHANGES - 2)
        moment: Moment = rig.rng.choice(("before", "after"))

        def meet() -> Verdict:
            act(rig)
            return rig.kill() if killed else None

        rig.proxy.hook = at(rig, number, moment, meet)
        rig.run(FIXED)
        if killed:
            rig.restore()

    return play


def two_tuners(rig: Rig) -> None:
    """Two runs on two machines; one of them may be killed."""
    killed = rig.rng.random() < 0.5
    if killed:
        rig.proxy.hook = at(rig, rig.rng.randrange(12), "after", rig.kill)
    rig.reached = True
    rig.run_two(FIXED, ON_DEMAND)
    rig.restore()
    rig.restore(elsewhere=True)


def kinds(random_kills: int, *, quick: bool) -> Iterator[Trial]:
    """All trials, those of each kind together."""
    moments: tuple[tuple[Moment, str], ...] = (
        ("before", "kill -9 before a change is sent"),
        ("after", "kill -9 after a change, before its answer"),
    )
    if quick:
        yield Trial(moments[0][1], killed_at(6, "before", FIXED))
        yield Trial(moments[1][1], killed_at(1, "after", FIXED))
        yield Trial("credentials expire", credentials_expire)
        return
    numbers, on_demand = range(FIXED_CHANGES), range(0, 26, 2)
    for moment, kind in moments:
        yield from (Trial(kind, killed_at(number, moment, FIXED)) for number in numbers)
        yield from (Trial(kind, killed_at(number, moment, ON_DEMAND)) for number in on_demand)
    yield from [Trial("kill -9 of the run and of its restore", killed_twice)] * 10
    yield from [Trial("credentials expire", credentials_expire)] * 8
    yield from [Trial("network gone, then kill -9", network_ends)] * 6
    yield from [Trial("network gone for 3 s", network_returns)] * 6
    yield from [Trial("connections cut, 15 % of calls", answers_are_cut)] * 6
    yield from [Trial("control plane throttled", throttled)] * 6
    for kind, act in acts():
        yield from [Trial(kind, others_come_between(act, killed=False))] * 3
        yield from [Trial(f"{kind}, and kill -9", others_come_between(act, killed=True))] * 3
    yield from [Trial("a second tuner", two_tuners)] * 8
    # Last, so that where time runs out no kind is left out.
    yield from [Trial("kill -9 at a random time", killed_at_random)] * random_kills


def tried(world: World, trial: Trial, seed: int, deadline_s: float) -> Result | None:
    """What a trial came to; None where there was no time for it."""
    if time.monotonic() > deadline_s:
        return None
    rng = random.Random(seed)
    with world.rig(rng, without_journal=rng.random() < SHARE_WITHOUT_JOURNAL) as rig:
        try:
            trial.play(rig)
            faults = rig.differences()
        except (subprocess.TimeoutExpired, IndexError) as error:
            faults = [f"{type(error).__name__}: {error}"]
        if faults:
            faults.append(rig.protocol())
        return Result(trial, rig.reached, rig.restored_without_journal, rig.said, tuple(faults))


def main() -> int:
    """Prints the table; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random", type=int, default=100, help="kills at random times")
    parser.add_argument("--quick", action="store_true", help="a few trials, for the test suite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10, help="no trial begins after these")
    parser.add_argument("--only", default="", help="only kinds with this pattern")
    given = parser.parse_args()
    began_s = time.monotonic()
    with local_aws(["--update-ms", "40"]) as access, tempfile.TemporaryDirectory() as folder:
        world = World(access, Path(folder))
        if not given.quick:
            world.measure_usual_times()
        every = kinds(given.random, quick=given.quick)
        trials = [trial for trial in every if re.search(given.only, trial.kind)]
        deadline_s = began_s + given.minutes * 60
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                pool.submit(tried, world, trial, given.seed * 10_000 + number, deadline_s)
                for number, trial in enumerate(trials)
            ]
            results = [result for job in jobs if (result := job.result()) is not None]
    show(results)
    left_out = len(trials) - len(results)
    print(f"{time.monotonic() - began_s:.0f} s, seed {given.seed}; no time for {left_out} trials")
    return 1 if left_out or any(result.faults for result in results) else 0


def show(results: Sequence[Result]) -> None:
    """A line for each kind; those that were not restored with what differs."""
    counts: dict[str, Counter[str]] = {}
    for result in results:
        count = counts.setdefault(result.trial.kind, Counter())
        count["tried"] += result.reached
        count["missed"] += not result.reached
        count["restored"] += result.reached and not result.faults
        count["without"] += result.reached and result.without_journal
        count["said"] += result.reached and result.said
    columns = ("tried", "restored", "without", "said", "missed")
    heads = ("tried", "restored", "no journal", "kept, said", "not met")
    print(f"{'fault':52}" + "".join(f"{head:>11}" for head in heads))
    for kind, count in counts.items():
        print(f"{kind:52}" + "".join(f"{count[column]:11}" for column in columns))
    total: Counter[str] = sum(counts.values(), Counter())
    print(f"{'all':52}" + "".join(f"{total[column]:11}" for column in columns))
    for result in results:
        if result.faults:
            print(f"\nnot restored: {result.trial.kind}")
            print("\n".join(f"  {fault}" for fault in result.faults))


if __name__ == "__main__":
    sys.exit(main())
