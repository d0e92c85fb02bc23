"""What a Grad-CAM map shows, in sentences."""

ABOUT_GRADCAM = (
    "Regions with most influence on the prediction (low resolution): evidence for older where the "
    "predicted bone age is above the mean of the training set (10 years 7 months), else evidence "
    "for younger. Each map is scaled to its own maximum and does not show which bone was decisive."
)

_DIRECTIONS = {"raises": "Evidence for older", "lowers": "Evidence for younger"}


def gradcam_direction(direction: str) -> str:
    """The caption of a Grad-CAM map, from `Explanation.direction`."""
    return _DIRECTIONS[direction]
