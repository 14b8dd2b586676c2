"""Where a template has the memory size of a function; pure.

Knows CloudFormation, SAM and serverless.yml. Names that only a deployment knows are not worked out:
a plan names the function by its logical id where the file does not say what it is called.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.located_yaml import Document, Path, Place, Value

_FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")
_SAM_FUNCTION = "AWS::Serverless::Function"


def memory_size_place(document: Document, function: str) -> Place | None:
    """The line of the setting; where there is none, that of the function; None without a function.

    `function` is a logical id, a key, a name or an ARN, with or without a qualifier. What stands in
    the function goes before what stands for all functions.
    """
    name = function_name(function)
    if isinstance(document.at(("Resources",)), dict):
        return _of_template(document, name)
    if isinstance(document.at(("provider",)), dict):
        return _of_serverless(document, name)
    return None


def function_name(function: str) -> str:
    """The name in `NAME`, `NAME:QUALIFIER`, `ACCOUNT:function:NAME` or an ARN."""
    parts = function.split(":")
    if "function" in parts[1:-1]:
        return parts[parts.index("function") + 1]
    return parts[0]


def _of_template(document: Document, name: str) -> Place | None:
    functions = {
        path: resource
        for path, resource in _mappings(document, ("Resources",))
        if resource.get("Type") in _FUNCTIONS
    }
    path = _named(document, functions, name)
    if path is None:
        return None
    places = [(*path, "Properties")]
    if functions[path].get("Type") == _SAM_FUNCTION:
        places.append(("Globals", "Function"))
    return _setting(document, places, "MemorySize") or document.place(path, of_key=True)


def _named(document: Document, functions: dict[Path, dict[str, Value]], name: str) -> Path | None:
    """The function of that id or name; else the only one there is, if it could be called so."""
    called = {path: document.at((*path, "Properties", "FunctionName")) for path in functions}
    for path in functions:
        if path[-1] == name:
            return path
    for path, given in called.items():
        if given == name:
            return path
    if len(functions) == 1:
        [(path, given)] = called.items()
        return None if isinstance(given, str) else path
    return None


def _of_serverless(document: Document, name: str) -> Place | None:
    functions = dict(_serverless_functions(document))
    path = _serverless_named(functions, name)
    if path is None:
        return None
    found = _setting(document, [path, ("provider",)], "memorySize")
    return found or document.place(path, of_key=True)


def _serverless_functions(document: Document) -> Iterator[tuple[Path, dict[str, Value]]]:
    """The functions with their paths: a mapping, or a list of mappings."""
    written = document.at(("functions",))
    groups: list[Path] = [("functions",)]
    if isinstance(written, list):
        groups = [("functions", index) for index in range(len(written))]
    for group in groups:
        yield from _mappings(document, group)


def _serverless_named(functions: dict[Path, dict[str, Value]], name: str) -> Path | None:
    """By its key, by the name that it is given, or by `SERVICE-STAGE-KEY`."""
    for path in functions:
        if path[-1] == name:
            return path
    for path, function in functions.items():
        if function.get("name") == name:
            return path
    ending = [
        path
        for path, function in functions.items()
        if name.endswith(f"-{path[-1]}") and "name" not in function
    ]
    return max(ending, key=lambda path: len(str(path[-1])), default=None)


def _mappings(document: Document, path: Path) -> Iterator[tuple[Path, dict[str, Value]]]:
    found = document.at(path)
    for key, value in found.items() if isinstance(found, dict) else ():
        if isinstance(value, dict):
            yield (*path, key), value


def _setting(document: Document, mappings: list[Path], key: str) -> Place | None:
    """The key in the first of `mappings` that has it, itself or by a merge key."""
    for mapping in mappings:
        if (*mapping, key) in document.keys:
            return document.keys[*mapping, key]
        merged = (*mapping, "<<")
        for path, place in document.keys.items():
            if path[: len(merged)] == merged and path[-1] == key:
                return place
    return None
