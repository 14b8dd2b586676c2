"""Functions of a CloudFormation or SAM template: literal names, and those made of defaults; pure.

What only a deployment knows - names that CloudFormation makes up, the stack's name, attributes of
other resources - is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.located_yaml import Document, Path, Value
from tuner.iam.place import ANY_ACCOUNT, Place
from tuner.several.listed import Around, Effort, Listed, Listing, NotKnown

_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_NESTED = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application")
_IN_SUB = re.compile(r"\$\{(!?)([^}]*)\}")
_LOOP = "Fn::ForEach::"


def looked_at(document: Document) -> list[Path]:
    """The paths that the names depend on: what is wrong elsewhere does not matter."""
    found = list[Path]()
    for key in _mapping(document.value, "Parameters"):
        found.append(("Parameters", key, "Default"))
    for key, resource in _mapping(document.value, "Resources").items():
        found.append(("Resources", key, "Type"))
        if _type(resource) in _FUNCTIONS:
            found.append(("Resources", key, "Properties", "FunctionName"))
    return found


def functions_of(document: Document, file: str, around: Around) -> Listing:
    """The functions of a template, in the order of the file."""
    names = _Names(_mapping(document.value, "Parameters"), around)
    listed = tuple(_listed(document, file, names))
    notes = []
    if names.defaults:
        given = ", ".join(f"{key}={value}" for key, value in names.defaults.items())
        notes.append(f"{file}: names are made with defaults of the template: {given}")
    resources = _mapping(document.value, "Resources")
    nested = [key for key, resource in resources.items() if _type(resource) in _NESTED]
    if nested:
        notes.append(f"{file}: nested stacks are not looked into: {', '.join(nested)}")
    return Listing(listed, tuple(notes))


def _listed(document: Document, file: str, names: _Names) -> Iterator[Listed]:
    for key, resource in _mapping(document.value, "Resources").items():
        path: Path = ("Resources", key)
        place = document.place(path, of_key=True)
        where = f"{file}:{place.line}:{place.column}"
        if key.startswith(_LOOP):
            yield Listed(key, None, where, "what a loop makes is only known when it is deployed")
            continue
        if _type(resource) not in _FUNCTIONS:
            continue
        given = _mapping(resource, "Properties").get("FunctionName")
        if given is None:
            yield Listed(key, None, where, "without FunctionName, CloudFormation makes one up")
            continue
        try:
            yield Listed(key, names.name(given), where)
        except NotKnown as reason:
            yield Listed(key, None, where, str(reason))


@dataclass(slots=True)
class _Names:
    """Turns values of a template into text; `defaults` are the parameters that this took."""

    parameters: dict[str, Value]
    around: Around
    defaults: dict[str, str] = field(default_factory=dict)
    effort: Effort = field(default_factory=Effort)

    def name(self, value: Value) -> str:
        """The name that a value stands for.

        Raises:
            NotKnown: when only a deployment tells it.
        """
        self.effort = Effort()
        return self._text(value)

    def _text(self, value: Value) -> str:
        return self.effort.take(self._made(value))

    def _made(self, value: Value) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, dict) or len(value) != 1:
            raise NotKnown("its name is no text")
        ((function, argument),) = value.items()
        if function == "Ref" and isinstance(argument, str):
            return self._reference(argument)
        if function == "Fn::Sub":
            return self._substituted(argument)
        if function == "Fn::Join":
            return self._joined(argument)
        raise NotKnown(f"its name is made by {function}, which only a deployment carries out")

    def _substituted(self, argument: Value) -> str:
        template, given = argument, dict[str, Value]()
        if isinstance(argument, list) and len(argument) == 2:
            template, more = argument
            given = more if isinstance(more, dict) else {}
        if not isinstance(template, str):
            raise NotKnown("its name is made by Fn::Sub of no text")
        self.effort.take(template)

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return f"${{{match.group(2)}}}"
            if name in given:
                return self._text(given[name])
            return self.effort.take(self._reference(name))

        return _IN_SUB.sub(replaced, template)

    def _joined(self, argument: Value) -> str:
        match argument:
            case [str(between), list(parts)]:
                return self.effort.take(between).join(self._text(part) for part in parts)
        raise NotKnown("its name is made by Fn::Join of something that is no list")

    def _reference(self, name: str) -> str:
        if name == "AWS::Region":
            return self.around.region
        if name == "AWS::Partition":
            return Place(self.around.region, ANY_ACCOUNT).partition
        if name == "AWS::AccountId":
            account = self.around.account()
            if account is None:
                raise NotKnown("its name has the account in it, which STS does not tell")
            return account
        parameter = self.parameters.get(name)
        if not isinstance(parameter, dict):
            raise NotKnown(f"its name has {name} in it, which only a deployment knows")
        default = parameter.get("Default")
        if str(parameter.get("Type")).startswith("AWS::SSM::"):
            raise NotKnown(f"its name has {name} in it, which is a parameter in SSM")
        if not isinstance(default, str | int | float) or isinstance(default, bool):
            raise NotKnown(f"its name has the parameter {name} in it, which has no default")
        self.defaults[name] = self.effort.take(str(default))
        return str(default)


def _mapping(value: Value, key: str) -> dict[str, Value]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _type(resource: Value) -> Value:
    return resource.get("Type") if isinstance(resource, dict) else None
