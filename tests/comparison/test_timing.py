from boneage.comparison import timing
from boneage.inference.predictor import Predictor


def test_the_median_of_the_warm_predictions_is_told_in_milliseconds(tiny_artifacts, monkeypatch):
    # Two cold predictions of 100 s, then warm ones of 20, 10 and 30 ms, on a clock of our own.
    durations = iter([100.0, 100.0, 0.02, 0.01, 0.03])
    clock = {"now": 0.0}

    def predict(self, hands, sexes):
        assert len(hands) == len(sexes) == 1
        clock["now"] += next(durations)

    monkeypatch.setattr(Predictor, "predict_prepared", predict)
    monkeypatch.setattr(timing, "perf_counter", lambda: clock["now"])
    assert round(timing.milliseconds_a_radiograph(Predictor("tiny_densenet"), n=3), 6) == 20


def test_a_real_prediction_takes_some_time(tiny_artifacts):
    assert timing.milliseconds_a_radiograph(Predictor("tiny_densenet"), n=2) > 0
