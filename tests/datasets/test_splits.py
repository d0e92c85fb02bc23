import numpy as np
import pandas as pd
import pytest

from boneage.datasets.splits import split_train_validation
from boneage.errors import BoneAgeError


def make_labels(n: int = 1000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [str(1000 + i) for i in range(n)],
            "reference_months": rng.integers(1, 216, n).astype(float),
            "sex": rng.choice(["female", "male"], n, p=[0.3, 0.7]),
        }
    )


@pytest.mark.parametrize("n", [0, 1, 119, 500, 999])
def test_the_validation_set_has_exactly_the_size_asked_for(n):
    split = split_train_validation(make_labels(), n_validation=n)
    assert (split == "validation").sum() == n
    assert (split == "train").sum() == 1000 - n


def test_every_stratum_gives_its_share():
    labels = make_labels()
    in_validation = split_train_validation(labels, n_validation=119) == "validation"
    strata = in_validation.groupby([labels["sex"], labels["reference_months"] // 12])
    shortfall = strata.sum() - strata.size() * 0.119
    assert shortfall.abs().max() < 1


def test_row_order_and_index_do_not_matter():
    labels = make_labels()
    split = split_train_validation(labels, n_validation=119)
    shuffled = labels.sample(frac=1, random_state=1)
    again = split_train_validation(shuffled, n_validation=119)
    assert again.index.equals(shuffled.index)
    pd.testing.assert_series_equal(again.sort_index(), split)


def test_the_seed_chooses_other_cases():
    first, second = (split_train_validation(make_labels(), 119, seed=seed) for seed in (1, 2))
    assert (first != second).any()


def test_the_default_choice_never_changes():
    """Trained models name this split in their metrics; another one would mix their training
    cases into the validation set."""
    labels = make_labels(40)[["id"]].assign(reference_months=100.0, sex="male")
    chosen = labels["id"][split_train_validation(labels, n_validation=4) == "validation"]
    assert chosen.tolist() == ["1020", "1021", "1023", "1036"]


def test_strata_of_one_case():
    labels = pd.DataFrame({"id": list("abc"), "reference_months": [5, 50, 150], "sex": "male"})
    split = split_train_validation(labels, n_validation=1)
    assert sorted(split) == ["train", "train", "validation"]


@pytest.mark.parametrize("n", [-1, 3, 1425])
def test_impossible_sizes_are_refused(n):
    labels = pd.DataFrame({"id": list("abc"), "reference_months": [5, 50, 150], "sex": "male"})
    with pytest.raises(BoneAgeError, match="cannot be taken from 3 cases"):
        split_train_validation(labels, n_validation=n)
