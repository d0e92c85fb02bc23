"""A radiograph predicted by the tiny models, whose bone age a test may set."""

import dataclasses
import shutil

import pytest
from bad_files import dicom_bytes
from made_up_atlas import write_atlas

from boneage.case_report.from_file import predict_case
from boneage.datasets.phantoms import draw_phantom
from boneage.inference.predictor import Predictor
from boneage.quality.checks import Refusal
from boneage.radiographs.reading import read_radiograph

IDENTITY = {
    "PatientName": "Müller^Jörg",
    "PatientID": "MRN 4711",
    "PatientBirthDate": "20060102",
    "PatientSex": "M",
    "PatientAge": "144M",
    "StudyDate": "20180101",
    "AccessionNumber": "ACC 12",
    "StudyInstanceUID": "1.2.3.5",
    "SeriesInstanceUID": "1.2.3.6",
    "SpecificCharacterSet": "ISO_IR 100",
}


@pytest.fixture(scope="session")
def _root(calibrated_artifacts, tmp_path_factory):
    root = tmp_path_factory.mktemp("reported") / "artifacts"
    shutil.copytree(calibrated_artifacts, root)
    write_atlas(root / "atlas", ages=range(132, 181, 12))
    return root


@pytest.fixture(autouse=True)
def root(_root, monkeypatch):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(_root))
    return _root


@pytest.fixture(scope="session")
def dicom() -> bytes:
    return dicom_bytes(draw_phantom(144, "male", 1), **IDENTITY)


@pytest.fixture(scope="session")
def _case(_root, dicom):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BONEAGE_ARTIFACTS", str(_root))
        return predict_case(Predictor(), read_radiograph(dicom), "hand.dcm")


@pytest.fixture
def case(_case):
    """A boy's hand, with a function that sets its bone age, 165 months, and more."""

    def changed(months: float = 165.0, refused: str = "", **changes):
        refusal = Refusal("color", refused) if refused else None
        prediction = dataclasses.replace(
            _case.prediction, months=dict.fromkeys(_case.prediction.months, months), refusal=refusal
        )
        return dataclasses.replace(_case, prediction=prediction, **changes)

    return changed
