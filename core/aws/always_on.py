"""What machines that always run cost: a dated table of list prices of Fargate and some EC2 sizes.

On demand, Linux, no savings plan. Where the table knows no price for a region there is none, and
nobody guesses one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.aws.prices import ARCHITECTURES, Arch
from core.errors import InputError
from core.text import one_line

# `burstable` sizes may use more than their baseline only while they have credits.
ServerKind = Literal["fargate", "burstable", "ec2"]


@dataclass(frozen=True, slots=True)
class Server:
    """One size of a machine that always runs, and its price on demand.

    `sustained_share` of its vCPUs can be in use all the time: below 1 for burstable sizes.
    """

    name: str
    kind: ServerKind
    vcpu: float
    memory_gb: float
    hour_usd: float
    sustained_share: float = 1.0


@dataclass(frozen=True, slots=True)
class ServerPrices:
    """All machines of one dated price list, by region and architecture."""

    date: str
    source: str
    machines: Mapping[tuple[str, Arch], tuple[Server, ...]]

    def servers(self, region: str, arch: Arch) -> tuple[Server, ...]:
        """The machines that can be had there; none where the table knows no price."""
        return self.machines.get((region, arch), ())


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# Far on both sides of every list price: what is beyond is a slip.
_HourUsd = Annotated[float, Field(gt=0, le=1000)]
_Vcpu = Annotated[float, Field(gt=0, le=1000)]
_MemoryGb = Annotated[float, Field(gt=0, le=100_000)]


class _FargateSize(_Strict):
    vcpu: _Vcpu
    memory_gb: list[_MemoryGb]


class _FargatePrice(_Strict):
    vcpu_hour_usd: _HourUsd
    gb_hour_usd: _HourUsd


class _Ec2Size(_Strict):
    arch: Arch
    vcpu: _Vcpu
    memory_gb: _MemoryGb
    baseline_share: Annotated[float, Field(gt=0, le=1)] | None = None


class _Region(_Strict):
    fargate: dict[Arch, _FargatePrice] = {}
    ec2_hour_usd: dict[str, _HourUsd] = {}


class _Table(_Strict):
    date: str
    currency: Literal["USD"]
    source: str
    fargate_sizes: list[_FargateSize] = []
    ec2_sizes: dict[str, _Ec2Size] = {}
    regions: dict[str, _Region]


@cache
def bundled_server_prices() -> ServerPrices:
    """The price table that the toolkit ships."""
    text = resources.files("core.aws").joinpath("always_on.json").read_text(encoding="utf-8")
    return parse_server_prices(text, "the bundled prices of servers")


def read_server_prices(path: Path) -> ServerPrices:
    """A user's table, in the form of `core/aws/always_on.json`.

    Raises:
        InputError: naming the file, the key and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"--server-price-file: {path}: could not read it: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected prices of servers in UTF-8 (byte {error.start}: {error.reason})"
        ) from error
    return parse_server_prices(text, str(path))


def parse_server_prices(text: str, origin: str) -> ServerPrices:
    """The table in `text`; `origin` names it in errors.

    Raises:
        InputError: naming the first key that is wrong and what was expected.
    """
    try:
        table = _Table.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{origin}: {_first_fault(error)}") from error
    for region, entry in table.regions.items():
        for name in entry.ec2_hour_usd:
            if name not in table.ec2_sizes:
                raise InputError(
                    f"{origin}: regions.{region}.ec2_hour_usd.{name}: expected a size of ec2_sizes"
                )
    return ServerPrices(
        date=one_line(table.date),
        source=one_line(table.source),
        machines={
            (region, arch): servers
            for region, entry in table.regions.items()
            for arch in ARCHITECTURES
            if (servers := (*_fargate(table, entry, arch), *_ec2(table, entry, arch)))
        },
    )


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in fault["loc"]) or "the document"
    message = one_line(f"{fault['msg'][:1].lower()}{fault['msg'][1:]}")
    value = fault["input"]
    # The whole of a document or an object would hide what is wrong with it.
    shown = f" (got {value!r})" if isinstance(value, int | float | bool) or value is None else ""
    return f"{where}: {message}{shown}"


def _fargate(table: _Table, region: _Region, arch: Arch) -> Iterator[Server]:
    price = region.fargate.get(arch)
    if price is None:
        return
    for size in table.fargate_sizes:
        for memory_gb in size.memory_gb:
            yield Server(
                name=f"Fargate {arch}",
                kind="fargate",
                vcpu=size.vcpu,
                memory_gb=memory_gb,
                hour_usd=size.vcpu * price.vcpu_hour_usd + memory_gb * price.gb_hour_usd,
            )


def _ec2(table: _Table, region: _Region, arch: Arch) -> Iterator[Server]:
    for name, hour_usd in region.ec2_hour_usd.items():
        size = table.ec2_sizes[name]
        if size.arch != arch:
            continue
        yield Server(
            name=f"EC2 {one_line(name)}",
            kind="ec2" if size.baseline_share is None else "burstable",
            vcpu=size.vcpu,
            memory_gb=size.memory_gb,
            hour_usd=hour_usd,
            sustained_share=size.baseline_share or 1.0,
        )
