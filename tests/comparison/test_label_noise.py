from pathlib import Path

import numpy as np
import pytest

from boneage import artifacts
from boneage.comparison.label_noise import (
    corrected_correlation,
    label_noise_variance,
    noise_shares,
)
from boneage.datasets.challenge import N_READINGS, READING_SD

SHIPPED = Path(__file__).resolve().parents[2] / "artifacts"


def simulated_residuals(noise_sd, rho, n=200_000):
    """Errors of two models with SD 5 and this correlation, minus label noise that both share."""
    rng = np.random.default_rng(0)
    errors = rng.multivariate_normal([0, 0], 25 * np.array([[1, rho], [rho, 1]]), n)
    return errors - rng.normal(0, noise_sd, n)[:, None]


def test_six_readings_have_a_sixth_of_the_variance_of_one():
    assert label_noise_variance("validation") == 49
    assert label_noise_variance("test") == pytest.approx(49 / 6)
    assert label_noise_variance("train") is None  # models fit part of it
    assert label_noise_variance("own") is None


@pytest.mark.parametrize("rho", [0.2, 0.84])
def test_the_correction_recovers_the_correlation_of_the_errors(rho):
    residuals = simulated_residuals(7, rho)
    assert np.corrcoef(residuals.T)[0, 1] > rho + 0.08
    assert corrected_correlation(residuals, 49) == pytest.approx(rho, abs=0.01)
    assert noise_shares(residuals, 49) == pytest.approx([49 / 74] * 2, abs=0.01)


def test_residuals_that_vary_less_than_the_noise_are_not_corrected():
    residuals = simulated_residuals(1, 0.5, 500)
    assert corrected_correlation(residuals, 49) is None
    assert noise_shares(residuals, 49) is None
    assert corrected_correlation(residuals[:1], 0.1) is None


def test_a_result_that_is_no_correlation_is_not_given():
    residuals = simulated_residuals(0, 0.99, 500)
    residuals[:, 1] *= 0.7
    assert corrected_correlation(residuals, 11) is None


def residuals_of(name: str, split: str) -> np.ndarray:
    cases = artifacts.read_predictions(SHIPPED / "models" / name)
    cases = cases[cases["split"] == split]
    return (cases["prediction_months"] - cases["reference_months"]).to_numpy()


@pytest.mark.parametrize("name", artifacts.available_models(SHIPPED))
def test_the_sd_of_a_reading_is_that_of_the_published_predictions(name):
    validation, test = (residuals_of(name, split).var(ddof=1) for split in ("validation", "test"))
    estimate = ((validation - test) / (1 - 1 / N_READINGS["test"])) ** 0.5
    assert estimate == pytest.approx(READING_SD, abs=0.5)
    share = label_noise_variance("test") / test
    assert 0.2 < share < 0.3  # "about a quarter"
