"""Which column of a table holds what, from English, French and German column names.

Names are compared without regard to case, accents, spaces, punctuation and a unit of age.
"""

import re
from collections.abc import Mapping, Sequence
from unicodedata import combining, normalize

import pandas as pd

from boneage.datasets.delimited import LabelError, shortened, to_numbers

ID, REFERENCE, SEX, PREDICTION = "id", "reference", "sex", "prediction"
CHRONOLOGICAL = "chronological"
MONTHS, YEARS = "months", "years"
TITLES = {
    ID: "id",
    REFERENCE: "reference bone age",
    SEX: "sex",
    PREDICTION: "predicted bone age",
    CHRONOLOGICAL: "chronological age",
}
# The sexes that a column is named after, of which it may say True or False.
_NAMED_AFTER = {
    "male": ("male", "ismale", "boy", "mannlich", "maennlich", "masculin", "garcon"),
    "female": ("female", "isfemale", "girl", "weiblich", "feminin", "fille"),
}
# In the order of preference; of the bone ages all count alike.
NAMES = {
    ID: (
        *("id", "imageid", "caseid", "imagename", "filename", "imagefile", "file", "image"),
        *("imagepath", "filepath", "path"),
        *("bildid", "fallid", "bildname", "dateiname", "bilddatei", "datei", "bild"),
        *("idimage", "idcas", "nomdelimage", "nomdufichier", "nomdefichier", "fichier"),
    ),
    REFERENCE: (
        *("boneage", "ba", "skeletalage", "groundtruth", "groundtruthboneage"),
        *("reference", "referenceage", "referenceboneage", "boneagereference"),
        *("knochenalter", "skelettalter", "referenz", "referenzknochenalter"),
        *("knochenalterreferenz", "referenzalter"),
        *("ageosseux", "ageosseuxreference", "ageosseuxdereference"),
    ),
    SEX: (
        *_NAMED_AFTER["male"],
        *_NAMED_AFTER["female"],
        *("sex", "gender", "patientsex", "geschlecht", "sexe"),
    ),
    PREDICTION: (
        *("prediction", "predicted", "pred", "predictedage", "predictedboneage"),
        *("boneagepredicted", "boneageprediction", "estimatedboneage", "estimatedage"),
        *("predboneage", "boneagepred"),
        *("vorhersage", "vorhergesagtesknochenalter", "geschatztesknochenalter"),
        *("ageosseuxpredit", "ageosseuxestime"),
    ),
}
# What test scripts write beside each other, and what means nothing without the other: used in
# tables of predictions only, where no better name is.
_TEST_SCRIPT_NAMES = {
    REFERENCE: ("y", "ytrue", "gt", "label", "target"),
    PREDICTION: ("yhat", "ypred", "output"),
}
CHRONOLOGICAL_NAMES = tuple(
    name + unit
    for name in (
        *("chronologicalage", "chronological", "agechronological", "ca", "patientage"),
        *("ageatstudy", "chronologischesalter", "lebensalter", "agechronologique"),
    )
    for unit in ("", "years", "inyears", "jahre", "injahren", "ans")
)
# Most likely the chronological age, unless the one such name is that of tables written by earlier
# versions of the project.
SOME_AGE_NAMES = ("age", "ageyears", "ageinyears", "alter", "alterjahre", "alterinjahren", "ageans")
_OWN_REFERENCE = "age_months"
_UNIT = re.compile(r"(in|en)?(months?|monaten?|mois|years?|yrs?|jahren?)$|(en|(?<=osseux))ans$")
_UNITS = {
    MONTHS: re.compile(r"(?:^|[^a-z])(?:months?|monaten?|mois)[^a-z]*$"),
    YEARS: re.compile(r"(?:^|[^a-z])(?:years?|yrs?|jahren?|ans)[^a-z]*$"),
}
_EXAMPLES = {ID: "id or file", REFERENCE: "boneage", SEX: "sex, male or female"}
_EXAMPLES[PREDICTION] = "prediction"
_ADVICE = {
    REFERENCE: "name it with --reference-column",
    PREDICTION: "name that column prediction, and no other so",
}


class UnknownColumn(LabelError):
    """Several columns may hold the reference bone age or the prediction: a person has to choose.

    Attributes:
        role: REFERENCE or PREDICTION.
        candidates: the names of the columns that may hold it, at least one.
    """

    def __init__(self, title: str, role: str, candidates: list[str]):
        self.role, self.candidates = role, candidates
        super().__init__(
            f"{title} does not say which column holds the {TITLES[role]} "
            f"(it may be {' or '.join(candidates)}); {_ADVICE[role]}."
        )


def find_columns(
    cells: pd.DataFrame,
    roles: Sequence[str],
    chosen: Mapping[str, str],
    title: str,
    optional: Sequence[str] = (),
) -> dict[str, str]:
    """Find the columns of a table that are needed.

    Args:
        cells: the table, as `read_cells` gives it.
        roles: what is needed, of ID, REFERENCE, SEX and PREDICTION.
        chosen: role -> name of its column, where a person has said so.
        title: what errors call the file.
        optional: those of `roles` that the table may lack.

    Returns:
        Role -> name of its column.

    Raises:
        UnknownColumn: Several columns are named as the bone age or as the prediction, or none is
            and others hold numbers.
        LabelError: There is no column for a role, or none of the name chosen.
    """
    header = _header(cells)
    named = {role: columns_named(header, names) for role, names in NAMES.items()}
    if PREDICTION in roles:
        for role, weak_names in _TEST_SCRIPT_NAMES.items():
            named[role] = named[role] or columns_named(header, weak_names)
    chronological = columns_named(header, CHRONOLOGICAL_NAMES)
    some_age = columns_named(header, SOME_AGE_NAMES)
    if not named[REFERENCE] and [name.lower() for name in some_age] == [_OWN_REFERENCE]:
        named[REFERENCE] = some_age
    # Columns that are something else, and so not the reference or the prediction.
    settled = {*named[ID], *named[SEX], *chronological, *chosen.values()}
    settled_for = {REFERENCE: named[PREDICTION], PREDICTION: some_age}

    found: dict[str, str] = {}
    candidates: dict[str, list[str]] = {}
    for role in roles:
        names = [name for name in named[role] if name not in chosen.values()]
        if role in (REFERENCE, PREDICTION):  # of one age in both units, months
            names = [name for name in names if unit_named(name) != YEARS] or names
        if role in chosen:
            found[role] = _chosen(header, chosen[role], title)
        elif len(names) == 1 or (names and role in (ID, SEX)):
            found[role] = names[0]
        elif role in optional and not names:
            continue
        elif names or role in (ID, SEX):
            candidates[role] = names
        else:
            not_it = {*settled, *settled_for[role], *found.values()}
            candidates[role] = [
                name
                for name in dict.fromkeys([*some_age, *header])
                if name not in not_it and to_numbers(cells[name]).notna().any()
            ]
    if missing := [role for role, names in candidates.items() if not names]:
        lacking = [f"{TITLES[role]} (named {_EXAMPLES[role]})" for role in missing]
        raise LabelError(
            f"{title} has no column for the {' and none for the '.join(lacking)}; "
            f"its columns are {shortened(', '.join(header), 200)}."
        )
    for role, names in candidates.items():
        raise UnknownColumn(title, role, names)
    return found


def find_chronological_age(cells: pd.DataFrame) -> str | None:
    """The column of the chronological age, by its name.

    Args:
        cells: the table, as `read_cells` gives it.

    Returns:
        Its name; None where no column or several are named so.
    """
    names = columns_named(_header(cells), CHRONOLOGICAL_NAMES)
    return names[0] if len(names) == 1 else None


def sex_named(column: str) -> str | None:
    """The sex that a column is named after, "female" or "male"; None of one like "sex"."""
    return next((sex for sex, names in _NAMED_AFTER.items() if _key(column) in names), None)


def unit_named(column: str) -> str | None:
    """The unit that the name of a column ends with, MONTHS or YEARS; None of one like "boneage"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)  # BoneAgeYears
    return next((unit for unit, pattern in _UNITS.items() if pattern.search(fold(words))), None)


def fold(text: str) -> str:
    """Text in lower case without accents."""
    return "".join(c for c in normalize("NFKD", text.casefold()) if not combining(c))


def _key(name: str) -> str:
    letters = "".join(c for c in fold(name) if c.isalnum())
    return _UNIT.sub("", letters) or letters


def _header(cells: pd.DataFrame) -> list[str]:
    return [name for name in cells.columns if name]


def columns_named(header: list[str], names: Sequence[str]) -> list[str]:
    """The columns of these names, in the order of the names."""
    keys = {name: _key(name) for name in header}
    return [column for name in names for column in header if keys[column] == name]


def _chosen(header: list[str], wanted: str, title: str) -> str:
    alike = [name for name in header if _key(name) == _key(wanted)]
    if wanted in header:
        return wanted
    if len(alike) != 1:
        raise LabelError(
            f"{title} has no column {shortened(wanted, 40)}; "
            f"its columns are {shortened(', '.join(header), 200)}."
        )
    return alike[0]
