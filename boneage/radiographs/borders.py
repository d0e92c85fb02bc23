"""Frames round a film: scanner lid, light box, screenshot. They lie about contrast and polarity."""

from typing import NamedTuple

import numpy as np

from boneage.radiographs.limits import MIN_SIDE

# Strict, as a film must not lose an edge, and many are collimated with a nearly even gray or white
# surround: of the 12,200 RSNA radiographs in the training and test sets none has such a frame. Gray
# levels are of 255 between the darkest and the brightest pixel.
_TOLERANCE = 3  # of the parts of a line from its median, and as many standard errors ...
_EVEN = 0.98  # ... for this share of them
_PARTS = 64  # of a line: the noise of a scanner's lid averages out in each
_NOISE_FREE, _MAX_NOISE = 0.5, 12  # standard deviation between neighboring pixels
_STEP = 25  # from the frame to the film's outermost pixels ...
_APART = 0.8  # ... for this share of them
_DARK = 40  # what is darker may be the film's own background
_MIN_WIDTH = 0.02  # of the image's side
_MIN_SIDES = 3
_MIN_BAR = 0.1  # of the image's side, where there are but two bars, opposite to each other
_BLUR = 0.0125  # of the image's side, how far resizing and JPEG may smear a frame's inner edge
_SHARP = 0.8  # of a step's height in its first line ...
_PENUMBRA = 4  # ... of as many
_MAX_FRAMES = 4  # one within the other
_MAX_SAMPLES = 1024  # of a line; so many tell whether it is beyond the step
_UPPER_QUARTILE = 1.15  # of the size of normally distributed noise, in standard deviations
_AT_ONCE = 64  # lines, for speed

Box = tuple[int, int, int, int]


def find_film(pixels: np.ndarray, black_too: bool = False) -> Box:
    """Where the film lies within even, white or gray frames.

    A frame is made of whole lines of one gray level, but for noise. It runs along any side where it
    ends from one line to the next. Where it ends within some lines, as after resizing or JPEG, it
    runs along all sides; without noise along three, or it is a wide bar at two opposite ones. Black
    borders stay: they look like a radiograph's own background.

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
        borders = [_even_lines(side, span) for side in sides]
        inner = _shrunk(box, [border.width for border in borders])
        if inner == box or min(inner[2] - inner[0], inner[3] - inner[1]) < MIN_SIDE:
            break
        steps = [
            _step(side, border.level, span)
            if border.width and (black_too or border.level > dark)
            else None
            for side, border in zip(_sides(pixels, inner), borders, strict=True)
        ]
        if any(widths := _frame(borders, steps, [len(side) for side in sides])):
            inner = _shrunk(box, widths)
            left, top, right, bottom = inner
            if not np.ptp(pixels[top:bottom, left:right]):
                break  # nothing is left: what looked like a frame is the image itself
            film = inner
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


class _Border(NamedTuple):
    """Even lines along a side: how many, of which gray level, and whether there is noise."""

    width: int
    level: float
    noisy: bool = False


class _Step(NamedTuple):
    """How many lines after a border it ends, and whether from one line to the next."""

    after: int
    is_sharp: bool


def _frame(borders: list[_Border], steps: list[_Step | None], lengths: list[int]) -> list[int]:
    """The width of the frame at each side, 0 where there is none."""
    every = [
        border.width + step.after if step else 0
        for border, step in zip(borders, steps, strict=True)
    ]
    sharp = [bool(step and step.is_sharp) for step in steps]
    wide = [width >= _MIN_WIDTH * length for width, length in zip(every, lengths, strict=True)]
    if all(wide):
        return every
    # The penumbra of a collimator, and what noise leaves of it, is no edge of a film.
    clear = [
        width if is_sharp or not border.noisy else 0
        for width, is_sharp, border in zip(every, sharp, borders, strict=True)
    ]
    parts = [width / length for width, length in zip(clear, lengths, strict=True)]
    bars = max(min(parts[0], parts[2]), min(parts[1], parts[3]))
    if sum(part >= _MIN_WIDTH for part in parts) >= _MIN_SIDES or bars >= _MIN_BAR:
        return clear
    alone = [is_wide and is_sharp for is_wide, is_sharp in zip(wide, sharp, strict=True)]
    return [width if is_alone else 0 for width, is_alone in zip(every, alone, strict=True)]


def _even_lines(lines: np.ndarray, span: float) -> _Border:
    """The first lines, as far as they are of one gray level, but for noise."""
    length = max(1, lines.shape[1] // _PARTS)
    first = _means(lines[:1], length)[0]
    level = float(np.median(first))
    # The upper quartile, as half of all neighbors are equal where the noise is cut off at black.
    steps = np.abs(np.diff(lines[0].astype(np.float32)))
    noise = float(np.quantile(steps, 0.75)) / _UPPER_QUARTILE / np.sqrt(2)
    if noise > _MAX_NOISE * span / 255:
        return _Border(0, level)
    noisy = bool(noise > _NOISE_FREE * span / 255)
    allowed = _TOLERANCE * (span / 255 + noise / np.sqrt(length))
    for start in range(0, len(lines), _AT_ONCE):
        means = _means(lines[start : start + _AT_ONCE], length)
        even = (np.abs(means - level) <= allowed).mean(axis=1) >= _EVEN
        if not even.all():
            return _Border(start + int(np.argmin(even)), level, noisy)
    return _Border(0, level)  # nothing but one level


def _means(lines: np.ndarray, length: int) -> np.ndarray:
    """(lines, parts) means of parts of so many pixels."""
    whole = lines.shape[1] // length * length
    return lines[:, :whole].astype(np.float32).reshape(len(lines), -1, length).mean(axis=2)


def _step(lines: np.ndarray, level: float, span: float) -> _Step | None:
    """Where lines are first clearly not of the frame's level; None where they change gradually."""
    near = lines[: 1 + round(_BLUR * len(lines)), :: max(1, lines.shape[1] // _MAX_SAMPLES)]
    apart = np.abs(near.astype(np.float32) - level)
    beyond = (apart >= _STEP * span / 255).mean(axis=1) >= _APART
    if not beyond.any():
        return None
    first = int(np.argmax(beyond))
    height = np.median(apart, axis=1)
    return _Step(first, bool(first == 0 and height[0] >= _SHARP * height[:_PENUMBRA].max()))
