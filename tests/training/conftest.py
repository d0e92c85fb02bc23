import pytest
from short_networks import shorten

from boneage.datasets.cache import build_cache
from boneage.datasets.phantoms import write_phantoms
from boneage.datasets.rsna import cases
from boneage.radiographs.preprocessing import Preprocessing


@pytest.fixture(scope="session")
def phantom_cache(tmp_path_factory):
    """A cache of 30 training phantoms, 4 of them for validation, and 3 test phantoms."""
    data = write_phantoms(tmp_path_factory.mktemp("phantoms"), n_train=30, n_test=3)
    training, test = data / "boneage-training-dataset", data / "boneage-test-dataset"
    table = cases(
        training,
        training.with_suffix(".csv"),
        test_images=test,
        test_labels=test.with_suffix(".csv"),
    )
    folder = tmp_path_factory.mktemp("cache") / "cache"
    return build_cache(table, folder, Preprocessing(size=32), workers=1, progress=False)


@pytest.fixture(scope="module")
def short_networks():
    """For a test file that trains `tiny_resnet_cbam`: its first stage alone."""
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        yield
