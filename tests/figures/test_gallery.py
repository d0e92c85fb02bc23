import base64

import cv2
import numpy as np

from boneage.figures.gallery import gallery


def test_every_image_keeps_its_pixels_and_has_its_caption():
    gray = np.arange(12, dtype=np.uint8).reshape(3, 4)
    red = np.zeros((5, 2, 3), np.uint8)
    red[..., 0] = 200
    figure = gallery({"Gray": gray, "Red": red}, "What is shown?")
    assert [annotation.text for annotation in figure.layout.annotations] == ["Gray", "Red"]
    assert figure.layout.title.text == "What is shown?"
    drawn = [_decoded(trace.source) for trace in figure.data]
    np.testing.assert_array_equal(drawn[0][..., 0], gray)
    np.testing.assert_array_equal(drawn[1], red)
    assert not any(axis.visible for axis in figure.select_xaxes())


def _decoded(source: str) -> np.ndarray:
    """(H, W, 3) RGB."""
    png = base64.b64decode(source.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
