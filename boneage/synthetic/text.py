"""What is said of synthetic hands."""

import pandas as pd

from boneage.atlas.files import LINK
from boneage.formatting import CHILDREN, age_in_words
from boneage.synthetic.evaluation import prediction_metrics
from boneage.synthetic.hands import SyntheticHand

NOBODY = (
    "Each is a synthetic radiograph, drawn at random from a statistical model of 40 or more "
    "radiographs of one sex and bone age. It shows no child."
)

SOURCE = (
    f"Computed from radiographs of the [RSNA Pediatric Bone Age Challenge]({LINK}); for research, "
    "education and other non-commercial use."
)


def about_hands(predictions: pd.DataFrame) -> str:
    """What synthetic hands are, and how well the models read them.

    Args:
        predictions: of `boneage.synthetic.evaluation.read_predictions`; may be empty.
    """
    if predictions.empty:
        return NOBODY
    metrics = prediction_metrics(predictions)
    return (
        f"{NOBODY} On {metrics['n']:.0f} such hands the ensemble has an MAE of "
        f"{metrics['mae']:.1f} months; most radiographs behind them were used for training."
    )


def about_hand(hand: SyntheticHand) -> str:
    """What to know of a synthetic hand before believing what the models say of it.

    Args:
        hand: the hand.
    """
    return (
        f"This hand is synthetic, drawn at random from a statistical model of {hand.n} radiographs "
        f"of {CHILDREN[hand.sex]}, mean bone age {age_in_words(hand.bone_age_months)}. It shows no "
        "child. Most of these radiographs were used for training, so the errors of the models on "
        "it do not show their accuracy on new radiographs."
    )
