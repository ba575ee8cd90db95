"""Take the pictures of the pages for README and docs: `portal demo`, opened in Chromium. Run it as `make pictures`."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FOLDER = Path(__file__).parents[1] / "docs" / "images"
PORTAL = str(Path(sys.executable).with_name("portal"))
PHONE, DESK = 390, 1100

PICTURES = {
    "dashboard": ("", DESK, 560, "light"),
    "dashboard-phone": ("", PHONE, 760, "dark"),
    "quote": ("/quotes/Q-1045", DESK, 900, "light"),
    "invoice": ("/invoices", DESK, 620, "light"),
    "statement": ("/statement", DESK, 900, "light"),
}
"""For each file: the page, the width and height of the window, the scheme."""


def main() -> None:
    """Take all of them."""
    FOLDER.mkdir(exist_ok=True)
    with subprocess.Popen([PORTAL, "demo", "--port", "8199"], stdout=subprocess.PIPE, text=True) as demo:  # noqa: S603 - ours
        try:
            assert demo.stdout is not None  # noqa: S101 - it is a pipe
            link = next(line.strip() for line in demo.stdout if "/p/" in line)
            time.sleep(3)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                for name in PICTURES:
                    _take(browser, link, name)
                browser.close()
        finally:
            demo.terminate()


def _take(browser: Browser, link: str, name: str) -> None:
    path, width, height, scheme = PICTURES[name]
    dark = scheme == "dark"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light")
    page = context.new_page()
    page.goto(link + path)
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()


if __name__ == "__main__":
    main()
