"""No state of any page is wider than a narrow phone, or breaks a rule of axe-core, where words are longest."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

from tests.serving.e2e.walk import SCREENS, faults, sites, walk


def test_no_state_of_any_page_has_a_fault(browser: Browser, tmp_path: Path) -> None:
    found = []
    with sites(tmp_path) as parts:
        for part in parts:
            for name, page in walk(browser, part, **SCREENS["narrow"], locale="de", color_scheme="dark"):
                found += [f"{name}: {fault}" for fault in faults(page)]
    assert found == []
