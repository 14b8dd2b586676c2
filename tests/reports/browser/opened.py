"""A page in the browser, and all that it said, asked for and refused meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page


class Opened:
    """A page with a record of its console, its requests, its errors and its dialogs."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.forget()
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", self._dismiss)

    def forget(self) -> None:
        """Begins a new record."""
        self.said: list[str] = []
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        self.provoked = False

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def go(self, url: str) -> None:
        """Opens an address."""
        self.page.goto(url)

    def refusals(self) -> list[str]:
        """What the page's own policy refused."""
        return list(self.page.evaluate("window.refusals ?? []"))

    def complaints(self) -> list[str]:
        """All that a page must not do, unless a test made it."""
        if self.provoked:
            return []
        asked = [url for url in self.requests if url != self.page.url]
        return [*self.said, *self.refusals(), *self.dialogs, *asked]

    def run(self, script: str, argument: Any = None) -> Any:
        """The value of a function in the page."""
        return self.page.evaluate(script, argument)

    def open_details(self) -> None:
        """Opens all that is folded away."""
        self.run("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
