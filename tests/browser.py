"""A browser on the pages as the product serves them: `relais web` as a process, in front of it Debian's chromium, without its
windows where it comes so."""

import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import SECRET_KEY
from tests.ports import free_port
from tests.story.conftest import House, product_environment, stop

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
]
WAIT_MS = 20_000  # for what a page does next: long enough for a machine that does much else


@contextmanager
def chromium() -> Iterator["Browser"]:
    """While it is open, Django's database must not be used in this thread: Playwright runs a loop in it."""
    from playwright.sync_api import expect, sync_playwright

    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    assert path, "there is no chromium: `make test` says how to get it"
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(dsn: str, folder: Path) -> Iterator[str]:
    """The pages on that database; their URL without the last slash."""
    port = free_port()
    environment = product_environment() | {
        "RELAIS_DATABASE_URL": dsn,
        "RELAIS_SECRET_KEY": SECRET_KEY,
        "RELAIS_DATA_DIR": str(folder),
        "RELAIS_WEB_PORT": str(port),
        "RELAIS_WEB_OPS_PORT": str(free_port()),
        "RELAIS_LOG_FORMAT": "json",
    }
    url = f"http://127.0.0.1:{port}"
    house = House(folder, environment, "", "", 0)
    process = house.start("web")
    try:
        house.until(lambda: answers(url))
        yield url
    finally:
        stop(process)


def answers(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/bo/log-in/", timeout=30) as answer:
        return answer.status == 200
