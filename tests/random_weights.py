"""Models whose every weight matters: fresh biases and batch statistics do nothing."""

import math

import keras
import numpy as np


def with_random_weights(model: keras.Model, seed: int = 3) -> keras.Model:
    """Give every weight its own random value; with seed 3, maps of both directions show cells."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if variable.name == "kernel":
            inputs = math.prod(variable.shape[:-1])
            value = rng.normal(0, math.sqrt(2 / inputs), variable.shape)
        elif variable.name in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, variable.shape)
        else:
            value = rng.normal(0, 0.2, variable.shape)
        variable.assign(value)
    return model
