"""The site is built and served for its tests, and looked at in the system's Chromium."""

import fcntl
import http.server
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HTML = DOCS / "_build" / "html"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With SITE_REQUIRED=1 what would be skipped, for want of a browser say, fails."""
    report = yield
    if report.skipped and os.environ.get("SITE_REQUIRED"):
        report.outcome, report.longrepr = "failed", f"SITE_REQUIRED: {call.excinfo.value}"
    return report


@pytest.fixture(scope="session")
def html():
    """The folder of the built site; a warning fails. Workers of one run wait for the first."""
    pytest.importorskip("sphinx", reason="the site's tests need the extra site-tests")
    run, built = os.environ.get("PYTEST_XDIST_TESTRUNUID", ""), HTML.parent / "built-by"
    HTML.parent.mkdir(exist_ok=True)
    with built.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not run or built.read_text() != run:
            command = [sys.executable, DOCS / "build.py", "--quick"]
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
            assert done.returncode == 0, done.stderr + done.stdout
            built.write_text(run)
    return HTML


@pytest.fixture(scope="session")
def address(html):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=html))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if not found:
        pytest.skip("the system has no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=found)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, address):
    """A page that fails the test if it complains, or asks for anything elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    one, wrong = context.new_page(), []
    one.on("console", lambda said: said.type in ("error", "warning") and wrong.append(said.text))
    one.on("pageerror", lambda error: wrong.append(str(error)))
    one.on("request", lambda asked: asked.url.startswith(address) or wrong.append(asked.url))
    one.on("response", lambda came: came.status < 400 or wrong.append(f"{came.status} {came.url}"))
    yield one
    context.close()
    assert not wrong
