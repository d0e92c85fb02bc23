"""The app in Chromium, each page on a fresh server."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measuring import REPOSITORY, Row, in_short

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# As for the tests: containers offer no sandbox and no GPU.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--disable-dev-shm-usage"]
# Milliseconds since the page was opened: of the last click, of the first other age and the first
# chart after it, and of the last change.
WATCH = """
    const age = () => [...document.querySelectorAll("[data-testid=stHtml] div")]
        .find(div => div.textContent.trim() === "Ensemble")?.nextElementSibling?.textContent;
    const chart = () => document.querySelector(".js-plotly-plot :is(.trace, canvas)");
    window.seen = { clicked: 0 };
    const note = () => {
        seen.changed = performance.now();
        if (!seen.age && age() && age() !== seen.before) seen.age = seen.changed;
        if (!seen.chart && chart()) seen.chart = seen.changed;
    };
    const clicked = () => { seen = { clicked: performance.now(), before: age() }; };
    addEventListener("click", clicked, true);
    const all = { subtree: true, childList: true, attributes: true, characterData: true };
    new MutationObserver(note).observe(document, all);
    document.addEventListener("load", note, true);  // of images
"""
COMPLETE = """() => seen.changed && performance.now() - seen.changed > 1500
    && document.querySelector("[data-test-script-state=notRunning]")"""


def is_available() -> bool:
    """Whether playwright and Chromium are installed."""
    return bool(CHROMIUM and importlib.util.find_spec("playwright"))


def app(repeats: int) -> list[Row]:
    """Samples on Predict; a link to Error analysis and a filter there."""
    seconds: dict[str, list[float]] = {}

    def wait_and_note(page: Any, **steps: str) -> None:
        page.wait_for_function(COMPLETE, polling=100)
        seen = page.evaluate("seen")
        for moment, what in steps.items():
            seconds.setdefault(what, []).append((seen[moment] - seen["clicked"]) / 1000)

    for _ in range(repeats):
        with _opened("") as page:
            samples = page.locator("[class*='st-key-sample-'] button")
            samples.first.wait_for()
            for number, order in enumerate(("first", "second")):
                wait_and_note(page)
                samples.nth(number).click()
                what = f"Predict, click on the {order} sample to"
                wait_and_note(page, age=f"{what} bone age", changed=f"{what} complete page")
        with _opened("error_analysis") as page:
            what = "Error analysis, link to"
            wait_and_note(page, chart=f"{what} first chart", changed=f"{what} complete page")
            page.get_by_text("Boys", exact=True).first.click()
            wait_and_note(page, changed="Error analysis, click on a filter to complete page")
    return [{"": what, "s": in_short(values, 2)} for what, values in seconds.items()]


@contextmanager
def _opened(name: str) -> Iterator[Any]:
    """A page of the app, just opened."""
    sys.path.append(str(REPOSITORY / "tests" / "browser"))
    from playwright.sync_api import sync_playwright
    from serving import served

    with (
        TemporaryDirectory() as folder,
        served(REPOSITORY / "artifacts", Path(folder, "log")) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(300_000)
        page.add_init_script(WATCH)
        page.goto(f"{address}/{name}")
        yield page
        browser.close()
