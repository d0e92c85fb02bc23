import shutil
from pathlib import Path

import pytest

from boneage.cli import main
from boneage.model_card.card import model_card

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_committed_card_is_that_of_the_published_models(monkeypatch):
    monkeypatch.delenv("BONEAGE_ARTIFACTS", raising=False)
    committed = (REPOSITORY / "docs" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert committed == model_card(), "run python -m boneage model-card"


def test_all_tables_have_as_many_cells_in_every_row():
    card = (REPOSITORY / "docs" / "MODEL_CARD.md").read_text(encoding="utf-8")
    tables = [block.splitlines() for block in card.split("\n\n") if block.startswith("|")]
    assert len(tables) == 8
    for rows in tables:
        assert len(rows) > 2
        assert len({row.count("|") for row in rows}) == 1
    assert "nan" not in card


@pytest.fixture
def tiny_copy(tiny_artifacts, tmp_path, monkeypatch):
    """Untrained models whose every prediction is 9 months above the reference."""
    root = tmp_path / "artifacts"
    shutil.copytree(tiny_artifacts, root)
    (root / "models" / "experiments.csv").write_text("tried,kept\none,yes\nanother,no\n")
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(root))
    return root


def test_a_card_of_other_models_has_their_numbers(tiny_copy, tmp_path, capsys):
    out = tmp_path / "card.md"
    assert main(["model-card", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    card = out.read_text(encoding="utf-8")
    assert "Tiny DenseNet (tests), test (n = 4) | 9.0 (9.0 to 9.0)" in card
    assert "(Tiny DenseNet (tests) 50% and Tiny ResNet+CBAM (tests) 50%)" in card
    assert "2 changes were measured on validation radiographs and 1 of them kept" in card
    assert "Training, girls | 2 |" in card
    assert "{" not in card
    # Intervals, quality check and robustness of the published models are not theirs.
    assert card.count("Not measured for these weights.") == 3


def test_what_is_not_there_is_one_sentence(tiny_copy, tmp_path, capsys):
    (tiny_copy / "models" / "experiments.csv").unlink()
    assert main(["model-card", "--out", str(tmp_path / "card.md")]) == 2
    assert "experiments.csv is missing" in capsys.readouterr().err
    shutil.rmtree(tiny_copy / "models")
    assert main(["model-card", "--out", str(tmp_path / "card.md")]) == 2
    assert "no trained model" in capsys.readouterr().err
    assert not (tmp_path / "card.md").exists()


def test_a_card_needs_training_validation_and_test_cases(calibrated_artifacts, monkeypatch, capsys):
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(calibrated_artifacts))
    assert main(["model-card", "--out", "card.md"]) == 2
    assert "no predictions of the train set" in capsys.readouterr().err
