"""Options of the command line that say something about the child."""

import argparse
from collections.abc import Callable
from typing import Any

from boneage.errors import BoneAgeError
from boneage.growth.entries import parse_age, parse_date, parse_height
from boneage.growth.given_age import GivenAge
from boneage.growth.reference import BRUSH_FOUNDATION, SD_TABLES


def entry(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """The type of an option that is an age, a date or a height.

    Args:
        parse: makes of a text what is wanted, or raises BoneAgeError.

    Returns:
        The same for argparse.
    """

    def checked(text: str) -> Any:
        try:
            return parse(text)
        except BoneAgeError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked


def add_child_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for age, height and table of SDs."""
    parser.add_argument(
        "--age",
        type=entry(parse_age),
        metavar="YEARS",
        help="chronological age, as 12.75 or 12y9m; default: from the dates of each DICOM header",
    )
    parser.add_argument(
        "--birth-date",
        type=entry(parse_date),
        metavar="YYYY-MM-DD",
        help="gives the chronological age with the date of the radiograph",
    )
    parser.add_argument(
        "--study-date",
        type=entry(parse_date),
        metavar="YYYY-MM-DD",
        help="of the radiograph; default: as stated in each DICOM header",
    )
    parser.add_argument(
        "--height",
        type=entry(parse_height),
        metavar="CM",
        help="of the child, as 140.5 or 4ft7in: adds the adult height (Bayley-Pinneau)",
    )
    parser.add_argument(
        "--sd-table",
        choices=list(SD_TABLES),
        default=BRUSH_FOUNDATION,
        help=f"SD of bone age for age and sex (default {BRUSH_FOUNDATION})",
    )


def given_age(options: argparse.Namespace) -> GivenAge:
    """What the options say about the age.

    Args:
        options: of `add_child_options`.

    Returns:
        The age, or the dates that give it.

    Raises:
        ImpossibleEntry: they contradict each other, or give no age of a child.
    """
    return GivenAge(options.age, options.birth_date, options.study_date)
