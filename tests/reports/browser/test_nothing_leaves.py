"""A page asks for nothing, refuses nothing and says nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape

import pytest

from tests.reports.browser.stories import STORIES


@pytest.mark.parametrize("name", ["story", "comparison"])
def test_a_page_is_one_file_without_a_word(open_page, name):
    opened = open_page(name)
    assert opened.requests == [opened.page.url]
    assert opened.said == []
    assert opened.refusals() == []


def test_what_a_page_would_say_is_heard(open_page):
    opened = open_page("tuning")
    opened.provoked = True
    opened.run("() => console.log('heard')")
    opened.run(
        """() => document.body.append(Object.assign(document.createElement("script"),
        {textContent: "1"}))"""
    )
    opened.run(
        """() => document.body.append(Object.assign(new Image(),
        {src: "http://127.0.0.1:9/x.png"}))"""
    )
    opened.page.wait_for_function("refusals.length === 2")
    assert "heard" in opened.said
    assert {refusal.split()[0] for refusal in opened.refusals()} == {"script-src-elem", "img-src"}


def test_the_policy_allows_the_one_script_by_its_hash():
    html = STORIES["story"]()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in unescape(policy.group(1)).split(";"))
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == 1
    assert scripts[0][0] == ""
    digest = hashlib.sha256(scripts[0][1].encode()).digest()
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"
