"""Variables of a serverless.yml, as far as the file and the command line tell them; pure.

`${opt:stage, 'dev'}`, `${sls:stage}`, `${self:custom.prefix}`, `${aws:region}`, nested and with
fallbacks. Environment, parameters, other files and AWS are not asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from core.located_yaml import Document, Value
from tuner.several.listed import Around, Effort, NotKnown

_MOST_DEPTH = 20
_DEFAULT_STAGE = "dev"
_OPEN = "${"


@dataclass(slots=True)
class Variables:
    """The values of a file, with what stands for variables in them."""

    document: Document
    around: Around
    _effort: Effort = field(default_factory=Effort)

    @property
    def service(self) -> str:
        """The name of the service.

        Raises:
            NotKnown: when the file does not tell it.
        """
        self._effort = Effort()
        return self._service(0)

    @property
    def stage(self) -> str:
        """The stage: that of the command line, else that of the provider, else dev.

        Raises:
            NotKnown: when the file does not tell it.
        """
        self._effort = Effort()
        return self._stage(0)

    def text(self, value: Value) -> str:
        """A value as text, its variables replaced.

        Raises:
            NotKnown: when it has a variable that is not told here.
        """
        self._effort = Effort()
        return self._text(value, 0)

    def _service(self, depth: int) -> str:
        service = self.document.at(("service",))
        if isinstance(service, dict):
            service = service.get("name")
        if service is None:
            raise NotKnown("the file names no service")
        return self._text(service, depth)

    def _stage(self, depth: int) -> str:
        if self.around.stage is not None:
            return self.around.stage
        stage = self.document.at(("provider", "stage"))
        return _DEFAULT_STAGE if stage is None else self._text(stage, depth)

    def _text(self, value: Value, depth: int) -> str:
        if depth > _MOST_DEPTH:
            raise NotKnown("its variables lead in a circle, or too deep")
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise NotKnown("its name is no text")
        made = "".join(
            self._value(inside, depth + 1) if is_variable else inside
            for is_variable, inside in _parts(self._effort.take(value))
        )
        return self._effort.take(made)

    def _value(self, inside: str, depth: int) -> str:
        """The first of the alternatives in `${...}` that is told."""
        reason = NotKnown(f"its name has ${{{inside}}} in it, which is not known from the file")
        for alternative in _alternatives(inside):
            try:
                return self._alternative(alternative, depth)
            except NotKnown as why:
                reason = why
        raise reason

    def _alternative(self, written: str, depth: int) -> str:
        if len(written) > 1 and written[0] == written[-1] and written[0] in "'\"":
            return self._text(written[1:-1], depth)
        if written.startswith(_OPEN) and _end_of(written, 0) == len(written):
            return self._text(written, depth)
        address = self._text(written, depth)
        kind, colon, name = address.partition(":")
        if not colon and _is_literal(address):
            return address
        if (kind, name) in (("opt", "stage"), ("sls", "stage")):
            if kind == "opt" and self.around.stage is None:
                raise NotKnown("its name has ${opt:stage} in it: give --stage")
            return self._stage(depth)
        if (kind, name) in (("opt", "region"), ("aws", "region")):
            return self.around.region
        if (kind, name) == ("aws", "accountId"):
            return self._account()
        if kind == "self":
            return self._own(name, depth)
        raise NotKnown(f"its name has ${{{address}}} in it, which is not known from the file")

    def _own(self, name: str, depth: int) -> str:
        """What `${self:name}` stands for."""
        if name == "service":
            return self._service(depth)
        if name == "provider.stage":
            return self._stage(depth)
        if name == "provider.region" and self.document.at(("provider", "region")) is None:
            return self.around.region
        value = self.document.at(tuple(name.split(".")))
        if value is None:
            raise NotKnown(f"its name has ${{self:{name}}} in it, which the file does not have")
        return self._text(value, depth)

    def _account(self) -> str:
        account = self.around.account()
        if account is None:
            raise NotKnown("its name has the account in it, which STS does not tell")
        return account


def _is_literal(address: str) -> bool:
    """Whether an alternative is a bare number, which needs no quotes."""
    return address.lstrip("-").replace(".", "", 1).isdigit()


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """Text as it is, and the insides of the variables in it, told apart by the first of each."""
    start = 0
    while (begin := text.find(_OPEN, start)) >= 0:
        end = _end_of(text, begin)
        if begin > start:
            yield False, text[start:begin]
        yield True, text[begin + 2 : end - 1]
        start = end
    if start < len(text):
        yield False, text[start:]


def _end_of(text: str, begin: int) -> int:
    """Behind the brace that closes the variable which begins there.

    Raises:
        NotKnown: when none does.
    """
    depth = 0
    for index in range(begin, len(text)):
        if text.startswith(_OPEN, index):
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index + 1
    raise NotKnown("its name has ${ without a } in it")


def _alternatives(inside: str) -> list[str]:
    """What is between the commas that stand outside of quotes and of inner variables."""
    found, depth, quote, start = [], 0, "", 0
    for index, letter in enumerate(inside):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif inside.startswith(_OPEN, index):
            depth += 1
        elif letter == "}":
            depth -= 1
        elif letter == "," and depth == 0:
            found.append(inside[start:index].strip())
            start = index + 1
    return [*found, inside[start:].strip()]
