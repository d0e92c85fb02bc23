import pandas as pd
import pytest

from boneage.datasets.blocks import acquisition_block
from boneage.model_card.failures import failures

# id, split, sex, reference, prediction of model a, of model b, contrast
CASES = [
    ("1400", "train", "female", 100.0, 100.0, 100.0, 10.0),
    ("1401", "train", "female", 106.0, 100.0, 100.0, 20.0),
    ("1402", "train", "male", 106.0, 100.0, 100.0, 30.0),
    ("1403", "train", "female", 106.1, 100.0, 100.0, 40.0),
    ("1500", "validation", "female", 100.0, 114.0, 130.0, 25.0),
    ("5000", "validation", "female", 100.0, 114.0, 70.0, 10.0),
    ("1502", "validation", "male", 100.0, 60.0, 80.0, 50.0),
    ("1503", "validation", "male", 100.0, 101.0, 101.0, 50.0),
    ("4400", "test", "male", 100.0, 107.0, 107.0, 50.0),
]


@pytest.fixture
def predictions():
    columns = ["id", "split", "sex", "reference_months", "a", "b", "contrast"]
    table = pd.DataFrame(CASES, columns=columns).assign(crop_method="mediapipe")
    tables = {name: table.assign(prediction_months=table[name]) for name in "ab"}
    ensemble = table.assign(prediction_months=(table["a"] + table["b"]) / 2)
    return tables, ensemble.assign(block=acquisition_block(ensemble))


def test_the_largest_errors_come_first_with_the_residual_of_every_model(predictions):
    found = failures(*predictions, "validation", 3)
    assert found["id"].tolist() == ["1502", "1500", "5000"]
    assert found["ensemble"].tolist() == [-30.0, 22.0, -8.0]
    assert found["a"].tolist() == [-40.0, 14.0, 14.0]
    assert found["b"].tolist() == [-20.0, 30.0, -30.0]
    assert found["block"].tolist() == ["ids 1377-4359", "ids 1377-4359", "ids 4560-5770"]
    # The models err by more than 12 months on either side of the third.
    assert found["all_models"].tolist() == [True, True, False]


def test_cases_are_compared_with_the_training_cases(predictions):
    found = failures(*predictions, "validation", 3)
    assert found["less_contrast"].tolist() == [1.0, 0.5, 0.0]
    assert found["n_alike"].tolist() == [1, 2, 2]  # of the same sex, up to 6 months apart


def test_a_residual_is_given_in_sds_of_its_reference(predictions):
    # One reading has an SD of 7 months, the mean of six 7 / sqrt(6).
    assert failures(*predictions, "validation", 1)["label_sds"].item() == pytest.approx(30 / 7)
    assert failures(*predictions, "test", 5)["label_sds"].item() == pytest.approx(6**0.5)
