"""What a model costs: memory, arithmetic and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from boneage.artifacts import Facts
from boneage.models.registry import find_model


@dataclass(frozen=True)
class Cost:
    """Costs of one model, or of several used together.

    Attributes:
        parameters: number of weights, trained and not.
        weights_mb: size of the weights file in MB (10**6 bytes); None where it is not published.
        gflops: floating-point operations of one prediction, in billions.
        input_sizes: sides of the square inputs in pixels, ascending.
        training_seconds: time spent training.
    """

    parameters: int
    weights_mb: float | None
    gflops: float
    input_sizes: tuple[int, ...]
    training_seconds: float


def cost(facts: Facts, weights_bytes: int | None) -> Cost:
    """What a model costs to run.

    Args:
        facts: of the model.
        weights_bytes: size of its weights file; None without one.

    Returns:
        The cost. Operations are those of the registry, which grow with the number of pixels, twice
        where the model reads the mirror image too.
    """
    entry, size = find_model(facts.name), facts.build["input_size"]
    readings = 2 if facts.mirrored else 1
    return Cost(
        facts.parameters,
        None if weights_bytes is None else weights_bytes / 1e6,
        readings * entry.gflops * (size / entry.input_size) ** 2,
        (size,),
        facts.training_seconds,
    )


def together(costs: Sequence[Cost]) -> Cost:
    """Cost of an ensemble, whose models run one after the other.

    Args:
        costs: of its models.

    Returns:
        The cost.
    """
    sizes = [one.weights_mb for one in costs if one.weights_mb is not None]
    return Cost(
        sum(one.parameters for one in costs),
        sum(sizes) if len(sizes) == len(costs) else None,
        sum(one.gflops for one in costs),
        tuple(sorted({size for one in costs for size in one.input_sizes})),
        sum(one.training_seconds for one in costs),
    )
