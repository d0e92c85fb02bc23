"""The image quality check in sentences."""

from boneage.formatting import CI_95, share


def quality_check_measured(n: int, sources: int, refused: float, low: float, high: float) -> str:
    """One sentence on how many images far from hand radiographs the quality check refuses.

    Args:
        n: The number of images.
        sources: The number of photographs and drawings that they were made from.
        refused: The share refused, in 0..1.
        low: Lower limit of its 95% CI, in 0..1.
        high: Upper limit of its 95% CI, in 0..1.
    """
    return (
        f"The image quality check refused {share(refused)} ({CI_95} {share(low)} to {share(high)}) "
        f"of {n:,} images that are not hand radiographs, made from {sources:,} photographs and "
        "drawings. Other images may pass."
    )
