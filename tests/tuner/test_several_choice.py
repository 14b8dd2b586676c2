"""Which functions are meant, with which events and which part of the limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ExitCode, InputError
from tests.tuner.run_rig import tune_options
from tuner.budget import Limits
from tuner.several.asked import SeveralAsked, check_asked, single
from tuner.several.choosing import chosen
from tuner.several.events import Events, events_of, requests_of
from tuner.several.listed import Listed
from tuner.several.plan_view import grouped
from tuner.several.results import SEVERITY, most_severe
from tuner.several.shares import Used, check_shared, most_part, part_of

LISTED = (
    Listed("Pay", "shop-pay", "t.yaml:1:1"),
    Listed("Order", "shop-order", "t.yaml:2:1"),
    Listed("Mail", None, "t.yaml:3:1", "nobody knows"),
)
KNOWN = LISTED[:2]


@pytest.mark.parametrize(
    ("only", "leave_out", "keys"),
    [
        pytest.param([], ["Mail"], ["Pay", "Order"], id="all but one"),
        pytest.param(["Pay"], [], ["Pay"], id="by its name in the template"),
        pytest.param(["shop-order"], [], ["Order"], id="by its name on AWS"),
        pytest.param(["shop-*"], ["Pay"], ["Order"], id="by a pattern, but one"),
        pytest.param(["Pay", "O?der"], [], ["Pay", "Order"], id="by two"),
    ],
)
def test_patterns_choose_by_either_name(only, leave_out, keys) -> None:
    assert [function.key for function in chosen(LISTED, only, leave_out)] == keys


@pytest.mark.parametrize(
    ("only", "leave_out", "message"),
    [
        pytest.param(
            ["pay"], [], r"--only: .*got 'pay', there is Pay \(shop-pay\), Order", id="no"
        ),
        pytest.param([], ["X"], "--except: expected the name of a function", id="nothing to leave"),
        pytest.param(["Pay"], ["Pay"], "--except: expected to leave a function", id="none left"),
        pytest.param(
            [],
            [],
            r"^t.yaml:3:1: Mail: its name on AWS is not known from the file: nobody knows "
            r"\(--stack STACKNAME reads .* --except Mail",
            id="a name that is not known",
        ),
    ],
)
def test_a_choice_that_cannot_be_is_named(only, leave_out, message) -> None:
    with pytest.raises(InputError, match=message):
        chosen(LISTED, only, leave_out)


@pytest.mark.parametrize(
    ("asked", "given", "message"),
    [
        (SeveralAsked(("a", "b", "a")), {}, r"each function once \(got 'a' twice\)"),
        (SeveralAsked(("a", "b:1")), {}, "without a version or alias"),
        (SeveralAsked(("a", "b c")), {}, r"expected a function name or ARN \(got 'b c'\)"),
        (SeveralAsked(("a", "b"), only=("a",)), {}, "--only: only used with --stack"),
        (SeveralAsked(("a", "b"), leave_out=("a",)), {}, "--except: only used with --stack"),
        (SeveralAsked(("a", "b"), stage="x"), {}, "--stage: only used with --stack"),
        (SeveralAsked(("a",), stack="s"), {}, "either functions or --stack"),
        (SeveralAsked(stack=""), {}, "--stack: expected a template"),
        (SeveralAsked(("a", "b")), {"arch": "both"}, "--arch: expected one function"),
        (SeveralAsked(("a", "b")), {"arch_function": "c"}, "--arch-function: expected one"),
        (SeveralAsked(("a", "b")), {"apply": "latest"}, "--apply: .*tune apply RUN"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_go_together_is_named(asked, given, message) -> None:
    with pytest.raises(InputError, match=message):
        check_asked(asked, tune_options("", **given))


def test_one_function_has_one_event() -> None:
    assert single(SeveralAsked(("a",), payloads=("x.json",))) == ("a", "x.json", None)
    with pytest.raises(InputError, match=r"--payload: expected once .*got 2"):
        single(SeveralAsked(("a",), payloads=("x.json", "y.json")))
    with pytest.raises(InputError, match="--stage: only used with --stack"):
        single(SeveralAsked(("a",), stage="prod"))


@pytest.mark.parametrize(
    ("asked", "text", "events"),
    [
        pytest.param({}, None, [Events(), Events()], id="none"),
        pytest.param({"payloads": ("e.json",)}, None, [Events("e.json")] * 2, id="one for all"),
        pytest.param(
            {"payloads": ("e.json", "Pay=p.json")},
            None,
            [Events("p.json"), Events("e.json")],
            id="its own",
        ),
        pytest.param(
            {"payloads": ("shop-order=o=1.json",)},
            "[1]",
            [Events(text="[1]"), Events("o=1.json")],
            id="its own beside text",
        ),
        pytest.param(
            {"payloads": ("e.json",), "payload_files": ("Order=mix.json",)},
            None,
            [Events("e.json"), Events(None, "mix.json")],
            id="several of its own",
        ),
        pytest.param(
            {"payloads": ("s3://bucket/a=b/e.json",)},
            None,
            [Events("s3://bucket/a=b/e.json")] * 2,
            id="s3 with an equals sign",
        ),
        pytest.param(
            {"payloads": ("dir/a=b.json",)}, None, [Events("dir/a=b.json")] * 2, id="a path"
        ),
    ],
)
def test_events_are_for_all_or_for_one(asked, text, events) -> None:
    options = tune_options("", payload_text=text)

    assert list(events_of(SeveralAsked(**asked), options, KNOWN)) == events


@pytest.mark.parametrize(
    ("payloads", "message"),
    [
        (("Paid=p.json",), "NAME=FILE with one of shop-pay, shop-order .got 'Paid=p.json'"),
        (("Pay=a", "shop-pay=b"), "once for a function .got 'shop-pay' twice"),
        (("a.json", "b.json"), "one for all functions, others as NAME=FILE"),
    ],
)
def test_events_that_belong_to_nobody_are_named(payloads, message) -> None:
    with pytest.raises(InputError, match=f"--payload: expected {message}"):
        events_of(SeveralAsked(payloads=payloads), tune_options(""), KNOWN)


def test_a_file_with_an_equals_sign_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a=b.json").write_text("1")

    events = events_of(SeveralAsked(payloads=("a=b.json",)), tune_options(""), KNOWN)

    assert events == (Events("a=b.json"),) * 2


def test_an_arn_has_events_by_its_name_too() -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:pay"
    listed = (Listed(arn, arn, "FUNCTION"), Listed("b", "b", "FUNCTION"))
    for name in (arn, "pay"):
        asked = SeveralAsked(payloads=(f"{name}=p.json",))
        assert events_of(asked, tune_options(""), listed)[0] == Events("p.json")


def test_events_of_all_are_read_once_and_all_draw_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.json").write_text("[2]")
    read: list[str] = []
    original = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, *how, **more: (read.append(path.name), original(path, *how, **more))[1],
    )
    common, own = Events(str(tmp_path / "p.json")), Events(text="[3]")

    first, second, third = requests_of(tune_options("a", seed=None), [common, own, common])

    assert (first.payloads.contents, second.payloads.contents) == ((b"[2]",), (b"[3]",))
    assert first is third
    assert read.count("p.json") == 1
    assert first.seed == second.seed


def test_words_of_events_show_no_event() -> None:
    shown = [Events(), Events("-"), Events("a/b.json"), Events(None, "m.json"), Events(text='"x"')]

    assert [one.words for one in shown] == ["{}", "stdin", "b.json", "m.json", "--payload-json"]


def test_what_one_leaves_goes_to_the_next() -> None:
    limits = Limits(60, 3.0, 90.0)

    assert part_of(limits, Used(), 3) == Limits(20, 1.0, 30.0)
    assert part_of(limits, Used(10, 0.5, 10.0), 2) == Limits(25, 1.25, 40.0)
    assert part_of(limits, Used(25, 1.0, 40.0), 1) == Limits(35, 2.0, 50.0)
    assert part_of(Limits(), Used(10, 0.5, 10.0), 2) == Limits()


@pytest.mark.parametrize("used", [Used(60), Used(usd=3.0), Used(seconds=91.0), Used(59)])
def test_nothing_that_is_left_is_no_part(used: Used) -> None:
    assert part_of(Limits(60, 3.0, 90.0), used, 2) is None


@given(
    st.integers(1, 30).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.integers(count, 1000),
            st.lists(st.floats(0, 1), min_size=count, max_size=count),
        )
    )
)
def test_all_together_never_have_more_than_the_limit(drawn: tuple[int, int, list[float]]) -> None:
    count, most, shares = drawn
    used = 0
    for position, share in enumerate(shares):
        part = part_of(Limits(most), Used(used), count - position)
        assert part is not None
        allowed = part.max_invocations or 0
        assert 1 <= allowed <= (most_part(Limits(most), position, count).max_invocations or 0)
        used += round(share * allowed)
    assert used <= most


def test_each_function_must_be_able_to_have_a_call() -> None:
    check_shared(Limits(2), 2)
    with pytest.raises(InputError, match=r"at least one for each of 3 functions \(got 2\)"):
        check_shared(Limits(2), 3)


def test_the_most_severe_exit_code_is_that_of_all() -> None:
    assert set(SEVERITY) == set(ExitCode)
    for index, code in enumerate(SEVERITY):
        assert most_severe(SEVERITY[index:]) == most_severe(SEVERITY[index:][::-1]) == code
    assert most_severe([]) == ExitCode.PASS


def test_what_is_said_of_all_is_said_once_without_names() -> None:
    told = [("a", "x"), ("b", "x"), ("a", "y"), ("a", "y")]

    assert list(grouped(told, 2)) == ["x", "a: y"]
    assert list(grouped(told, 3)) == ["a and b: x", "a: y"]
