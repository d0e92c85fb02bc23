"""Running pages without a browser."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from plain import plain
from streamlit.testing.v1 import AppTest

REPOSITORY = Path(__file__).resolve().parents[2]


def started(script: str = "pages/navigation.py", **query: str) -> AppTest:
    """A script of the repository after its first run, opened with a query in its address."""
    app = AppTest.from_file(str(REPOSITORY / script), default_timeout=120)
    app.query_params.update(query)
    return run(app)


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def heavy_imports(script: str, timeout: float | None = None, **environment: str) -> str:
    """Which of TensorFlow, Keras and MediaPipe a script imports, as a list in words.

    It runs in a process of its own, where what it asserts must hold.
    """
    script += (
        "\nimport sys\nprint(sorted({'tensorflow', 'keras', 'mediapipe'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def texts(app: AppTest) -> str:
    kinds = (app.title, app.header, app.markdown, app.caption, app.info, app.error, app.html)
    elements = [element for kind in kinds for element in kind]
    words = [str(getattr(e, "value", None) or e.proto.body) for e in elements]
    return plain("\n".join([*words, *clickable_tables(app)]))


def clickable_tables(app: AppTest) -> list[str]:
    """HTML of the tables whose rows are buttons."""
    components = [element.proto for element in app.get("bidi_component")]
    return [json.loads(c.json)["html"] for c in components if c.component_name == "clickable"]


def viewed(app: AppTest) -> list[dict]:
    """What each image viewer of a page shows."""
    components = [element.proto for element in app.get("bidi_component")]
    return [json.loads(c.json) for c in components if c.component_name == "image_viewer"]


def alts(app: AppTest) -> list[str]:
    """Of all images, then of those in viewers."""
    images = [image.alt for element in app.image for image in element.proto.imgs]
    return images + [data["alt"] for data in viewed(app)]


def made_up_cases(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """n cases of all splits, as predictions.csv has them but for the prediction."""
    age = rng.uniform(10, 220, n).round(1)
    return pd.DataFrame(
        {
            "id": [str(number) for number in range(n)],
            "split": ["train", "validation", "test"] * (n // 3),
            "sex": rng.choice(["female", "male"], n),
            "reference_months": age,
            "contrast": 50.0,
            "crop_method": "mediapipe",
        }
    )
