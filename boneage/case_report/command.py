"""The verb report-case of the command line: its options, and what it does with them.

Imports what it needs when it runs, so that `--help` answers at once.
"""

import argparse
import sys
from pathlib import Path

from boneage.errors import BoneAgeError
from boneage.growth.entries import parse_height
from boneage.growth.options import add_child_options, entry, given_age
from boneage.radiographs.frame_options import add_frame_options, given_frame
from boneage.sexes import SEXES


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all options but the choice of the model."""
    parser.add_argument("file", metavar="FILE", help="the radiograph; of both hands, the left one")
    parser.add_argument("--sex", choices=SEXES, help="default: as stated in the DICOM header")
    add_child_options(parser)
    for parent in ("mother", "father"):
        parser.add_argument(
            f"--{parent}",
            type=entry(parse_height),
            metavar="CM",
            help=f"the {parent}'s height, for the target height",
        )
    add_frame_options(parser)
    parser.add_argument("--label", default="", metavar="TEXT", help="printed above the file name")
    parser.add_argument(
        "--force",
        action="store_true",
        help="also give the bone age of a radiograph that the quality check refuses; not reliable",
    )
    parser.add_argument(
        "--out",
        metavar="FILE.pdf",
        help="the PDF file to write (default: in this folder, named after the radiograph)",
    )
    parser.add_argument(
        "--dicom-sr",
        metavar="FILE.dcm",
        help="also write a DICOM structured report; it repeats name, identifiers and dates of the "
        "patient and the study from the DICOM file of the radiograph, to which it belongs",
    )


def write_case_report(options: argparse.Namespace) -> bool:
    """Write the PDF and, where it was asked for, the structured report.

    Args:
        options: of `add_options`, and the model.

    Returns:
        Whether the radiograph was read and passed the quality check.

    Raises:
        BoneAgeError: an option is impossible, or a file cannot be written.
    """
    from boneage.atomic import replace_file
    from boneage.case_report.content import Child, case_report
    from boneage.case_report.from_file import chronological_age, predict_case
    from boneage.case_report.pdf import as_pdf
    from boneage.inference.predictor import Predictor
    from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

    if (options.mother is None) != (options.father is None):
        raise BoneAgeError("Give both --mother and --father, or neither.")
    given, file = given_age(options), Path(options.file)
    frame = given_frame(options, [options.file])
    try:
        radiograph = read_radiograph(file)
    except UnreadableRadiograph as error:
        print(error, file=sys.stderr)
        return False
    if options.dicom_sr:
        from boneage.case_report.source_image import read_source_image
        from boneage.case_report.structured_report import as_structured_report

        image = read_source_image(file.read_bytes(), radiograph.file_type)
    age = chronological_age(radiograph, given)
    child = Child(age, options.sd_table, options.height, options.mother, options.father)
    predictor = Predictor(options.model, local=options.calibration)
    case = predict_case(predictor, radiograph, file.name, options.sex, options.label, frame)
    report = case_report(case, child, force=options.force)
    out = Path(options.out or f"{file.stem}-bone-age.pdf")
    replace_file(out, as_pdf(report))
    print(f"The report is in {out}.")
    if options.dicom_sr and report.bone_age_months is not None:
        replace_file(Path(options.dicom_sr), as_structured_report(report, image))
        print(f"The structured report is in {options.dicom_sr}.")
    for note in predictor.notes:
        print(note, file=sys.stderr)
    if report.refusal:
        no_sr = options.dicom_sr and report.bone_age_months is None
        print(
            f"{report.warning} {report.refusal}{' There is no structured report.' * bool(no_sr)}",
            file=sys.stderr,
        )
    return report.refusal is None
