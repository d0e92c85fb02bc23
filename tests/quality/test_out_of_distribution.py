from collections import Counter
from itertools import islice

import numpy as np
import pytest

from boneage.datasets.phantoms import draw_phantom
from boneage.errors import BoneAgeError
from boneage.quality import out_of_distribution as module
from boneage.quality.out_of_distribution import HANDS, NEARLY, UNLIKE, negatives
from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

HANDS_GIVEN = [draw_phantom(100, "male", seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def every():
    return list(negatives(HANDS_GIVEN))


def test_every_kind_has_several_images_that_can_be_read(every):
    counts = Counter((group, kind) for group, kind, *_ in every)
    assert {group for group, _ in counts} == {UNLIKE, NEARLY, HANDS}
    assert all(count >= 8 for (group, _), count in counts.items() if group == UNLIKE)
    assert all(count in (2, 24) for (group, _), count in counts.items() if group != UNLIKE)
    unreadable = Counter()
    for _, kind, _, content in every:
        try:
            read_radiograph(content)
        except UnreadableRadiograph:
            unreadable[kind] += 1
    assert set(unreadable) <= {"scans of other body parts"}


def test_they_are_the_same_every_time(every):
    again = islice(negatives(HANDS_GIVEN), 0, None, 17)
    assert list(again) == every[::17]


def test_sources_tell_how_many_images_the_images_were_made_from(every):
    images = [source for group, _, source, _ in every if group == UNLIKE]
    drawn = {source for source in images if "." not in source}  # the others are files
    assert len(images) == 260
    assert (len(set(images) - drawn), len(drawn)) == (29, 84)


def test_color_is_kept_where_the_kind_says_so(every):
    for _, kind, _, content in every:
        if "in color" in kind and "simulated" in kind:
            assert read_radiograph(content).color > 0.05
        if "in grayscale" in kind:
            assert read_radiograph(content).color == 0


def test_without_scikit_image_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BoneAgeError, match="pip install -r tests/requirements.txt"):
        next(negatives(HANDS_GIVEN))


def test_two_hands_stand_side_by_side():
    pair = module._side_by_side(*HANDS_GIVEN, np.random.default_rng(0))
    height, width = HANDS_GIVEN[0].shape
    assert pair.shape == (height, 2 * width)
    assert (pair[:, width:] == HANDS_GIVEN[1][:, ::-1]).all()
