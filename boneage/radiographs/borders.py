"""Frames round a film: scanner lid, light box, screenshot. They lie about contrast and polarity."""

import numpy as np

from boneage.radiographs.limits import MIN_SIDE

# Strict, as a film must not lose an edge, and many are collimated with a nearly even gray or white
# surround: of the 12,200 RSNA radiographs in the training and test sets none has such a frame. Gray
# levels are of 255 between the darkest and the brightest pixel.
_TOLERANCE = 3  # of the parts of a line from its median, and as many standard errors ...
_EVEN = 0.98  # ... for this share of them
_PARTS = 64  # of a line: the noise of a scanner's lid averages out in each
_MAX_NOISE = 12  # standard deviation between neighboring pixels
_STEP = 25  # from the frame to the film's outermost pixels ...
_APART = 0.8  # ... for this share of them
_DARK = 40  # what is darker may be the film's own background
_MIN_WIDTH = 0.02  # of the image's side
_MIN_SIDES = 3
_MIN_BAR = 0.1  # of the image's side, where there are but two bars, opposite to each other
_BLUR = 0.0125  # of the image's side, how far resizing and JPEG may smear a frame's inner edge
_MAX_FRAMES = 4  # one within the other
_MAX_SAMPLES = 1024  # of a line; so many tell whether it is beyond the step
_MAD_TO_SD = 1.4826  # of normally distributed noise
_AT_ONCE = 64  # lines, for speed

Box = tuple[int, int, int, int]


def find_film(pixels: np.ndarray, black_too: bool = False) -> Box:
    """Where the film lies within even, white or gray frames.

    A frame is made of whole lines of one gray level, but for noise, along at least three sides, or
    is a wide bar at two opposite ones, and ends in a step. Black borders stay: they look like a
    radiograph's own background.

    Args:
        pixels: (H, W) of any integer or finite float dtype.
        black_too: also leave out black frames, which is right for black bones on white.

    Returns:
        (left, top, right, bottom) of the film; (0, 0, W, H) where it has no frame.

    Example:
        >>> framed = np.full((300, 300), 255, np.uint8)
        >>> framed[40:260, 50:280] = np.arange(230) // 2
        >>> find_film(framed)
        (50, 40, 280, 260)
    """
    low = float(pixels.min())
    span = float(pixels.max()) - low
    film = box = (0, 0, pixels.shape[1], pixels.shape[0])
    dark = low + _DARK * span / 255
    if not span:
        return film
    for _ in range(_MAX_FRAMES):
        sides = _sides(pixels, box)
        runs = [_even_lines(side, span) for side in sides]
        widths = [width for width, _ in runs]
        inner = _shrunk(box, widths)
        if inner == box or min(inner[2] - inner[0], inner[3] - inner[1]) < MIN_SIDE:
            break
        found = []
        for side, (width, level) in zip(_sides(pixels, inner), runs, strict=True):
            is_candidate = width and (black_too or level > dark)
            edge = _step(side, level, span) if is_candidate else None
            found.append(0 if edge is None else width + edge)
        if _is_frame(found, sides):
            film = inner = _shrunk(box, found)
        box = inner
    return film


def _sides(pixels: np.ndarray, box: Box) -> list[np.ndarray]:
    """The part in a box four times, each time with another side's lines first."""
    left, top, right, bottom = box
    part = pixels[top:bottom, left:right]
    return [part.T, part, part.T[::-1], part[::-1]]


def _shrunk(box: Box, widths: list[int]) -> Box:
    left, top, right, bottom = widths
    return box[0] + left, box[1] + top, box[2] - right, box[3] - bottom


def _is_frame(widths: list[int], sides: list[np.ndarray]) -> bool:
    parts = [width / len(side) for width, side in zip(widths, sides, strict=True)]
    bars = max(min(parts[0], parts[2]), min(parts[1], parts[3]))
    return sum(part >= _MIN_WIDTH for part in parts) >= _MIN_SIDES or bars >= _MIN_BAR


def _even_lines(lines: np.ndarray, span: float) -> tuple[int, float]:
    """How many of the first lines are of one gray level, but for noise, and which."""
    first = lines[0].astype(np.float32)
    level = float(np.median(first))
    noise = _MAD_TO_SD * float(np.median(np.abs(np.diff(first)))) / np.sqrt(2)
    if noise > _MAX_NOISE * span / 255:
        return 0, level
    length = max(1, len(first) // _PARTS)
    allowed = _TOLERANCE * (span / 255 + noise / np.sqrt(length))
    whole = len(first) // length * length
    for start in range(0, len(lines), _AT_ONCE):
        some = lines[start : start + _AT_ONCE, :whole].astype(np.float32)
        means = some.reshape(len(some), -1, length).mean(axis=2)
        even = (np.abs(means - level) <= allowed).mean(axis=1) >= _EVEN
        if not even.all():
            return start + int(np.argmin(even)), level
    return 0, level  # nothing but one level


def _step(lines: np.ndarray, level: float, span: float) -> int | None:
    """The first line that is clearly not of the frame's level; None where it comes gradually."""
    near = lines[: 1 + round(_BLUR * len(lines)), :: max(1, lines.shape[1] // _MAX_SAMPLES)]
    apart = np.abs(near.astype(np.float32) - level) >= _STEP * span / 255
    beyond = apart.mean(axis=1) >= _APART
    return int(np.argmax(beyond)) if beyond.any() else None
