"""The splits of the RSNA challenge in words."""

from boneage.datasets.challenge import N_READINGS, READING_SD

SPLITS = {"test": "Test", "validation": "Validation", "train": "Training"}

ABOUT_SPLIT = {
    "test": "The 200 official test radiographs of the RSNA challenge. The reference bone age is "
    f"the mean of six readings. One reading has an SD of about {READING_SD:.0f} months, the mean "
    f"of six about {READING_SD / N_READINGS['test'] ** 0.5:.0f}: this label noise is part of every "
    "residual.",
    "validation": "Radiographs kept out of training. The reference bone age is one clinical "
    f"reading, with an SD of about {READING_SD:.0f} months: this label noise is part of every "
    "residual.",
    "train": "The radiographs used for training. These errors show how well a model fits, not how "
    "accurate it is on new radiographs.",
}
