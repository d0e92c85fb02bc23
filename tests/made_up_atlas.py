"""An atlas of drawn hands, for tests of what uses the standards."""

from pathlib import Path

import numpy as np
import pandas as pd

from boneage.atlas import files
from boneage.datasets.phantoms import make_phantom
from boneage.radiographs.preprocessing import SEXES

AGES = range(36, 181, 36)  # five of each sex: enough for a quiz


def write_atlas(folder: Path, ages=AGES) -> Path:
    """Standards of both sexes at `ages`, each a drawing of one hand; returns the folder."""
    rows, landmarks = [], {}
    for sex in SEXES:
        for months in ages:
            phantom = make_phantom(months, sex, seed=1, height=640)
            image = np.pad(phantom.pixels, ((0, 0), (16, 16)))  # 480 wide, a standard has 512
            files.write_images(folder, sex, months, image, np.zeros_like(image))
            landmarks[sex, months] = phantom.landmarks + [16, 0]
            row = dict.fromkeys(files.COLUMNS, 0.9)
            image, spread = files.image_names(sex, months)
            row |= dict(sex=sex, months=months, n=30, dropped=2, mean_age_months=months + 1.0)
            rows.append(row | dict(image=image, spread=spread, build="drawn"))
    files.write_tables(folder, pd.DataFrame(rows), landmarks)
    return folder
