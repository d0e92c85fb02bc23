"""The section of the Predict page that changes the radiograph and predicts it again."""

import pytest
from apps import alts, run, started, texts

from boneage.robustness import stress


@pytest.fixture
def asked(tiny_artifacts, monkeypatch):
    """The app, and the changes predicted, one entry each time."""
    made, answer, predict = [], [], stress.predict_stressed

    def counted(predictor, pixels, sex, degrees, frame=None):
        made.append({n: v for n, v in degrees.items() if v != stress.UNCHANGED[n]})
        answer.extend([predict(predictor, pixels, sex, degrees, frame)] if not answer else [])
        return answer[0]

    monkeypatch.setattr("pages.predict_sections.robustness.predict_stressed", counted)
    app = started()
    app.button(key="sample-Girl, 13 years").click()
    return run(app), made


def test_it_costs_nothing_until_it_is_opened_and_follows_the_sliders(asked):
    app, made = asked
    assert "Robustness of this prediction" in texts(app)
    assert not made
    app.session_state["robustness"] = True
    run(app)
    along = stress.CHANGES["rotation"].positions
    assert sorted(d.get("rotation", 0) for d in made) == sorted(along)  # each once
    assert "the same as on the unchanged radiograph" in texts(app)
    assert {"Changed radiograph", "Model input, changed"} <= set(alts(app))

    del made[:]
    (slider,) = [s for s in app.select_slider if s.key.startswith("stress-gamma")]
    slider.set_value(2.0)
    run(app)
    assert {"gamma": 2.0} in made
    assert app.selectbox(key="stress-along").value == "gamma"
    assert len(made) == len(stress.CHANGES["gamma"].positions) - 1
    del made[:]
    app.button(key="stress-reset").click()
    run(app)
    assert not made  # all known
