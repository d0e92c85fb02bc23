"""The README's command: the start of the server."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def test_imports_and_models_are_loaded_before_anybody_opens_a_page(tiny_artifacts):
    script = (
        "import asyncio, sys, threading\n"
        "import app\n"
        "load, loading, models = app.load, threading.Event(), threading.Event()\n"
        "def seen():\n"
        "    if hasattr(sys.modules.get('pandas'), 'Series'):\n"
        "        loading.set()\n"
        "app.load = seen\n"
        "async def start():\n"
        "    async with app.lifespan(app.app):\n"
        "        assert await asyncio.to_thread(loading.wait, 20)\n"
        "asyncio.run(start())\n"
        "from pages import radiographs\n"
        "radiographs.Predictor = lambda names: models.set()\n"
        "load()\n"
        "assert 'boneage.error_analysis.report' in sys.modules and models.wait(60)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=True, timeout=300)


def test_the_app_starts_without_asking_for_anything(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    # A screen, as without one Streamlit asks nothing; a home without its files, nobody at the
    # keyboard, and no browser to be opened.
    environment = {**os.environ, "DISPLAY": ":0", "HOME": str(tmp_path), "BROWSER": "true"}
    with (tmp_path / "log").open("w+") as log:
        server = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            assert answers(port, server), (tmp_path / "log").read_text()
        finally:
            server.kill()
            server.wait()
    assert "mail" not in (tmp_path / "log").read_text().lower()


def answers(port: int, server: subprocess.Popen) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False
