"""Prices of machines that always run: what is known, and what is not is said or left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.aws.always_on import bundled_server_prices, parse_server_prices, read_server_prices
from core.errors import InputError

TABLE: dict[str, Any] = {
    "date": "2026-01-01",
    "currency": "USD",
    "source": "ours",
    "fargate_sizes": [{"vcpu": 0.5, "memory_gb": [1, 2]}],
    "ec2_sizes": {"big.one": {"arch": "arm64", "vcpu": 4, "memory_gb": 8}},
    "regions": {
        "xx-test-1": {
            "fargate": {"x86_64": {"vcpu_hour_usd": 0.04, "gb_hour_usd": 0.005}},
            "ec2_hour_usd": {"big.one": 0.3},
        }
    },
}


@pytest.mark.parametrize(
    ("region", "arch", "name", "vcpu", "memory_gb", "hour_usd"),
    [
        # 0.25 x 0.04048 + 0.5 x 0.004445, and 4 x 0.03238 + 30 x 0.00356
        pytest.param(
            "us-east-1", "x86_64", "Fargate x86_64", 0.25, 0.5, 0.0123425, id="the least Fargate"
        ),
        pytest.param(
            "us-east-1", "arm64", "Fargate arm64", 4, 30, 0.23632, id="Fargate with much memory"
        ),
        pytest.param("us-west-2", "arm64", "EC2 t4g.small", 2, 2, 0.0168, id="a burstable one"),
        pytest.param("us-east-2", "x86_64", "EC2 m7i.large", 2, 8, 0.1008, id="a steady one"),
        pytest.param("eu-west-1", "x86_64", "EC2 t3.medium", 2, 4, 0.0456, id="Ireland"),
    ],
)
def test_a_machine_costs_what_the_price_list_says(
    region: str, arch: Any, name: str, vcpu: float, memory_gb: float, hour_usd: float
) -> None:
    [server] = [
        server
        for server in bundled_server_prices().servers(region, arch)
        if (server.name, server.vcpu, server.memory_gb) == (name, vcpu, memory_gb)
    ]

    assert server.hour_usd == pytest.approx(hour_usd)


def test_the_bundled_table_has_only_sizes_that_fargate_and_ec2_have() -> None:
    servers = bundled_server_prices().servers("us-east-1", "arm64")
    fargate = {(s.vcpu, s.memory_gb) for s in servers if s.kind == "fargate"}

    assert {(0.25, 0.5), (1, 8), (2, 16), (8, 60), (16, 120)} <= fargate
    assert not {(0.25, 4), (1, 1), (4, 31), (8, 17), (16, 33)} & fargate
    assert {s.sustained_share for s in servers if s.kind == "burstable"} == {0.2, 0.3}
    assert {s.sustained_share for s in servers if s.kind == "ec2"} == {1.0}


@pytest.mark.parametrize(
    ("region", "arch"),
    [
        pytest.param("mx-central-1", "x86_64", id="a region that the table does not know"),
        pytest.param("", "arm64", id="no region"),
    ],
)
def test_where_no_price_is_known_there_is_no_machine(region: str, arch: Any) -> None:
    assert bundled_server_prices().servers(region, arch) == ()


def test_a_table_of_ones_own_has_machines_by_architecture(tmp_path: Path) -> None:
    path = tmp_path / "servers.json"
    path.write_text(json.dumps(TABLE))

    prices = read_server_prices(path)

    assert [s.hour_usd for s in prices.servers("xx-test-1", "x86_64")] == pytest.approx(
        [0.025, 0.03]
    )
    assert [s.name for s in prices.servers("xx-test-1", "arm64")] == ["EC2 big.one"]


def changed(path: str, value: object) -> str:
    """The table with another value at a dotted path."""
    table = json.loads(json.dumps(TABLE))
    *steps, last = path.split("/")
    place = table
    for step in steps:
        place = place[int(step) if isinstance(place, list) else step]
    place[last] = value
    return json.dumps(table)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "t.json: the document: invalid JSON", id="no JSON"),
        pytest.param("[]", "t.json: the document: ", id="no object"),
        pytest.param('{"date": "x", "currency": "USD"}', "t.json: source: ", id="nothing in it"),
        pytest.param(changed("currency", "EUR"), "t.json: currency: ", id="another currency"),
        pytest.param(
            changed("regions/xx-test-1/ec2_hour_usd/big.one", 0),
            r"regions.xx-test-1.ec2_hour_usd.big.one: .*greater than 0 \(got 0\)",
            id="for nothing",
        ),
        pytest.param(
            changed("regions/xx-test-1/ec2_hour_usd/small.one", 0.1),
            "regions.xx-test-1.ec2_hour_usd.small.one: expected a size of ec2_sizes",
            id="a size that is not described",
        ),
        pytest.param(
            changed("fargate_sizes/0/vcpu", -1), r"fargate_sizes.0.vcpu: .*\(got -1\)", id="-1 vCPU"
        ),
        pytest.param(
            changed("ec2_sizes/big.one/arch", "mips"), "ec2_sizes.big.one.arch: ", id="which arch"
        ),
        pytest.param(
            changed("ec2_sizes/big.one/baseline", 0.2),
            "ec2_sizes.big.one.baseline: ",
            id="an unknown key",
        ),
    ],
)
def test_a_fault_is_told_with_its_place_in_one_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse_server_prices(text, "t.json")

    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^--server-price-file: .*absent.json: could not read it"):
        read_server_prices(tmp_path / "absent.json")

    (tmp_path / "latin.json").write_bytes(b'{"date": "M\xe4rz"}')
    with pytest.raises(InputError, match=r"latin.json: .*in UTF-8 \(byte 11"):
        read_server_prices(tmp_path / "latin.json")
