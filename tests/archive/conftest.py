"""A Dask cluster in this process, and the pieces of a run."""

from pathlib import Path

import pytest
from stub_readers import in_this_process

from boneage.archive.settings import Settings
from boneage.archive.sources import list_source
from boneage.archive.stores import Store


@pytest.fixture(scope="package")
def client():
    with in_this_process() as client:
        yield client


@pytest.fixture
def archive(tmp_path) -> Path:
    """A folder of 50 files, of which one is broken."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(49):
        (folder / f"{number:02}.png").touch()
    (folder / "broken.png").touch()
    return folder


@pytest.fixture
def pieces(archive, tmp_path):
    """Listing, settings and store of a run over `archive`, in 13 parts."""
    store = Store(str(tmp_path / "out"))
    return list_source(str(archive)), Settings(str(archive), part_size=4), store
