"""Many predictions, and many at once."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from boneage.datasets.phantoms import draw_phantom
from boneage.inference.predictor import Predictor

PEOPLE = 16


def png(age: float, sex: str, seed: int) -> bytes:
    file = BytesIO()
    Image.fromarray(draw_phantom(age, sex, seed, height=300)).save(file, "PNG")
    return file.getvalue()


def resident_megabytes() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("this system does not say how much memory a process takes")
    (line,) = [x for x in status.read_text().splitlines() if x.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


@pytest.fixture(scope="module")
def predictor(tiny_artifacts):
    return Predictor()


@pytest.fixture(scope="module")
def hands():
    sexes = ["female", "male"] * (PEOPLE // 2)
    return [(png(24 + 11 * i, sex, i), sex) for i, sex in enumerate(sexes)]


def answer(predictor, hand):
    prediction = predictor.predict(*hand)
    maps = [predictor.explain(prediction, name).gradcam for name in predictor.names]
    return prediction.months, [round(float(values.sum()), 1) for values in maps]


def test_sixteen_at_once_get_their_own_answers_and_maps(predictor, hands):
    alone = [answer(predictor, hand) for hand in hands]
    with ThreadPoolExecutor(PEOPLE) as pool:
        together = list(pool.map(lambda hand: answer(predictor, hand), hands))
    for (months, maps), (months_alone, maps_alone) in zip(together, alone, strict=True):
        assert months == pytest.approx(months_alone, abs=1e-3)
        assert maps == pytest.approx(maps_alone, rel=0.01, abs=1)
    assert len({tuple(months.values()) for months, _ in alone}) == PEOPLE


def test_memory_does_not_grow_with_the_number_of_predictions(predictor, hands):
    for hand in hands:  # what is loaded and compiled at first use
        answer(predictor, hand)
    before = resident_megabytes()
    for number in range(4 * PEOPLE):
        answer(predictor, hands[number % PEOPLE])
    # A prediction with its radiograph and maps kept alive would be some megabytes each.
    assert resident_megabytes() - before < 40
