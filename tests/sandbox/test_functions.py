"""Function folders: how they are read and packed, and what the bundled ones do."""

from __future__ import annotations

import base64
import io
import json
import random
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from execution_rig import call, payload, version

from core.errors import InputError
from sandbox import bundled
from sandbox.bundled import bundled_functions, read_function_folder

EVENTS_DIR = Path(__file__).parents[2] / "profiles" / "events"
FUNCTIONS = {folder.name: folder for folder in bundled_functions()}
OWN_RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


def folder_with(path, settings, code="def handler(event, context):\n    return 1\n"):
    text = settings if isinstance(settings, str) else json.dumps(settings)
    (path / "function.json").write_text(text)
    (path / "handler.py").write_text(code)
    return path


def spec_of(folder, **changes):
    return version(
        folder.path,
        folder.handler,
        **{
            "function_name": folder.name,
            "runtime": folder.runtime,
            "memory_mb": folder.memory_mb,
            "timeout_s": 60,
            "environment": folder.environment,
        }
        | changes,
    )


def test_the_bundled_functions_are_there():
    assert list(FUNCTIONS) == [
        "checkout",
        "create-order",
        "hash-parallel",
        "lookup",
        "report-sort",
        "resize-large",
        "thumbnail",
        "thumbnail-arm64",
    ]


def event_of(name):
    """A function of the other architecture does the same work, so it has the same event."""
    return EVENTS_DIR / f"{name.removesuffix('-arm64')}.json"


def test_both_thumbnails_have_one_code_and_two_architectures():
    pair = FUNCTIONS["thumbnail"], FUNCTIONS["thumbnail-arm64"]
    assert [folder.arch for folder in pair] == ["x86_64", "arm64"]
    one, other = (zipfile.ZipFile(io.BytesIO(folder.zip_bytes)) for folder in pair)
    assert one.read("handler.py") == other.read("handler.py")
    assert pair[0].memory_mb == pair[1].memory_mb


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundled_function_can_be_deployed_as_it_is(name):
    folder = FUNCTIONS[name]
    assert folder.description
    assert folder.runtime == OWN_RUNTIME
    assert 128 <= folder.memory_mb <= 10240
    with zipfile.ZipFile(io.BytesIO(folder.zip_bytes)) as archive:
        assert archive.namelist() == ["handler.py"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_bundled_function_answers_no_event_and_its_own(name):
    event = json.loads(event_of(name).read_text())
    results = call(spec_of(FUNCTIONS[name], memory_mb=2048), {}, event)
    assert [result.function_error for result in results] == [None, None]


def test_each_function_has_an_event():
    assert [name for name in FUNCTIONS if not event_of(name).exists()] == []


@pytest.mark.parametrize(
    ("name", "too_small_mb", "enough_mb"), [("report-sort", 128, 256), ("resize-large", 256, 512)]
)
def test_memory_hungry_functions_fail_below_their_size(name, too_small_mb, enough_mb):
    [killed] = call(spec_of(FUNCTIONS[name], memory_mb=too_small_mb), {}, cpu_model="off")
    assert killed.report.error_type == "Runtime.OutOfMemory"
    [passed] = call(spec_of(FUNCTIONS[name], memory_mb=enough_mb), {}, cpu_model="off")
    assert passed.function_error is None
    assert too_small_mb < passed.report.max_memory_used_mb < enough_mb


def test_the_thumbnail_is_a_picture():
    [result] = call(spec_of(FUNCTIONS["thumbnail"]), {})
    answer = payload(result)
    png = base64.b64decode(answer["png"])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    pixels = zlib.decompress(png[png.index(b"IDAT") + 4 : -16])
    assert len(pixels) == answer["height"] * (answer["width"] + 1)


def test_checkout_prices_the_cart_of_its_event():
    event = json.loads((EVENTS_DIR / "checkout.json").read_text())
    [result] = call(spec_of(FUNCTIONS["checkout"]), event)
    answer = payload(result)
    assert answer["statusCode"] == 201
    net = 19.99 * 2 + 4.50 * 5 + 129.00
    assert 0.9 * net * 1.2 - 0.01 <= float(json.loads(answer["body"])["total"]) <= net * 1.2


def test_lookup_finds_the_item_of_its_path():
    event = json.loads((EVENTS_DIR / "lookup.json").read_text())
    quick = {"DOWNSTREAM_MS": "1"}
    [result] = call(spec_of(FUNCTIONS["lookup"], environment=quick), event)
    assert json.loads(payload(result)["body"])["id"] == "42"


def test_a_folder_is_read_with_defaults(tmp_path):
    path = tmp_path / "my-function"
    path.mkdir()
    folder = read_function_folder(
        folder_with(path, {"runtime": "python3", "handler": "handler.handler"})
    )
    assert folder.name == "my-function"
    assert folder.runtime == OWN_RUNTIME
    assert folder.memory_mb == 128
    assert folder.timeout_s == 3
    assert folder.environment == {}
    assert folder.arch == "x86_64"


def test_other_runtimes_stay_as_they_are_written(tmp_path):
    settings = {"runtime": "nodejs22.x", "handler": "index.handler", "environment": {"A": "1"}}
    folder = read_function_folder(folder_with(tmp_path, settings))
    assert folder.runtime == "nodejs22.x"
    assert folder.environment == {"A": "1"}


GOOD = {"runtime": "python3", "handler": "handler.handler"}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("{", "Invalid JSON"),
        ("[]", "function.json: "),
        ({"handler": "a.b"}, "runtime: is missing"),
        (GOOD | {"memory": 128}, "memory: Extra inputs are not permitted (got 128)"),
        (GOOD | {"memory_mb": 64}, "memory_mb: Input should be greater than or equal to 128"),
        (GOOD | {"memory_mb": "128"}, "memory_mb: Input should be a valid integer (got '128')"),
        (GOOD | {"timeout_s": 901}, "timeout_s: Input should be less than or equal to 900"),
        (GOOD | {"environment": {"A": 1}}, "environment.A: Input should be a valid string"),
        (GOOD | {"arch": "arm"}, "arch: Input should be 'x86_64' or 'arm64' (got 'arm')"),
        (GOOD | {"handler": ""}, "handler: String should have at least 1 character"),
    ],
)
def test_a_bad_function_json_is_refused_with_file_and_key(tmp_path, settings, problem):
    with pytest.raises(InputError) as caught:
        read_function_folder(folder_with(tmp_path, settings))
    assert str(caught.value).startswith(f"{tmp_path / 'function.json'}: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize("exists", [True, False], ids=["an empty folder", "no folder"])
def test_a_folder_without_function_json_is_refused(tmp_path, exists):
    path = tmp_path if exists else tmp_path / "absent"
    with pytest.raises(InputError, match=r"there is no function\.json \(it says at least"):
        read_function_folder(path)


def test_a_function_json_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "function.json").mkdir()
    with pytest.raises(InputError, match="could not read"):
        read_function_folder(tmp_path)


def test_equal_folders_give_equal_zips(tmp_path):
    zips = []
    for name in ("one", "two"):
        path = tmp_path / name
        (path / "lib" / "__pycache__").mkdir(parents=True)
        (path / "lib" / "__pycache__" / "x.pyc").write_bytes(name.encode())
        (path / "lib" / "function.json").write_text("{}")
        (path / "bootstrap").write_text("#!/bin/sh\n")
        (path / "bootstrap").chmod(0o755)
        zips.append(read_function_folder(folder_with(path, GOOD)).zip_bytes)
    assert zips[0] == zips[1]
    with zipfile.ZipFile(io.BytesIO(zips[0])) as archive:
        assert archive.namelist() == ["bootstrap", "handler.py", "lib/function.json"]
        modes = [info.external_attr >> 16 for info in archive.infolist()]
    assert modes == [0o100755, 0o100644, 0o100644]


UTF_8_ONLY = sys.platform == "darwin"  # its file systems refuse other names themselves


@pytest.mark.parametrize(
    "name", ["my fn", "a.b", "ä", "x" * 65, *([] if UTF_8_ONLY else ["b\udcff"])]
)
def test_a_folder_whose_name_no_function_can_have_is_refused(tmp_path, name):
    path = tmp_path / name
    path.mkdir()
    with pytest.raises(InputError) as caught:
        read_function_folder(folder_with(path, GOOD))
    assert str(caught.value).startswith(f"{path}: the name of the folder becomes that of the ")
    assert "rename the folder" in str(caught.value)


def test_a_relative_folder_has_the_name_of_what_it_is(tmp_path, monkeypatch):
    path = tmp_path / "my-function"
    path.mkdir()
    monkeypatch.chdir(folder_with(path, GOOD))
    assert read_function_folder(Path()).name == "my-function"


@pytest.mark.skipif(UTF_8_ONLY, reason="there are no such names")
def test_a_file_name_that_is_not_utf_8_is_refused(tmp_path):
    (tmp_path / "caf\udce9.py").write_text("")
    with pytest.raises(InputError) as caught:
        read_function_folder(folder_with(tmp_path, GOOD))
    assert str(caught.value) == (
        rf"{tmp_path}: a zip cannot hold the file name b'caf\xe9.py': it is not UTF-8 "
        "(rename the file)"
    )


@pytest.mark.parametrize(
    ("limit_name", "limit", "kind"),
    [("MAX_ZIPPED_BYTES", 3000, "zipped"), ("MAX_UNZIPPED_BYTES", 5000, "unzipped")],
)
def test_a_folder_that_is_too_large_is_refused(tmp_path, monkeypatch, limit_name, limit, kind):
    folder_with(tmp_path, GOOD, "")
    (tmp_path / "data").write_bytes(random.Random(1).randbytes(2000))
    monkeypatch.setattr(bundled, limit_name, limit)
    assert read_function_folder(tmp_path).zip_bytes
    (tmp_path / "more").write_bytes(random.Random(2).randbytes(4000))
    with pytest.raises(InputError) as caught:
        read_function_folder(tmp_path)
    assert str(caught.value).startswith(
        f"{tmp_path}: the package of the function must have at most {limit} bytes {kind} (got 6"
    )


def test_a_file_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    folder_with(tmp_path, GOOD)
    monkeypatch.setattr(bundled, "_code_files", lambda folder: iter([folder / "gone.py"]))
    with pytest.raises(InputError, match=r"could not read .*/gone\.py: No such file"):
        read_function_folder(tmp_path)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("nonsense", "Expecting value"),
        ("[]", "at least one item"),
        ('{"items": [{"quantity": 1}]}', "has a sku"),
        ('{"items": [{"sku": "A", "quantity": 0}]}', "from 1 to 1000"),
    ],
    ids=["not JSON", "no order", "no sku", "no quantity"],
)
def test_an_order_that_cannot_be_is_the_clients_fault(body, said):
    [result] = call(spec_of(FUNCTIONS["create-order"]), {"body": body})
    answer = payload(result)
    assert (answer["statusCode"], result.function_error) == (400, None)
    assert said in json.loads(answer["body"])["message"]


def test_an_order_has_a_number_by_what_is_in_it():
    event = json.loads((EVENTS_DIR / "create-order.json").read_text())
    quick = spec_of(FUNCTIONS["create-order"], environment={"STORE_MS": "0"})
    first, second, other = (payload(result) for result in call(quick, event, event, {}))
    assert first["statusCode"] == 201
    assert first == second != other
