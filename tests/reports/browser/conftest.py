"""One headless Chromium for all tests of a process, and a page of its own for each test.

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


@pytest.fixture
def open_page(browser: Browser, stories: Callable[[str], Path]) -> Iterator[Open]:
    """Opens a story or a file as a reader would, from disk and offline; `how` is the context's.

    Whatever a test does with a page: it asks for nothing, refuses nothing and says nothing.
    """
    contexts, pages = [], []

    def opened(what: str | Path, width: int = 1200, height: int = 900, **how: Any) -> Opened:
        how = {"offline": True, "reduced_motion": "reduce"} | how
        context = browser.new_context(viewport={"width": width, "height": height}, **how)
        contexts.append(context)
        context.add_init_script(PROBE)
        page = Opened(context.new_page())
        pages.append(page)
        page.go((stories(what) if isinstance(what, str) else what).as_uri())
        return page

    yield opened
    complaints = [complaint for page in pages for complaint in page.complaints()]
    for context in contexts:
        context.close()
    assert complaints == []
