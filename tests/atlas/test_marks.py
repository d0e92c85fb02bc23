import numpy as np
import pytest

from boneage.atlas import standards
from boneage.atlas.marks import marked
from boneage.atlas.ossification import APPEARS, FUSES, events
from boneage.figures import palette


def colored(image: np.ndarray, change: str) -> np.ndarray:
    return (image == palette.rgb(palette.EVENTS[change])).all(axis=2)


def test_an_event_has_its_ring_and_nothing_else_is_changed():
    standard = standards.standard("male", 72)
    trapezoid = next(event for event in events() if event.key == "trapezoid")
    image = marked(standard, [trapezoid])
    changed = (image != standard.image[..., None]).any(axis=2)
    (x, y), *_ = trapezoid.places(standard.landmarks, standard.mean_age_months)
    around = colored(image, APPEARS)[round(y) - 14 : round(y) + 15, round(x) - 14 : round(x) + 15]
    assert around.sum() > 100
    assert not changed[round(y) - 5 : round(y) + 6, round(x) - 5 : round(x) + 6].any()
    assert changed.mean() < 0.01
    assert not colored(image, FUSES).any()
    assert (marked(standard, []) == standard.image[..., None]).all()


@pytest.mark.parametrize("months", [24, 192])
def test_all_events_have_room_on_the_youngest_and_on_an_old_hand(months):
    """Numbers that left the image or lay on another would be cut or merged."""
    standard = standards.standard("male", months)
    image = marked(standard, events())
    lanes = colored(image, APPEARS) | colored(image, FUSES)
    for lane, side in ((lanes[:, 16:53], "left"), (lanes[:, 460:497], "right")):
        rows = lane.any(axis=1)
        runs = np.flatnonzero(np.diff(np.r_[0, rows, 0]) == 1)
        assert len(runs) >= sum(event.label == side for event in events()) - 1
        assert not rows[-4:].any()
