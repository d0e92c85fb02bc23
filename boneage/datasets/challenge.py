"""Facts of the RSNA challenge that texts and statistics rely on, and where its data are."""

import os
from pathlib import Path

CITATION = (
    "Halabi SS, Prevedello LM, Kalpathy-Cramer J, et al. The RSNA Pediatric Bone Age Machine "
    "Learning Challenge. Radiology 2019;290(2):498-503."
)

# Readings averaged to one reference bone age: one clinical reading, or the weighted mean of six.
N_READINGS = {"train": 1, "validation": 1, "test": 6}

# SD in months of single readings of one radiograph around their mean, estimated: the variance of
# the published models' residuals is larger on validation than on test by READING_SD² (1 - 1/6),
# which gives 7.2 (DenseNet121) and 7.0 (ResNet34+CBAM).
READING_SD = 7.0

# Mean and standard deviation of the training ages, in months.
MEAN_AGE, AGE_SD = 127.0, 41.0

RADIOGRAPHS = "BONEAGE_RSNA"  # environment variable


def radiographs_folder() -> Path | None:
    """The folder of the challenge's data that BONEAGE_RSNA names; None where it names none."""
    folder = os.environ.get(RADIOGRAPHS)
    return Path(folder) if folder else None
