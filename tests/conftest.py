"""What several tests share: phantoms, and the real radiographs where this machine has them."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def rsna() -> Path:
    """The folder of real radiographs; the test is skipped where there is none."""
    folder = Path(os.environ.get("BONEAGE_RSNA") or REPOSITORY.parent / "shared" / "rsna")
    if not (folder / "boneage-training-dataset").is_dir():
        pytest.skip("no real radiographs here: set BONEAGE_RSNA to a folder that holds them")
    return folder
