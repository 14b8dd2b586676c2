"""What a Lambda invocation costs: a dated table of list prices by region and architecture.

Prices are the public on-demand ones, first tier unless asked otherwise; no free tier and no savings
plan. A region that the table does not know is an error, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, cast, get_args

from core.aws.limits import EPHEMERAL_STORAGE_FREE_MB
from core.errors import InputError
from core.text import one_line

Arch = Literal["x86_64", "arm64"]
ARCHITECTURES: tuple[Arch, ...] = get_args(Arch)


def other_arch(arch: Arch) -> Arch:
    """Of the two architectures the one that is not `arch`."""
    return "x86_64" if arch == "arm64" else "arm64"


# SnapStart in us-east-1; it is free for Java. Source: AWS price list, publication 2026-09-19.
SNAP_START_CACHE_USD_PER_GB_S = 0.0000015046
SNAP_START_CACHE_LEAST_S = 3 * 3600
SNAP_START_RESTORE_USD_PER_GB = 0.0001397998
SNAP_START_PRICES = "us-east-1 prices of 2026-09-19"

# Far on both sides of every list price (0.00001 to 0.00003 USD): what is beyond is a slip.
_LEAST_USD_PER_GB_S, _MOST_USD_PER_GB_S = 1e-12, 1.0
# Above where any tier starts, and far from what a sum of costs could not hold.
_MOST = 1e12


@dataclass(frozen=True, slots=True)
class Tier:
    """The price of a GB-second from `from_gb_s` GB-seconds a month on."""

    from_gb_s: float
    usd_per_gb_s: float


@dataclass(frozen=True, slots=True)
class LambdaPrice:
    """List prices of one region and architecture.

    `storage_usd_per_gb_s` is None where the table does not know it.
    """

    region: str
    arch: Arch
    tiers: tuple[Tier, ...]
    request_usd: float
    storage_usd_per_gb_s: float | None

    @property
    def gb_second_usd(self) -> float:
        """The first tier's price of a GB-second."""
        return self.tiers[0].usd_per_gb_s

    def invocation_usd(
        self, memory_mb: float, billed_ms: float, *, storage_mb: int = EPHEMERAL_STORAGE_FREE_MB
    ) -> float:
        """The cost of one invocation, request fee included.

        GB x billed seconds x price + request fee + /tmp above 512 MB; a GB is 1,024 MB.
        Source: AWS Lambda pricing page. `billed_ms` is the billed duration as AWS printed it:
        it is already rounded up and already contains INIT and restore time.

        Raises:
            InputError: when /tmp above 512 MB has no known price in the region.
        """
        billed_s = billed_ms / 1000
        return (
            memory_mb / 1024 * billed_s * self.gb_second_usd
            + self.request_usd
            + self._storage_gb(storage_mb) * billed_s * self._storage_price(storage_mb)
        )

    def duration_usd(self, gb_seconds: float) -> float:
        """The price of `gb_seconds` in one month, across the tiers, without request fees."""
        upper_ends = [tier.from_gb_s for tier in self.tiers[1:]] + [float("inf")]
        return sum(
            max(0.0, min(gb_seconds, upper) - tier.from_gb_s) * tier.usd_per_gb_s
            for tier, upper in zip(self.tiers, upper_ends, strict=True)
        )

    @staticmethod
    def _storage_gb(storage_mb: int) -> float:
        return max(0, storage_mb - EPHEMERAL_STORAGE_FREE_MB) / 1024

    def _storage_price(self, storage_mb: int) -> float:
        if storage_mb <= EPHEMERAL_STORAGE_FREE_MB:
            return 0.0
        if self.storage_usd_per_gb_s is None:
            raise InputError(
                f"no price is known for {storage_mb} MB of ephemeral storage in {self.region}",
                hint="give --price-file with storage_usd_per_gb_s for this region",
            )
        return self.storage_usd_per_gb_s


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All regions of one dated price list."""

    date: str
    source: str
    prices: Mapping[tuple[str, Arch], LambdaPrice]

    def lambda_price(self, region: str, arch: Arch) -> LambdaPrice:
        """The prices of `region` for `arch`.

        Raises:
            InputError: when the table does not know the region.
        """
        self.check_region(region)
        try:
            return self.prices[region, arch]
        except KeyError:
            raise self._unknown(f"{arch} in region {region!r}") from None

    def check_region(self, region: str) -> None:
        """Makes sure, before AWS is asked for anything, that costs in `region` can be stated.

        Raises:
            InputError: when the table does not know the region.
        """
        if not any((region, arch) in self.prices for arch in ARCHITECTURES):
            raise self._unknown(f"region {region!r}")

    def _unknown(self, what: str) -> InputError:
        return InputError(
            f"no Lambda price is known for {what} in the price table of {self.date}",
            hint="give your own with --price-file FILE; docs/tune.md shows its form",
        )


@cache
def bundled_prices() -> PriceTable:
    """The price table that the toolkit ships."""
    text = resources.files("core.aws").joinpath("prices.json").read_text(encoding="utf-8")
    return parse_price_table(text, "the bundled price table")


def read_price_file(path: Path) -> PriceTable:
    """A user's price table, in the form of `core/aws/prices.json`.

    Raises:
        InputError: naming the file, the key and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"--price-file: {path}: could not read it: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected a price table in UTF-8 (byte {error.start}: {error.reason})"
        ) from error
    return parse_price_table(text, str(path))


def parse_price_table(text: str, origin: str) -> PriceTable:
    """The price table in `text`; `origin` names it in errors."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{origin}:{error.lineno}:{error.colno}: expected JSON, got: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{origin}: expected JSON, got: {error}") from error
    reader = _Reader(origin)
    top = reader.mapping(document, "the document")
    regions = reader.mapping(reader.member(top, "regions", ""), "regions")
    prices: dict[tuple[str, Arch], LambdaPrice] = {}
    for region, entry in regions.items():
        for price in reader.region(str(region), entry):
            prices[price.region, price.arch] = price
    return PriceTable(
        date=one_line(str(reader.member(top, "date", ""))),
        source=one_line(str(top.get("source", origin))),
        prices=prices,
    )


class _Reader:
    """Reads a price document and names the place of the first fault."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def mapping(self, value: object, key: str) -> Mapping[str, object]:
        if not isinstance(value, dict):
            raise self._fault(key, value, "an object")
        return cast("Mapping[str, object]", value)

    def member(self, parent: Mapping[str, object], key: str, where: str) -> object:
        if key not in parent:
            raise InputError(f"{self._origin}: {where}{key}: missing")
        return parent[key]

    def region(self, region: str, value: object) -> Sequence[LambdaPrice]:
        where = f"regions.{region}"
        entry = self.mapping(value, where)
        request = self.amount(
            self.member(entry, "request_usd_per_million", f"{where}."),
            f"{where}.request_usd_per_million",
        )
        storage = entry.get("storage_usd_per_gb_s")
        storage_price = (
            None if storage is None else self.amount(storage, f"{where}.storage_usd_per_gb_s")
        )
        present = [arch for arch in ARCHITECTURES if arch in entry]
        if not present:
            raise self._fault(where, sorted(entry), "prices under x86_64 or arm64")
        return [
            LambdaPrice(
                region=region,
                arch=arch,
                tiers=self.tiers(entry[arch], f"{where}.{arch}"),
                request_usd=request / 1e6,
                storage_usd_per_gb_s=storage_price,
            )
            for arch in present
        ]

    def tiers(self, value: object, where: str) -> tuple[Tier, ...]:
        if not isinstance(value, list) or not value:
            raise self._fault(where, value, "a list of tiers")
        tiers = []
        for index, item in enumerate(value):
            place = f"{where}[{index}]"
            tier = self.mapping(item, place)
            tiers.append(
                Tier(
                    self.amount(self.member(tier, "from_gb_s", f"{place}."), f"{place}.from_gb_s"),
                    self.compute_price(
                        self.member(tier, "usd_per_gb_s", f"{place}."), f"{place}.usd_per_gb_s"
                    ),
                )
            )
        starts = [tier.from_gb_s for tier in tiers]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise self._fault(f"{where}[].from_gb_s", starts, "ascending values from 0")
        return tuple(tiers)

    def compute_price(self, value: object, key: str) -> float:
        """Above 0: costs are compared by their ratio, and free sizes have none."""
        price = self.amount(value, key)
        if not _LEAST_USD_PER_GB_S <= price <= _MOST_USD_PER_GB_S:
            raise self._fault(key, value, "a price in USD above 0, at most 1")
        return price

    def amount(self, value: object, key: str) -> float:
        try:
            number = float(cast("str", value)) if isinstance(value, int | float | str) else -1.0
        except (ValueError, OverflowError):
            number = -1.0
        if not 0 <= number <= _MOST or isinstance(value, bool):
            raise self._fault(key, value, f"a number from 0 to {_MOST:g}")
        return number

    def _fault(self, key: str, value: object, expected: str) -> InputError:
        return InputError(f"{self._origin}: {key}: expected {expected} (got {value!r})")
