"""A real browser and the app it opens."""

import importlib.util
import os
import shutil

import pytest
from serving import served

# The first has no windows, whose frames cost more than the pages in them.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# No sandbox, as containers offer none; WebGL without a GPU; no calls home.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]

WAIT_MS = 180_000  # for one step, on a machine that has much else to do


def unavailable(reason: str) -> None:
    """Skip, or fail where the browser is required."""
    if os.environ.get("BONEAGE_REQUIRE_BROWSER") == "1":
        pytest.fail(f"BONEAGE_REQUIRE_BROWSER is 1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def program() -> str:
    """The browser; without it, no test here starts anything."""
    if importlib.util.find_spec("playwright") is None:
        unavailable("playwright is not installed (pip install -r tests/requirements.txt)")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        unavailable(f"no browser is installed: none of {', '.join(BROWSERS)}")
    return program


# Not for the session: while playwright runs, its thread is inside an event loop, and other tests
# need one of their own.
@pytest.fixture(scope="module")
def browser(program):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    yield page
    context.close()


@pytest.fixture(scope="session")
def expect(program):
    """Playwright's assertions, which wait: what is read once may be read too early."""
    from playwright.sync_api import expect

    expect.set_options(timeout=WAIT_MS)
    return expect


@pytest.fixture(scope="session")
def settled(expect):
    """Waits until a page is complete."""

    def wait(page):
        expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", "notRunning")

    return wait


@pytest.fixture(scope="session")
def expect_no_error(expect, settled):
    """Waits until a page is complete, and checks that it shows no error."""

    def check(page):
        settled(page)
        expect(page.locator("[data-testid=stException]")).to_have_count(0)
        expect(page.locator("[data-testid=stAlertContentError]")).to_have_count(0)

    return check


@pytest.fixture(scope="session")
def address(program, _tiny_artifacts_folder, tmp_path_factory):
    """The app with both tiny models; a server for all tests, as each page has its own session."""
    with served(_tiny_artifacts_folder, tmp_path_factory.mktemp("server") / "log") as address:
        yield address
