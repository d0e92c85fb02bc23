import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.decomposition import PCA

from boneage.quality.density import DensityModel


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(0)
    return rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6)) + 3


def test_with_all_axes_but_one_it_is_the_mahalanobis_distance(samples):
    inverse = np.linalg.inv(np.cov(samples.T))
    others = samples[:20] * 1.5
    expected = [mahalanobis(case, samples.mean(axis=0), inverse) for case in others]
    distances = DensityModel.fit(samples, 5).distance(others)
    assert distances * np.sqrt(6) == pytest.approx(expected, rel=0.01)


def test_with_few_axes_it_is_that_of_probabilistic_pca(samples):
    precision = PCA(2, svd_solver="full").fit(samples).get_precision()
    expected = [mahalanobis(case, samples.mean(axis=0), precision) for case in samples[:20]]
    distances = DensityModel.fit(samples, 2).distance(samples[:20])
    assert distances * np.sqrt(6) == pytest.approx(expected, rel=0.01)


def test_training_cases_lie_at_about_one_and_strange_ones_far_off(samples):
    density_model = DensityModel.fit(samples, 3)
    assert 0.9 < np.sqrt((density_model.distance(samples) ** 2).mean()) < 1.1
    assert density_model.distance(samples[:1] + 100) > 10


def test_it_survives_being_stored_as_arrays(samples):
    density_model = DensityModel.fit(samples, 3)
    again = DensityModel.from_arrays(density_model.to_arrays())
    assert again.distance(samples).tolist() == density_model.distance(samples).tolist()
    with pytest.raises(TypeError):
        DensityModel.from_arrays({"mean": density_model.mean})
