"""Writes docs/images/report.png: the top of the demo's report, as a reader sees it first."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

_ROOT = Path(__file__).resolve().parents[1]
_WIDTH_PX, _HEIGHT_PX = 1440, 1100
_MAX_BYTES = 400_000


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
        page.wait_for_load_state("networkidle")
        screenshot = page.screenshot()
        browser.close()
    picture.write_bytes(_small(screenshot))


def _small(png: bytes) -> bytes:
    """Return the picture with as many colours as its file may have bytes for; text stays sharp, unlike in a JPEG."""
    for n_colours in (256, 192, 128, 96, 64):
        file = io.BytesIO()
        Image.open(io.BytesIO(png)).convert("RGB").quantize(n_colours, dither=Image.Dither.NONE).save(
            file, "PNG", optimize=True
        )
        if file.tell() <= _MAX_BYTES:
            return file.getvalue()
    sys.exit(f"The picture is larger than {_MAX_BYTES:,} bytes even with {n_colours} colours. Make it lower.")


if __name__ == "__main__":
    main()
