"""One headless Chromium for all tests of a process, and one window that they use in turn.

The browser is the machine's own: `chromium` on the path, or the one that LPT_BROWSER names. Where
there is none, these tests are skipped, and say so; with LPT_BROWSER=required, as CI sets it, that
is an error.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.reports.browser.opened import Opened
from tests.reports.browser.stories import STORIES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REQUIRED = "required"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Runs before a page's own script: what its policy refuses, and whether a reader sees a part of it.
# Chromium says of what a drawing hides that it is visible, so its style is asked.
PROBE = """
window.refusals = [];
document.addEventListener("securitypolicyviolation", event =>
  refusals.push(`${event.violatedDirective} ${event.blockedURI}`));
window.isSeen = node => node.checkVisibility({visibilityProperty: true})
  && !node.closest("svg [display=none]");
"""

Open = Callable[..., Opened]


def _missing(what: str) -> None:
    """Skips a test for want of a browser, or fails it where one is required."""
    if os.environ.get("LPT_BROWSER") == REQUIRED:
        pytest.fail(f"{what}, and LPT_BROWSER is {REQUIRED}", pytrace=False)
    pytest.skip(what)


def _found() -> str | None:
    asked = os.environ.get("LPT_BROWSER", REQUIRED)
    names = NAMES if asked == REQUIRED else (asked,)
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def _started() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop] | str]:
    """The browser and the loop of its driver, or why there is none."""
    path = _found()
    if path is None:
        yield f"no browser on the path ({', '.join(NAMES)})"
        return
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        yield f"could not import playwright, the browser's driver: {error}"
        return
    with sync_playwright() as driver:
        loop = asyncio.get_running_loop()
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        asyncio._set_running_loop(None)
        yield browser, loop
        asyncio._set_running_loop(loop)
        browser.close()
    asyncio._set_running_loop(None)


@pytest.fixture
def browser(_started: tuple[Browser, asyncio.AbstractEventLoop] | str) -> Iterator[Browser]:
    """The running browser.

    Its driver marks its loop as running between calls. Tests of other things run loops too, so the
    mark stands only during tests with a browser.
    """
    if isinstance(_started, str):
        _missing(_started)
    started, loop = _started
    asyncio._set_running_loop(loop)
    yield started
    asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes a page once for all tests of the process and says where it is."""
    folder = tmp_path_factory.mktemp("pages")

    def written(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            path.write_text(STORIES[name](), encoding="utf-8")
        return path

    return written


@pytest.fixture(scope="session")
def _windows() -> list[Opened]:
    """The window that tests use in turn, once there is one: a new one takes half a second."""
    return []


def _new_window(browser: Browser, **how: Any) -> Opened:
    """An offline window without movement; `how` is its context's."""
    context = browser.new_context(offline=True, reduced_motion="reduce", **how)
    context.add_init_script(PROBE)
    return Opened(context.new_page())


@pytest.fixture
def window(browser: Browser, _windows: list[Opened]) -> Opened:
    """The window, as if no test had used it before: its next page knows of none before it."""
    if not _windows:
        _windows.append(_new_window(browser))
    (window,) = _windows
    window.page.emulate_media(media="null", color_scheme="light")
    window.page.mouse.move(0, 0)
    # A test that opens nothing here would be told what the page before it refused.
    window.go("about:blank")
    window.forget()
    return window


@pytest.fixture
def open_page(browser: Browser, window: Opened, stories: Callable[[str], Path]) -> Iterator[Open]:
    """Opens a story or a file as a reader would, from disk and offline.

    `how` is that of a window of its own; without it, it is the one that tests use in turn.
    Whatever a test does with a page: it asks for nothing, refuses nothing and says nothing.
    """
    own: list[Opened] = []

    def opened(what: str | Path, width: int = 1200, height: int = 900, **how: Any) -> Opened:
        used = window
        if how:
            used = _new_window(browser, **how)
            own.append(used)
        used.page.set_viewport_size({"width": width, "height": height})
        used.go((stories(what) if isinstance(what, str) else what).as_uri())
        return used

    yield opened
    complaints = [complaint for used in (window, *own) for complaint in used.complaints()]
    for used in own:
        used.page.context.close()
    assert complaints == []
