import dataclasses

import pytest

from boneage.training.presets import PRESETS, find_preset


def test_paper_is_the_reference_recipe():
    paper = find_preset("paper")
    assert (paper.image_size, paper.batch_size, paper.epochs) == (256, 64, 60)
    assert paper.learning_rate == 5e-3
    assert paper.huber_delta == 15
    assert paper.warmup_epochs > 0
    assert min(paper.weight_decay, paper.l2, paper.dropout, paper.patience) > 0
    assert paper.ema_momentum is None


def test_presets_stand_under_their_own_name():
    assert all(name == preset.name for name, preset in PRESETS.items())


def test_presets_are_plain_fields():
    for preset in PRESETS.values():
        flat = dataclasses.asdict(preset)
        flat |= flat.pop("augmentation")
        assert all(isinstance(v, int | float | str | None) for v in flat.values())


def test_an_unknown_preset_is_refused_with_the_names():
    with pytest.raises(ValueError, match="choose one of: paper, best"):
        find_preset("fast")
