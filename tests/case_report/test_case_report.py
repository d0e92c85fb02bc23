from datetime import date

import pytest
from bad_files import dicom_bytes

from boneage.case_report.content import Child, case_report, interval_lines
from boneage.case_report.from_file import chronological_age, predict_case
from boneage.datasets.phantoms import draw_phantom
from boneage.errors import BoneAgeError
from boneage.formatting import age_in_words
from boneage.growth.entries import ImpossibleEntry
from boneage.growth.given_age import GivenAge
from boneage.inference.predictor import Predictor, UnknownSexError
from boneage.radiographs.reading import Radiograph, read_radiograph

REASON = "The image is in color."


def test_a_report_says_what_the_bone_age_means(case):
    """A boy of 12 years with a bone age of 13 years 9 months: 21 / 10.38 = 2.02 SD."""
    report = case_report(case(), Child(144.0), made_on=date(2026, 1, 31))
    rows = dict(report.rows)
    assert report.bone_age_months == pytest.approx(165)
    assert report.deviation.z == pytest.approx(21 / 10.38, abs=0.005)
    assert rows["Sex"] == "Male"
    assert rows["Chronological age"] == "12 years"
    assert rows["Standard deviation for age"] == "10.4 months (Brush Foundation)"
    assert rows["Bone age determination"] == "Advanced (+2.02 SD)"
    assert rows["Tiny DenseNet (tests)"] == "13 y 9 m"
    assert rows["Image quality check"] == "Passed"
    low, high = report.interval
    assert low < 165 < high
    assert interval_lines(report) == [
        f"{age_in_words(low)} to {age_in_words(high)}",
        "(90% prediction interval)",
    ]
    assert report.statements[0].startswith("**Advanced (+2.02 SD).** Bone age is 21 months ahead")
    assert "Brush Foundation study" in " ".join(report.methods)
    assert set(report.standards) == {"younger", "nearest", "older"}
    assert report.made_on == date(2026, 1, 31)


def test_models_are_named_with_fingerprint_and_training(case):
    report = case_report(case())
    methods = " ".join(report.methods)
    for name, facts in report.case.facts.items():
        print_ = report.fingerprints[name]
        assert f"{facts.title} (trained {facts.trained_on}, fingerprint {print_})" in methods
    assert report.fingerprints["ensemble"] in methods
    assert report.method == "Ensemble of Tiny DenseNet (tests) and Tiny ResNet+CBAM (tests)"


def test_a_single_model_is_no_ensemble(root, dicom):
    case = predict_case(Predictor("tiny_densenet"), read_radiograph(dicom), "hand.dcm")
    report = case_report(case)
    assert report.method == "Tiny DenseNet (tests)"
    assert "ensemble" not in " ".join(report.methods).lower()
    assert "Tiny DenseNet (tests)" not in dict(report.rows)  # nor is its bone age said twice


def test_without_an_age_nothing_is_compared(case):
    report = case_report(case())
    assert report.deviation is None
    assert report.statements == ()
    assert dict(report.rows)["Chronological age"] == "Not stated"
    assert "Bone age determination" not in dict(report.rows)


def test_outside_the_table_a_sentence_says_so(case):
    report = case_report(case(216), Child(228.0))
    assert report.deviation is None
    (sentence,) = report.statements
    assert sentence.startswith("Bone age is 12 months behind chronological age. The Brush")
    assert "no SD is given" in sentence


def test_adult_height_needs_an_age(case):
    """Boy, average, skeletal age 10-6, 140 cm: 140 / 0.795 = 176.1 cm."""
    report = case_report(case(126), Child(126.0, height_cm=140, mother_cm=165, father_cm=180))
    assert report.adult_height.cm == pytest.approx(176.1, abs=0.05)
    assert "**Predicted adult height: 176.1 cm**" in report.statements[1]
    assert "**Target height: 179.0 cm**" in report.statements[2]
    assert "Bayley N" in " ".join(report.methods)
    report = case_report(case(126), Child(height_cm=140))
    assert report.adult_height is None
    assert "chronological age" in report.statements[0]
    report = case_report(case(162), Child(186.0, height_cm=140))  # a delayed boy past 13 years
    assert report.adult_height is None
    assert "no adult height is predicted" in report.statements[1]


@pytest.mark.parametrize(
    "child", [Child(400.0), Child(-1.0), Child(126.0, height_cm=1700), Child(height_cm=1.7)]
)
def test_impossible_entries_are_refused(case, child):
    with pytest.raises(ImpossibleEntry):
        case_report(case(126), child)


def test_a_refused_radiograph_has_no_bone_age_and_means_nothing(case):
    report = case_report(case(refused=REASON), Child(144.0, height_cm=140))
    assert report.warning == "No bone age: refused by the image quality check."
    assert report.refusal == REASON
    assert (report.bone_age_months, report.interval, report.deviation) == (None, None, None)
    assert report.statements == () and report.adult_height is None and not report.standards
    rows = dict(report.rows)
    assert rows["Image quality check"] == "Refused"
    assert not {"Bone age determination", "Tiny DenseNet (tests)"} & set(rows)


def test_a_forced_bone_age_is_marked_and_has_no_interval(case):
    report = case_report(case(refused=REASON), Child(144.0), force=True)
    assert report.warning.endswith("the bone age is not reliable.")
    assert report.bone_age_months == pytest.approx(165)
    assert report.interval is None and interval_lines(report) == ["No prediction interval"]
    assert "prediction interval" not in " ".join(report.statements + report.remarks)


def test_remarks_name_another_sex_in_the_header(root, dicom):
    case = predict_case(Predictor(), read_radiograph(dicom), "hand.dcm", "female")
    assert "The DICOM header states male" in " ".join(case_report(case).remarks)


def test_of_both_hands_the_left_one_is_reported(root, phantom_shapes):
    import numpy as np

    hand = draw_phantom(120, "female", 1)  # a left hand, thumb to the right
    for film, left_first in ((np.hstack([hand, hand[:, ::-1]]), True),
                             (np.hstack([hand[:, ::-1], hand]), False)):  # fmt: skip
        case = predict_case(Predictor(), Radiograph(film, "PNG"), "both.png", "female")
        assert case.which == "left hand (probable)"
        assert len(case.others) == 1
        assert (case.prediction.hand.center[0] < case.others[0].center[0]) == left_first


def test_the_sex_must_be_known(root):
    with pytest.raises(UnknownSexError):
        predict_case(Predictor(), Radiograph(draw_phantom(120, "female"), "PNG"), "hand.png")


# The chronological age -----------------------------------------------------------------------


def _stating(**header) -> Radiograph:
    return read_radiograph(dicom_bytes(draw_phantom(96, "female", 1), **header))


def test_the_age_comes_from_what_is_given_and_else_from_the_header():
    stated = _stating(PatientAge="096M", StudyDate="20180101")
    assert chronological_age(stated, GivenAge()) == 96
    assert chronological_age(stated, GivenAge(114)) == 114
    assert chronological_age(stated, GivenAge(birth=date(2008, 1, 1))) == pytest.approx(
        120, abs=0.1
    )
    in_2020 = chronological_age(stated, GivenAge(birth=date(2008, 1, 1), study=date(2020, 1, 1)))
    assert in_2020 == pytest.approx(144, abs=0.1)
    assert chronological_age(_stating(), GivenAge()) is None
    assert chronological_age(_stating(PatientAge="040Y"), GivenAge()) is None  # no child's


def test_a_date_of_birth_needs_the_date_of_the_radiograph_after_it():
    with pytest.raises(BoneAgeError, match="--study-date"):
        chronological_age(_stating(), GivenAge(birth=date(2008, 1, 1)))
    with pytest.raises(ImpossibleEntry, match="before the date of birth"):
        chronological_age(_stating(StudyDate="20180101"), GivenAge(birth=date(2019, 1, 1)))
