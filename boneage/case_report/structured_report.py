"""The case report as a DICOM structured report: TID 1500, Measurement Report (DICOM PS3.16).

What has a code in DICOM, LOINC, SNOMED CT or UCUM has that code. The rest has codes of its own,
scheme 99BONEAGE, with meanings after the elements of RadElement set RDES14.
"""

import io
import uuid
from collections.abc import Iterable

from highdicom import UID
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    DeviceObserverIdentifyingAttributes,
    EnhancedSR,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from boneage import __version__
from boneage.case_report.content import DISCLAIMER, NOT_RELIABLE, CaseReport
from boneage.errors import BoneAgeError
from boneage.growth.reference import SD_TABLES
from boneage.models.registry import ENSEMBLE

SCHEME = "99BONEAGE"
_PROCEDURE = CodedConcept("37362-1", "LN", "Bones X-ray bone age")
_FINDING = CodedConcept("RDES14", "RADELEMENT", "Pediatric bone age")
_MEANINGS = {
    "SKELETAL_AGE": "Skeletal age",
    "LOW": "Lower limit of prediction interval",
    "HIGH": "Upper limit of prediction interval",
    "LEVEL": "Level of prediction interval",
    "DETERMINATION": "Bone age determination",
    "DELAYED": "Delayed",
    "NORMAL": "Normal",
    "ADVANCED": "Advanced",
    "SD_TABLE": "Source of standard deviation for age",
    "BRUSH_FOUNDATION": SD_TABLES["brush_foundation"],
    "GREULICH_PYLE": SD_TABLES["greulich_pyle"],
    "QUALITY_CHECK": "Image quality check",
    "PASSED": "Passed",
    "REFUSED": "Refused",
    "ADULT_HEIGHT": "Predicted adult height",
}


class NoBoneAge(BoneAgeError):
    """A report without a bone age; str() is one sentence for people."""


def as_structured_report(report: CaseReport, image: Dataset) -> bytes:
    """Write a report as an Enhanced SR object of the study of its image.

    Args:
        report: what it says.
        image: the radiograph, of `source_image.read_source_image`.

    Returns:
        The DICOM file. It is preliminary and not verified, and repeats patient and study of the
        image.

    Raises:
        NoBoneAge: the quality check refused the radiograph.
    """
    if report.bone_age_months is None:
        raise NoBoneAge(
            "A structured report needs a bone age, and the image quality check refused this "
            f"radiograph. {report.refusal}"
        )
    observer = DeviceObserverIdentifyingAttributes(
        _device_uid(), name="boneage", manufacturer_name="boneage", model_name="boneage"
    )
    context = ObservationContext(
        observer_device_context=ObserverContext(codes.DCM.Device, observer)
    )
    content = MeasurementReport(
        context, _PROCEDURE, [_findings(report, image), *_of_each_model(report, image)]
    )
    for sentence in _comments(report):
        content[0].ContentSequence.append(
            TextContentItem(codes.DCM.Comment, sentence, RelationshipTypeValues.CONTAINS)
        )
    document = EnhancedSR(
        [image],
        content[0],
        series_instance_uid=UID(),
        series_number=1,
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer="boneage",
        manufacturer_model_name="boneage",
        software_versions=__version__,
        series_description="Bone age (research)",
        is_complete=True,
        coding_schemes=[
            CodingSchemeIdentificationItem(
                SCHEME, "Codes of the boneage software", responsible_organization="boneage"
            )
        ],
        specific_character_set="ISO_IR 192",
    )
    file = io.BytesIO()
    document.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _findings(report: CaseReport, image: Dataset) -> MeasurementsAndQualitativeEvaluations:
    """The bone age, and what it means."""
    assert report.bone_age_months is not None  # noqa: S101
    numbers = [_months(_code("SKELETAL_AGE"), report.bone_age_months)]
    if report.interval:
        low, high = report.interval
        numbers += [
            _months(_code("LOW"), low),
            _months(_code("HIGH"), high),
            Measurement(_code("LEVEL"), _decimal(100 * report.level), codes.UCUM.Percent),
        ]
    age, found = report.child.chronological_age_months, report.deviation
    if age is not None:
        numbers.append(_months(codes.DCM.SubjectAge, age))
    sex = codes.DCM.Female if report.case.prediction.sex == "female" else codes.DCM.Male
    evaluations = [
        QualitativeEvaluation(codes.DCM.SubjectSex, sex),
        QualitativeEvaluation(
            _code("QUALITY_CHECK"), _code("REFUSED" if report.refusal else "PASSED")
        ),
    ]
    if found:
        numbers += [
            _months(codes.DCM.StandardDeviationOfPopulation, found.sd_months),
            Measurement(
                codes.DCM.ZScoreOfMeasurement, _decimal(found.z, digits=4), codes.UCUM.NoUnits
            ),
        ]
        evaluations += [
            QualitativeEvaluation(_code("SD_TABLE"), _code(found.table.upper())),
            QualitativeEvaluation(_code("DETERMINATION"), _code(found.status.upper())),
        ]
    if height := report.adult_height:
        numbers.append(
            Measurement(_code("ADULT_HEIGHT"), _decimal(height.cm), codes.UCUM.Centimeter)
        )
    name = ENSEMBLE if len(report.case.facts) > 1 else next(iter(report.case.facts))
    return _group(report, image, name, report.method, numbers, evaluations)


def _of_each_model(
    report: CaseReport, image: Dataset
) -> list[MeasurementsAndQualitativeEvaluations]:
    """The bone age of each model of an ensemble."""
    ages = report.case.prediction.ages
    return [
        _group(
            report,
            image,
            name,
            report.case.facts[name].title,
            [_months(_code("SKELETAL_AGE"), ages[name])],
        )
        for name in report.case.facts
        if len(report.case.facts) > 1
    ]


def _group(
    report: CaseReport,
    image: Dataset,
    name: str,
    title: str,
    numbers: list[Measurement],
    evaluations: list[QualitativeEvaluation] | None = None,
) -> MeasurementsAndQualitativeEvaluations:
    source = SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)
    return MeasurementsAndQualitativeEvaluations(
        TrackingIdentifier(UID(), f"Bone age, {title}"),
        finding_type=_FINDING,
        finding_sites=[FindingSite(codes.SCT.HandStructure)],
        algorithm_id=AlgorithmIdentification(
            title, __version__, parameters=[f"Model fingerprint {report.fingerprints[name]}"]
        ),
        measurements=numbers,
        qualitative_evaluations=evaluations,
        source_images=[source],
    )


def _comments(report: CaseReport) -> Iterable[str]:
    yield DISCLAIMER
    if report.refusal:
        yield f"{NOT_RELIABLE} {report.refusal}"
    for sentence in (*report.statements, *report.remarks, *report.methods):
        yield sentence.replace("**", "")


def _code(value: str) -> CodedConcept:
    return CodedConcept(value, SCHEME, _MEANINGS[value])


def _months(name: CodedConcept, months: float) -> Measurement:
    return Measurement(name, _decimal(months), codes.UCUM.Month)


def _decimal(number: float, digits: int = 2) -> float:
    """A number as it is written down, which DICOM limits to 16 characters."""
    return round(float(number), digits)


def _device_uid() -> str:
    """One UID for each version of the software."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'boneage {__version__}').int}"
