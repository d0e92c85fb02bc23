"""The shape of a hand: its landmarks without place, size, turn and side."""

import numpy as np

from boneage.radiographs.hand import upright_angle, upright_axes

_THUMB = slice(1, 5)


def aligned(landmarks: np.ndarray) -> np.ndarray:
    """(21, 2) landmarks in MediaPipe's order -> (42,) with the fingers up and the thumb right.

    Centered and of unit size, as Procrustes analysis has it (Goodall, J R Stat Soc B 1991;53:285-
    339), but turned by the hand's own axis. MediaPipe finds hands where there are none; the joints
    it then places hardly ever lie as those of a hand flat on a film.
    """
    upright = landmarks @ upright_axes(upright_angle(landmarks)).T
    centered = upright - upright.mean(axis=0)
    if centered[_THUMB, 0].mean() < 0:
        centered[:, 0] *= -1
    return (centered / np.linalg.norm(centered)).ravel()
