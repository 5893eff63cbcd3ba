"""Writes docs/images/report.png: the top of the demo's report, as a reader sees it first."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

_ROOT = Path(__file__).resolve().parents[1]
_WIDTH_PX, _HEIGHT_PX = 1440, 1100


def main() -> None:
    """Run the demo in a temporary folder and take the picture with the Chromium of the system."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is missing. Run: sudo apt-get install chromium")
    picture = _ROOT / "docs" / "images" / "report.png"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        program = Path(sys.executable).with_name("firstsight")
        subprocess.run([program, "demo", "--no-open", "--quiet", "-o", Path(folder) / "demo"], check=True)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": _WIDTH_PX, "height": _HEIGHT_PX}, color_scheme="light", locale="en-GB"
        )
        page.goto((Path(folder) / "demo" / "report.html").as_uri())
        page.locator("#photos").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('#photos').scrollIntoView()")
        page.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
