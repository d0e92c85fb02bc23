import pytest

from boneage.artifacts import Facts
from boneage.comparison.costs import Cost, cost, together
from boneage.models.registry import find_model


def facts(name="densenet121", input_size=128, mirrored=False) -> Facts:
    return Facts(
        name=name,
        title="",
        architecture="",
        preset={},
        preprocessing={},
        build={"input_size": input_size},
        mirrored=mirrored,
        data_fingerprint="",
        n_train=1,
        parameters=7_000_000,
        versions={},
        weights_sha256="0" * 64,
        trained_on="2025-01-31",
        training_seconds=5400.0,
        training_note="",
    )


def test_half_the_side_takes_a_quarter_of_the_operations():
    full, half = cost(facts(input_size=256), 14_000_000), cost(facts(input_size=128), 14_000_000)
    assert full.gflops == find_model("densenet121").gflops
    assert half.gflops == pytest.approx(full.gflops / 4)
    assert half.weights_mb == 14.0
    assert half.input_sizes == (128,)
    assert half.parameters == 7_000_000


def test_the_mirror_image_takes_the_operations_twice():
    once, twice = cost(facts(), None), cost(facts(mirrored=True), None)
    assert twice.gflops == 2 * once.gflops


def test_used_together_costs_add_up():
    pair = [cost(facts(input_size=256), 14_000_000), cost(facts(input_size=128), 1_000_000)]
    both = together(pair)
    gflops = find_model("densenet121").gflops
    assert both == Cost(14_000_000, 15.0, pytest.approx(1.25 * gflops), (128, 256), 10800.0)


def test_weights_that_are_not_published_have_no_size():
    assert cost(facts(), None).weights_mb is None
    assert together([cost(facts(), None), cost(facts(), 5)]).weights_mb is None
