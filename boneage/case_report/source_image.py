"""What a DICOM file says of the patient, the study and itself: a structured report must repeat it.

Nothing else of the package reads these elements, and only the structured report holds them.
"""

import io
import warnings
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from boneage.errors import BoneAgeError

_UIDS = {
    "SOPClassUID": "SOP Class UID",
    "SOPInstanceUID": "SOP Instance UID",
    "StudyInstanceUID": "Study Instance UID",
    "SeriesInstanceUID": "Series Instance UID",
}
# Of the patient and the study, which a report shares with its image (DICOM PS3.3, A.35.1).
_SHARED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


class NoSourceImage(BoneAgeError):
    """A file that a structured report cannot name; str() is one sentence for people."""


def read_source_image(content: bytes, file_type: str) -> Dataset:
    """Read what a structured report repeats of its image.

    Args:
        content: of a file from which a radiograph was read.
        file_type: of that radiograph, such as "DICOM" or "PNG".

    Returns:
        The elements of patient, study, series and instance, in Unicode; one that the file lacks, or
        that is not as the standard asks, is empty.

    Raises:
        NoSourceImage: the file is no DICOM file, or lacks a UID.
    """
    if file_type != "DICOM":
        raise NoSourceImage(
            f"A structured report belongs to a DICOM image, and this file is a {file_type} image; "
            "use the PDF, or open the DICOM file of this radiograph."
        )
    keywords = [*_UIDS, *_SHARED, "SpecificCharacterSet"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote the patient
        header = pydicom.dcmread(
            io.BytesIO(content), stop_before_pixels=True, force=True, specific_tags=keywords
        )
        image = Dataset()
        for keyword in _UIDS:
            uid = UID(str(_value(header, keyword)))
            if not uid.is_valid:
                raise NoSourceImage(
                    f"The DICOM file has no valid {_UIDS[keyword]}, so a structured report cannot "
                    "name it; use the PDF, or export the radiograph again."
                )
            setattr(image, keyword, uid)
        for keyword in _SHARED:
            _keep(image, keyword, _value(header, keyword))
    return image


def _value(header: Dataset, keyword: str) -> Any:
    """The value of an element; "" where there is none, or none that can be decoded."""
    try:
        return header.get(keyword) or ""
    except Exception:  # pydicom and codecs raise almost anything on a broken element
        return ""


def _keep(image: Dataset, keyword: str, value: Any) -> None:
    """Set an element where its value is as the standard asks, else set it empty."""
    try:
        element = pydicom.DataElement(
            keyword, pydicom.datadict.dictionary_VR(keyword), value,
            validation_mode=pydicom.config.RAISE,
        )  # fmt: skip
    except Exception:  # see _value
        setattr(image, keyword, "")
    else:
        image.add(element)
