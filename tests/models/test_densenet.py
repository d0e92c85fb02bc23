import keras
import numpy as np

from boneage.models.registry import build_model


def test_body_computes_what_the_published_densenet121_computes():
    ours = build_model("densenet121", input_size=32)
    ours = keras.Model(ours.inputs[0], ours.get_layer("last_feature_map").output)
    published = keras.applications.DenseNet121(
        include_top=False, weights=None, input_shape=(32, 32, 1)
    )
    ours.set_weights(published.get_weights())
    image = np.random.default_rng(0).random((1, 32, 32, 1), dtype="float32")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ours(image)),
        keras.ops.convert_to_numpy(published(image)),
        rtol=1e-3,
        atol=1e-5,
    )
