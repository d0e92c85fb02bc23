"""The whole way in a real browser: file in, ages and painted maps out."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from boneage.datasets.phantoms import draw_phantom

REPOSITORY = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# No sandbox, as containers offer none; no GPU and no calls home.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
MAPS = "img[alt^='Grad-CAM of'], img[alt^='Spatial attention of']"
# True once there are six maps, all painted, none of them one of those seen before.
NEW_MAPS = """
    ([selector, before]) => {
        const maps = [...document.querySelectorAll(selector)];
        return maps.length === 6 && maps.every(
            map => map.complete && map.naturalWidth > 0 && !before.includes(map.src)
        );
    }
"""


def unavailable(reason: str) -> None:
    """Skip, or fail where the browser is required."""
    if os.environ.get("BONEAGE_REQUIRE_BROWSER") == "1":
        pytest.fail(f"BONEAGE_REQUIRE_BROWSER is 1, but {reason}")
    pytest.skip(reason)


@pytest.fixture
def page():
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        unavailable("playwright is not installed (pip install -r tests/requirements.txt)")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        unavailable(f"no browser is installed: none of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        yield page
        browser.close()


@pytest.fixture
def address(tiny_artifacts, tmp_path):
    """The app, served on a free port of this computer only."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"headless": "true", "port": port, "address": "127.0.0.1"}
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += [f"--server.{name}={value}" for name, value in options.items()]
    log = tmp_path / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=output)
        try:
            wait_for(port, server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def wait_for(port: int, server: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"The app did not start: {log.read_text()[-2000:]}")


@pytest.fixture
def phantom(tmp_path):
    path = tmp_path / "phantom hand.png"
    Image.fromarray(draw_phantom(108, "male", seed=1)).save(path)
    return path


# `page` comes first, so that without a browser no server is started.
def test_upload_predict_and_look_inside(page, address, phantom):
    page.goto(address)
    page.locator("input[type=file]").set_input_files(phantom)
    page.get_by_text("Choose the sex to see the bone age.").wait_for()
    page.get_by_text("Male", exact=True).click()
    page.get_by_text("Mean of both models").wait_for()
    page.get_by_text("Channel attention", exact=True).wait_for()
    for title in ("Tiny DenseNet (tests)", "Tiny ResNet+CBAM (tests)"):
        assert page.get_by_text(title, exact=True).first.is_visible()
    page.wait_for_function(NEW_MAPS, arg=[MAPS, []])
    on_crop = page.locator(MAPS).evaluate_all("maps => maps.map(map => map.src)")
    page.get_by_text("On the radiograph", exact=True).click()
    page.wait_for_function(NEW_MAPS, arg=[MAPS, on_crop])
    assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0
    assert "Traceback" not in page.locator("body").inner_text()
