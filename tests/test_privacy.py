"""An upload stays in memory: it is written nowhere, sent nowhere and named in no log."""

import dataclasses
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from bad_files import dicom_bytes, image_file
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from boneage.datasets.phantoms import draw_phantom
from boneage.radiographs.contrast import count_gray_levels
from boneage.radiographs.reading import Radiograph, read_radiograph

REPOSITORY = Path(__file__).resolve().parents[1]
NAME = "Roe^Richarda"  # of the patient; every file below holds it, and is named after it

# Predicts from the files named, after one prediction has imported and loaded everything. Prints
# what happens meanwhile: files opened for writing, connections, processes.
_PREDICT = """
import json, logging, os, sys
from pathlib import Path
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, force=True)
from boneage.inference.predictor import Predictor
from boneage.radiographs.reading import UnreadableRadiograph

predictor = Predictor()
warm_up, *files = map(Path, sys.argv[1:])
predictor.predict(warm_up, "female")
events = []

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if set(mode or "") & set("wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR):
            events.append([event, str(path)])
    elif event.startswith(("socket.", "subprocess.", "tempfile.", "os.mkdir", "os.rename",
                           "os.system", "os.fork", "os.posix_spawn", "os.exec", "shutil.")):
        events.append([event, repr(arguments)])

sys.addaudithook(watch)
for file in files:
    for source in (file, file.read_bytes()):
        try:
            predictor.predict(source, "female")
        except UnreadableRadiograph as refusal:
            print(str(refusal).replace(file.name, ""))
sockets = [link for link in Path("/proc/self/fd").glob("*") if "socket" in str(link.resolve())]
print(json.dumps([events, len(sockets)]))
"""


@pytest.fixture(scope="module")
def uploads(tmp_path_factory) -> list[Path]:
    """Files that say of whom they are in every place where a file can."""
    folder = tmp_path_factory.mktemp("uploads")
    hand = draw_phantom(96, "female", 1)
    image, text, exif = Image.fromarray(hand), PngInfo(), Image.Exif()
    for field in ("Title", "Author", "Description"):
        text.add_text(field, NAME)
    exif[270] = exif[315] = NAME  # ImageDescription, Artist
    dicom = dicom_bytes(
        hand,
        PatientName=NAME,
        PatientID=NAME,
        OtherPatientNames=NAME,
        PatientComments=NAME,
        PatientBirthDate="20100101",
        StudyDate="20180101",
        PatientSex="F",
        PatientAge="Roe^",
        SpecificCharacterSet=NAME,  # pydicom quotes one that it does not know
    )
    contents = {
        "dcm": dicom,
        "broken.dcm": dicom[: len(dicom) // 2],
        "png": image_file("PNG", image, pnginfo=text),
        "jpg": image_file("JPEG", image, exif=exif, comment=NAME),
        "tif": image_file("TIFF", image, tiffinfo={270: NAME, 315: NAME}),
        "webp": image_file("WEBP", image.convert("RGB"), exif=exif),
    }
    for ending, content in contents.items():
        assert b"Roe" in content
        (folder / f"{NAME}.{ending}").write_bytes(content)
    (folder / "warm-up.dcm").write_bytes(dicom_bytes(hand))
    return sorted(folder.iterdir())


@pytest.mark.filterwarnings("ignore")  # while the test writes wrong values
def test_predicting_writes_sends_and_logs_nothing(tiny_artifacts, uploads, tmp_path):
    home = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    *files, warm_up = uploads
    run = subprocess.run(
        [sys.executable, "-B", "-W", "always", "-c", _PREDICT, str(warm_up), *map(str, files)],
        cwd=REPOSITORY,
        env={**os.environ, **home, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    events, sockets = json.loads(run.stdout.splitlines()[-1])
    assert events == []
    assert sockets == 0
    assert "Roe" not in run.stdout + run.stderr
    # Nor by anything that is not Python.
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in written if b"Roe" in path.name.encode() + path.read_bytes()]


def test_of_a_dicom_header_only_sex_age_and_study_date_are_kept():
    drawn = draw_phantom(96, "female", 1)
    content = dicom_bytes(drawn, PatientName=NAME, PatientSex="F", PatientAge="096M")
    radiograph = read_radiograph(content)
    kept = dataclasses.asdict(radiograph)
    pixels = kept.pop("pixels")
    info = kept.pop("info")
    assert "Roe" not in repr(info) and info["compression"] == "Explicit VR Little Endian"
    of_pixels = {"color": 0.0, "gray_levels": count_gray_levels(drawn)}
    of_header = {"file_type": "DICOM", "sex": "female", "age_months": 96, "inverted": False}
    of_header["study_date"] = None
    assert kept == of_header | of_pixels
    assert set(vars(radiograph)) == {field.name for field in dataclasses.fields(Radiograph)}
    # The pixels are an array of its own, not a view that would keep the whole file.
    assert pixels.dtype == np.uint8 and radiograph.pixels.base is None


def test_streamlit_sends_no_statistics():
    settings = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text())
    assert settings["browser"]["gatherUsageStats"] is False


# What is loaded cannot bring code ---------------------------------------------------------------

# Ruff forbids the other ways, see `banned-api` in pyproject.toml; these it cannot tell.
_RUNS_CODE = re.compile(
    r"(?<![.\w])(eval|exec|compile|__import__)\b|allow_pickle\s*=(?!\s*False\b)"
)


def test_no_file_can_bring_code():
    sources = [*REPOSITORY.glob("boneage/**/*.py"), *REPOSITORY.glob("pages/**/*.py")]
    assert len(sources) > 100
    found = {
        path.name: match
        for path in [*sources, REPOSITORY / "app.py"]
        if (match := _RUNS_CODE.search(path.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    ["np.load(path, allow_pickle=True)", "eval(text)", "run = exec", "__import__(name)"],
)
def test_a_way_to_bring_code_is_found(line):
    assert _RUNS_CODE.search(line)


@pytest.mark.parametrize("line", ["np.load(path, allow_pickle=False)", 're.compile("a")'])
def test_what_brings_no_code_is_allowed(line):
    assert not _RUNS_CODE.search(line)


def test_ruff_forbids_what_loads_code():
    program = """
import keras, pandas as pd, tensorflow as tf
import pickle
import shelve
import torch.nn
from joblib import load
from keras.models import load_model
from keras import layers; layers.Lambda(f)
keras.saving.load_model(path)
pd.read_pickle(path)
tf.saved_model.load(path)
eval(text)
exec(text)
"""
    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select=S,TID251", "--output-format=json",
         "--stdin-filename=boneage/loads.py", "-"],
        cwd=REPOSITORY,
        input=program,
        capture_output=True,
        text=True,
    )  # fmt: skip
    found = {violation["location"]["row"] for violation in json.loads(ruff.stdout)}
    assert found == set(range(3, len(program.splitlines()) + 1))
