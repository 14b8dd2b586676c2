"""How keys that are used at once fared beside each other: a part of the document of a load run."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from reports.blocks import Column, Table, TableRow
from reports.figures import listed, part_of, rate, significant


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeyFigures(_Part):
    """Requests with one key, or with other auth, in the phases in which several were used."""

    name: str = Field(description="where its auth stands: a scenario, a step, or `profile`")
    auth: str = Field(description="the kind of auth; its value is nowhere")
    offered: int = Field(description="requests that completed")
    admitted: int = Field(description="of them, those that no limit refused")
    throttled: int
    admitted_share: float
    offered_rps: float
    admitted_rps: float


class Fairness(_Part):
    """Keys beside each other.

    Jain's index of x = admitted / offered is (sum x)^2 / (n sum x^2): 1 where all keys have the
    same share admitted, 1/n where one has all (Jain, Chiu, Hawe 1984).
    """

    phases: list[str] = Field(description="measured ones in which several keys were used")
    keys: list[KeyFigures]
    jain_index: float | None = Field(description="null where nothing was admitted")


def fairness_sentence(fairness: Fairness) -> str:
    """The index, and between which keys it is."""
    many = f"{len(fairness.keys)} keys at once ({where_words(fairness)})"
    return f"{many}: {index_words(fairness)}"


def where_words(fairness: Fairness) -> str:
    """The phases in which several keys were used."""
    return listed([f"phase {name}" for name in fairness.phases])


def index_words(fairness: Fairness) -> str:
    """Jain's index, and between what it lies."""
    if fairness.jain_index is None:
        return "no request was admitted"
    least = 1 / len(fairness.keys)
    return (
        f"Jain's index of admitted shares is {fairness.jain_index:.3f} ({least:.2g} to 1, which is "
        "even)"
    )


def fairness_table(fairness: Fairness) -> Table:
    """A row for each key."""
    columns = [
        Column("Key of", is_text=True),
        Column("Auth", is_text=True),
        Column("Offered", "/s"),
        Column("Admitted", "/s"),
        Column("Admitted", "share"),
        Column("Throttled", "share"),
    ]
    rows = [
        TableRow(
            [
                key.name,
                key.auth,
                significant(key.offered_rps),
                significant(key.admitted_rps),
                part_of(key.admitted, key.offered),
                part_of(key.throttled, key.offered),
            ]
        )
        for key in fairness.keys
    ]
    return Table("Keys beside each other", columns, rows, lead=f"{fairness_sentence(fairness)}.")


def key_line(key: KeyFigures) -> str:
    """One key on a line of a terminal."""
    return (
        f"{key.name} ({key.auth}): {rate(key.admitted_rps)} of {rate(key.offered_rps)} admitted, "
        f"{part_of(key.throttled, key.offered)} throttled"
    )
