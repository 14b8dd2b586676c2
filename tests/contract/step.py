"""A step of the contract: what AWS documents, told by one function that asserts it.

A step makes what it needs and depends on no other step. It says which targets answer it wrongly,
and how, so that a failure elsewhere is news.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.contract.account import Account

SANDBOX = "sandbox"
MOTO = "moto"
MINISTACK = "ministack"
TARGETS = (SANDBOX, MOTO, MINISTACK)

Body = Callable[[Account], None]


@dataclass(frozen=True, slots=True)
class Step:
    """`unsupported` holds, by target, what that target does instead of what AWS does."""

    name: str
    body: Body
    unsupported: Mapping[str, str]

    @property
    def supported(self) -> frozenset[str]:
        """The targets that have to pass."""
        return frozenset(TARGETS) - self.unsupported.keys()

    def run(self, account: Account) -> None:
        """Raises whatever the target's answer gives rise to, where it is not AWS's."""
        with account.tidied():
            self.body(account)


def step(**unsupported: str) -> Callable[[Body], Step]:
    """Makes a step; `unsupported` names the targets that do not pass, each with the reason."""
    unknown = unsupported.keys() - {MOTO, MINISTACK}
    if unknown:
        raise ValueError(f"no such target, or one that has to pass every step: {sorted(unknown)}")

    def make(body: Body) -> Step:
        area = body.__module__.rpartition(".")[2].removesuffix("_steps")
        return Step(f"{area}.{body.__name__}", body, unsupported)

    return make
