"""How long a prediction takes on this machine."""

from statistics import median
from time import perf_counter

from boneage.datasets.phantoms import draw_phantom
from boneage.inference.predictor import Predictor
from boneage.radiographs.reading import Radiograph

_WARM_UP = 2  # the first prediction compiles the network


def milliseconds_a_radiograph(predictor: Predictor, n: int = 15) -> float:
    """Median time of `n` predictions, one radiograph at a time, by all models of `predictor`.

    The hand, a phantom's, is prepared beforehand, so that only the networks are timed.
    """
    hand = predictor.prepare(Radiograph(draw_phantom(108, "male"), "PNG"))
    times = []
    for _ in range(_WARM_UP + n):
        started = perf_counter()
        predictor.predict_prepared([hand], ["male"])
        times.append(perf_counter() - started)
    return 1000 * median(times[_WARM_UP:])
