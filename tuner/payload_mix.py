"""Several events with weights: which call gets which, and what of them may be told; pure."""

from __future__ import annotations

import hashlib
import heapq
import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from tuner.payload import Payload


@dataclass(frozen=True, slots=True)
class WeightedPayload:
    """One event of a mix, with its name and how often it comes, relative to the others."""

    payload: Payload
    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class PayloadMix:
    """The events of a run, at least one.

    Every size gets them in the same order, which `seed` draws: however many calls a size has had,
    it has met the same events as any other with so many. `even_share` of the calls go to all
    events alike, the others by weight: where few calls are made, an event of little weight may
    cost as much as all others, and must be met to know it.
    """

    items: tuple[WeightedPayload, ...]
    seed: int = 0
    even_share: float = 0.0

    @classmethod
    def of(cls, payload: Payload) -> PayloadMix:
        """The mix of one event: what all calls get."""
        return cls((WeightedPayload(payload, "1"),))

    @property
    def is_mix(self) -> bool:
        """Whether calls differ in their event."""
        return len(self.items) > 1

    @property
    def contents(self) -> tuple[bytes, ...]:
        """The events, as they are sent."""
        return tuple(item.payload.content for item in self.items)

    @property
    def size_bytes(self) -> int:
        """How large all of them are together."""
        return sum(map(len, self.contents))

    @property
    def sha256(self) -> str:
        """Identifies what is sent, and how often, without showing it."""
        if not self.is_mix:
            return self.items[0].payload.sha256
        parts = [f"{item.payload.sha256} {item.weight!r}\n" for item in self.items]
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    @property
    def weights(self) -> Mapping[str, float]:
        """The weight of each payload by name, as it was given; empty where calls do not differ."""
        return {item.name: item.weight for item in self.items} if self.is_mix else {}

    def turns(self) -> Iterator[WeightedPayload]:
        """What the calls of a size get, one after the other, without end."""
        even = self.even_share / len(self.items)
        by_weight = shares([item.weight for item in self.items])
        mixed = [even + (1 - self.even_share) * share for share in by_weight]
        return (self.items[index] for index in turns(mixed, self.seed))

    def calls_to_meet(self, names: Collection[str], *, after: int, most: int) -> int:
        """How many calls a size that has had some makes until it has met these; `most` at most."""
        missing = set(names)
        for number, item in enumerate(islice(self.turns(), after, after + most)):
            if not missing:
                return number
            missing.discard(item.name)
        return most


def shares(weights: Sequence[float]) -> list[float]:
    """Positive weights as shares of one; no sum of them is too large for a float."""
    largest = max(weights)
    relative = [weight / largest for weight in weights]
    total = math.fsum(relative)
    return [part / total for part in relative]


def turns(item_shares: Sequence[float], seed: int) -> Iterator[int]:
    """Which of the items the first, second, ... call gets, in the shares given; without end.

    Time is cut for each item into stretches in which it is due once, at a random moment of each.
    So after n calls an item with the share s has had n x s of them, give or take less than
    1 + s x (number of items); items of equal shares come once each before any comes again.
    """
    draws = [random.Random(f"{seed}/{index}") for index in range(len(item_shares))]

    def due(index: int, stretch: int) -> tuple[float, int, int]:
        share = item_shares[index]
        # A share may be too small to be one.
        at = (stretch + draws[index].random()) / share if share else math.inf
        return at, index, stretch

    waiting = [due(index, 0) for index in range(len(item_shares))]
    heapq.heapify(waiting)
    while True:
        _, index, stretch = waiting[0]
        heapq.heapreplace(waiting, due(index, stretch + 1))
        yield index
