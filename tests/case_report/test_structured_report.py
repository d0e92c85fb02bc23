"""The DICOM structured report, read back by pydicom, highdicom and DCMTK."""

import os
import shutil
import subprocess
from io import BytesIO

import pydicom
import pytest
from bad_files import dicom_bytes, shades
from highdicom.sr import EnhancedSR

from boneage import __version__
from boneage.case_report.content import Child, case_report
from boneage.case_report.source_image import NoSourceImage, read_source_image
from boneage.case_report.structured_report import NoBoneAge, as_structured_report


@pytest.fixture
def written(case, dicom):
    report = case_report(case(), Child(144.0, height_cm=150))
    return report, as_structured_report(report, read_source_image(dicom, "DICOM"))


def groups_of(content: bytes) -> list:
    document = EnhancedSR.from_dataset(pydicom.dcmread(BytesIO(content)))
    return document.content.get_image_measurement_groups()


def numbers(group) -> dict[str, float]:
    return {one.name.meaning: float(one.value) for one in group.get_measurements()}


def evaluations(group) -> dict[str, str]:
    return {one.name.meaning: one.value.meaning for one in group.get_qualitative_evaluations()}


def texts(content: bytes) -> list[str]:
    """All texts of a document, in its order."""
    document = pydicom.dcmread(BytesIO(content))
    return [str(element.value) for element in document.iterall() if element.keyword == "TextValue"]


def test_the_numbers_come_back(written):
    report, content = written
    ensemble, *models = groups_of(content)
    low, high = report.interval
    assert numbers(ensemble) == pytest.approx(
        {
            "Skeletal age": 165,
            "Lower limit of prediction interval": low,
            "Upper limit of prediction interval": high,
            "Level of prediction interval": 90,
            "Subject Age": 144,
            "Standard deviation of population": 10.38,
            "Z-Score of measurement": 21 / 10.38,
            "Predicted adult height": report.adult_height.cm,
        },
        abs=0.005,
    )
    assert evaluations(ensemble) == {
        "Subject Sex": "Male",
        "Image quality check": "Passed",
        "Source of standard deviation for age": "Brush Foundation",
        "Bone age determination": "Advanced",
    }
    assert [numbers(group) for group in models] == [{"Skeletal age": 165}] * 2
    assert ensemble.finding_type.value == "RDES14"


def test_it_belongs_to_the_patient_and_names_its_image(written):
    document = pydicom.dcmread(BytesIO(written[1]))
    assert document.SOPClassUID == pydicom.uid.EnhancedSRStorage
    assert (str(document.PatientName), document.PatientID) == ("Müller^Jörg", "MRN 4711")
    assert (document.PatientBirthDate, document.PatientSex) == ("20060102", "M")
    assert (document.StudyInstanceUID, document.AccessionNumber) == ("1.2.3.5", "ACC 12")
    (study,) = document.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    (image,) = series.ReferencedSOPSequence
    assert (study.StudyInstanceUID, series.SeriesInstanceUID) == ("1.2.3.5", "1.2.3.6")
    assert image.ReferencedSOPInstanceUID == "1.2.3.4"
    for group in groups_of(written[1]):
        (source,) = group.source_images
        assert source.referenced_sop_instance_uid == "1.2.3.4"
    assert document.SeriesInstanceUID != "1.2.3.6" and document.SOPInstanceUID != "1.2.3.4"


def test_it_says_what_made_it_and_that_nobody_verified_it(written):
    report, content = written
    document = pydicom.dcmread(BytesIO(content))
    assert (document.PreliminaryFlag, document.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    assert document.SoftwareVersions == __version__
    scheme = document.CodingSchemeIdentificationSequence[0]
    assert scheme.CodingSchemeDesignator == "99BONEAGE"
    words = texts(content)
    assert any("Not a medical device" in text for text in words)
    assert any(text.startswith("Advanced (+2.02 SD). Bone age") for text in words)
    for name, facts in report.case.facts.items():
        assert facts.title in words
        assert f"Model fingerprint {report.fingerprints[name]}" in words


def test_dcmtk_reads_it_without_an_error(written, tmp_path):
    dsrdump = shutil.which("dsrdump")
    if not dsrdump:
        if os.environ.get("BONEAGE_REQUIRE_BROWSER") == "1":
            pytest.fail("dsrdump is missing: install dcmtk")
        pytest.skip("no dsrdump here: install dcmtk")
    path = tmp_path / "report.dcm"
    path.write_bytes(written[1])
    read = subprocess.run(
        [dsrdump, "+Pl", str(path)], capture_output=True, encoding="utf-8", check=True
    )
    # Of Unicode it says that it cannot check the values.
    assert not [line for line in read.stderr.splitlines() if line.startswith(("E:", "F:"))]
    assert '"165' in read.stdout
    for words in ("Skeletal age", "Bone age determination", '99BONEAGE,"Advanced"', "RDES14"):
        assert words in read.stdout


def test_a_refused_bone_age_is_not_written_unless_forced(case, dicom):
    image = read_source_image(dicom, "DICOM")
    refused = case(refused="The image is in color.")
    with pytest.raises(NoBoneAge, match="refused this radiograph. The image is in color."):
        as_structured_report(case_report(refused), image)
    forced = as_structured_report(case_report(refused, Child(144.0), force=True), image)
    (group, *_) = groups_of(forced)
    assert evaluations(group)["Image quality check"] == "Refused"
    assert "Lower limit of prediction interval" not in numbers(group)
    assert any("not reliable" in text for text in texts(forced))


# The source image ----------------------------------------------------------------------------


def test_only_a_dicom_file_can_be_named():
    with pytest.raises(NoSourceImage, match="is a PNG image"):
        read_source_image(b"", "PNG")


@pytest.mark.parametrize("uid", ["", "1.2.x", "1." * 40 + "1"])
@pytest.mark.filterwarnings("ignore")  # while the test writes wrong values
def test_a_missing_or_wrong_uid_gets_a_sentence(uid):
    content = dicom_bytes(shades(), StudyInstanceUID=uid, SeriesInstanceUID="1.2.3")
    with pytest.raises(NoSourceImage, match="no valid Study Instance UID"):
        read_source_image(content, "DICOM")


@pytest.mark.filterwarnings("ignore")
def test_a_header_against_the_standard_is_left_out_and_named_in_no_log(case, caplog, capsys):
    caplog.set_level("DEBUG")
    content = dicom_bytes(
        shades(), StudyInstanceUID="1.2.3.5", SeriesInstanceUID="1.2.3.6", PatientName="Roe^R",
        PatientBirthDate="Roe^2010", StudyTime="Roe", PatientID="Roe" * 40, PatientSex="Roe",
        SpecificCharacterSet="Roe",
    )  # fmt: skip
    caplog.clear()
    image = read_source_image(content, "DICOM")
    document = pydicom.dcmread(BytesIO(as_structured_report(case_report(case()), image)))
    assert str(document.PatientName) == "Roe^R"
    for keyword in ("PatientBirthDate", "StudyTime", "PatientID", "PatientSex"):
        assert not document.get(keyword)
    assert "Roe" not in caplog.text + "".join(capsys.readouterr())


def test_what_a_file_lacks_is_empty(case):
    content = dicom_bytes(shades(), StudyInstanceUID="1.2.3.5", SeriesInstanceUID="1.2.3.6")
    image = read_source_image(content, "DICOM")
    document = pydicom.dcmread(BytesIO(as_structured_report(case_report(case()), image)))
    assert str(document.PatientName) == "Nobody^Real"
    assert not document.PatientID and not document.StudyDate
