"""Prepared hands whose landmarks are known exactly, without MediaPipe."""

import cv2
import numpy as np

from boneage.datasets.phantoms import Phantom
from boneage.radiographs.hand import MEDIAPIPE, Hand
from boneage.radiographs.preprocessing import PreparedHand


def prepared_phantom(phantom: Phantom, size=256, degrees=0.0, mirrored=False) -> PreparedHand:
    """A phantom as a prepared hand, on its own pixels turned clockwise, or turned and mirrored."""
    height, width = phantom.pixels.shape
    from_phantom = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 0.7 * size / height)
    from_phantom[:, 2] += size / 2 - np.array([width, height]) / 2
    if mirrored:
        from_phantom = np.array([[-1, 0, size - 1], [0, 1, 0]]) @ np.vstack([from_phantom, _LAST])
    landmarks = phantom.landmarks.copy()
    # A phantom's wrist is the joint surface of the radius; MediaPipe's is in the carpals.
    landmarks[0] += 0.1 * (landmarks[9] - landmarks[0])
    hand = Hand(MEDIAPIPE, (width / 2, height / 2), (width, height), degrees, landmarks)
    image = cv2.warpAffine(phantom.pixels, from_phantom, (size, size))
    return PreparedHand(image, hand, 0.0, cv2.invertAffineTransform(from_phantom))


def on_image(hand: PreparedHand, points) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of points x, y on the phantom."""
    inverse = cv2.invertAffineTransform(hand.to_radiograph)
    columns, rows = np.round(np.array(points) @ inverse[:, :2].T + inverse[:, 2]).astype(int).T
    return rows, columns


_LAST = np.array([[0, 0, 1]])
