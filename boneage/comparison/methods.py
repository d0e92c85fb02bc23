"""How two sets of predictions were compared, in a paragraph for a paper."""

from boneage.comparison.head_to_head import HeadToHead
from boneage.comparison.significance import ALPHA, MIN_CASES
from boneage.comparison.text import MARGIN, sample_in_words
from boneage.datasets.text import SPLITS
from boneage.evaluation.citations import bootstrap_in_words, versions_in_words
from boneage.evaluation.intervals import resamples_at_once
from boneage.formatting import CI_95, share


def methods(found: HeadToHead, titles: tuple[str, str], split: str, sex: str | None = None) -> str:
    """The paragraph, with citations for `evaluation.citations.cited`.

    Args:
        found: the comparison.
        titles: of both sets of predictions.
        split: "train", "validation", "test", or another for radiographs of a user.
        sex: "female" or "male"; None for both.
    """
    first, second = titles
    n = found.comparison.n
    sample = sample_in_words(n, split, sex).removeprefix("these ")
    source = " of the RSNA Pediatric Bone Age Challenge [@halabi2019]" if split in SPLITS else ""
    return (
        f"Bone ages predicted by {first} and {second} were compared with the reference bone age on "
        f"the same {sample}{source}. Their ensemble is the weighted mean of both predictions "
        f"({share(found.weights[0])} and {share(found.weights[1])}). The primary outcome, the "
        "difference in mean absolute error (MAE), was tested by a paired t test, two-sided, at "
        f"{share(ALPHA)}, with the Wilcoxon signed-rank test [@wilcoxon1945] as a check; a "
        f"difference whose {CI_95} lies within {MARGIN:.0f} month on either side was regarded as "
        "not relevant [@schuirmann1987]. RMSE, R² and bias were compared by paired t tests, the "
        "median absolute error with its bootstrap standard error, the shares of radiographs within "
        "6, 12 and 24 months by the exact McNemar test [@mcnemar1947], and subgroups by age and "
        "sex by sign tests; p values of all secondary metrics together, and of all subgroups "
        "together, were adjusted by Holm's method [@holm1979]. Groups of fewer than "
        f"{MIN_CASES} radiographs were not tested. Metrics are given with their {CI_95} by the "
        f"{bootstrap_in_words(n, resamples_at_once(2 * n))}. {versions_in_words()}"
    )
