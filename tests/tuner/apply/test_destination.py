"""Where a size goes, as the command line says it."""

from __future__ import annotations

import pytest

from core.errors import InputError
from tuner.apply.destination import Destination, Shift, ShiftOptions, check_destination

NONE = ShiftOptions()


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        pytest.param("latest", NONE, Destination("latest"), id="latest"),
        pytest.param("alias=live", NONE, Destination("alias", "live"), id="alias"),
        pytest.param(
            "shift=live",
            NONE,
            Destination("shift", "live", Shift(0.1, 300.0)),
            id="a shift of a tenth for five minutes",
        ),
        pytest.param(
            "shift=v2-live",
            ShiftOptions("2.5%", 60.0, "curl -f 'http://x/a b'", ("a", "b")),
            Destination(
                "shift", "v2-live", Shift(0.025, 60.0, ("curl", "-f", "http://x/a b"), ("a", "b"))
            ),
            id="a shift with all options",
        ),
        pytest.param(
            "shift=live",
            ShiftOptions(share="0.5"),
            Destination("shift", "live", Shift(0.5, 300.0)),
            id="a share as a number",
        ),
    ],
)
def test_a_destination_is_read(text: str, given: ShiftOptions, expected: Destination) -> None:
    assert check_destination("--to", text, given) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        pytest.param("prod", NONE, "--to: expected latest, alias=NAME", id="a bare name"),
        pytest.param("version=3", NONE, "--to: expected latest, alias=NAME", id="a version"),
        pytest.param("latest=live", NONE, "--to: expected latest, alias=NAME", id="latest=..."),
        pytest.param("alias=", NONE, "expected the name of an alias", id="no name"),
        pytest.param("alias=7", NONE, "expected the name of an alias", id="a number"),
        pytest.param("shift=a b", NONE, "expected the name of an alias", id="a space"),
        pytest.param("shift=$LATEST", NONE, "expected the name of an alias", id="$LATEST"),
        pytest.param(
            "latest", ShiftOptions(share="10%"), "--shift-share: only used with", id="share"
        ),
        pytest.param(
            "alias=live", ShiftOptions(seconds=9.0), "--shift-seconds: only used", id="seconds"
        ),
        pytest.param("alias=live", ShiftOptions(check="true"), "--check: only used", id="check"),
        pytest.param("latest", ShiftOptions(alarms=("a",)), "--alarm: only used", id="alarm"),
        pytest.param("shift=live", ShiftOptions("0%"), "--shift-share: expected", id="nothing"),
        pytest.param("shift=live", ShiftOptions("51%"), "--shift-share: expected", id="over half"),
        pytest.param("shift=live", ShiftOptions("ten"), "--shift-share: expected", id="a word"),
        pytest.param(
            "shift=live", ShiftOptions(seconds=0.0), "--shift-seconds: expected", id="no time"
        ),
        pytest.param(
            "shift=live", ShiftOptions(seconds=float("nan")), "--shift-seconds", id="not a number"
        ),
        pytest.param(
            "shift=live", ShiftOptions(check="curl 'x"), "--check: expected a command", id="quote"
        ),
        pytest.param("shift=live", ShiftOptions(check=" "), "got nothing", id="no command"),
        pytest.param(
            "shift=live",
            ShiftOptions(check="no-such-command -x"),
            "--check: 'no-such-command': not found in PATH",
            id="a command that is not there",
        ),
        pytest.param("shift=live", ShiftOptions(alarms=("",)), "--alarm: expected", id="no alarm"),
    ],
)
def test_anything_else_is_refused_by_its_option(
    text: str, given: ShiftOptions, message: str
) -> None:
    with pytest.raises(InputError, match=message.replace("$", r"\$")):
        check_destination("--to", text, given)
