"""How an error analysis was made, in a paragraph for a paper."""

from boneage.error_analysis.analysis import Analysis
from boneage.error_analysis.disparity import MIN_CASES
from boneage.error_analysis.tree import MIN_SUBGROUP
from boneage.evaluation.citations import bootstrap_in_words, versions_in_words
from boneage.evaluation.limits import LARGE_ERROR
from boneage.figures.style import AGES, model_title
from boneage.formatting import CI_95, counted
from boneage.models.registry import ENSEMBLE

_DATA = {
    "test": " of the official test set of the RSNA Pediatric Bone Age Challenge [@halabi2019]",
    "validation": " from the RSNA Pediatric Bone Age Challenge kept out of training [@halabi2019]",
    "train": " from the RSNA Pediatric Bone Age Challenge used for training [@halabi2019]",
}


def methods(found: Analysis, title: str, split: str, subgroup: str = "") -> str:
    """The paragraph, with citations for `evaluation.citations.cited`.

    Args:
        found: the analysis.
        title: what predicted the ages.
        split: "train", "validation", "test", or another for radiographs of a user.
        subgroup: what the radiographs were restricted to, in words; "" where they were not.
    """
    restricted = f", restricted to: {subgroup}" if subgroup else ""
    age, _ = AGES[found.by]
    who = "the ensemble" if title == model_title(ENSEMBLE) else title
    # A file of one's own does not say what predicted.
    subject = f"Bone ages predicted by {who}" if split in _DATA else "Predicted bone ages"
    return (
        f"{subject} were compared with the reference bone age of "
        f"{counted(len(found.cases), 'radiograph')}{_DATA.get(split, '')}{restricted}. A residual "
        f"is predicted minus reference bone age. Metrics are given with their {CI_95} by the "
        f"{bootstrap_in_words(len(found.cases), found.n_resamples)}. "
        "Agreement is described by bias and 95% limits of agreement [@bland1986; @bland1999], "
        "calibration by the slope of the least-squares line of reference on predicted bone age "
        f"[@cox1958]. Subgroups by {age}, sex, hand detection method and, where known, contrast "
        f"and acquisition block, of at least {MIN_SUBGROUP} radiographs, were tested for a larger "
        "mean absolute error (MAE) by a permutation test with a family-wise error of 5% "
        "[@westfall1993]; a regression tree of the absolute error was grown on the same factors "
        "[@pedregosa2011]. The MAE of selected subgroups was estimated on radiographs not used for "
        "the selection [@athey2016]. Disparity between groups of at least "
        f"{MIN_CASES} radiographs is the difference and the ratio of the MAE, the bias and the "
        f"share of errors above {LARGE_ERROR} months between the groups with the highest and the "
        f"lowest value [@weerts2023]. {versions_in_words()}"
    )
