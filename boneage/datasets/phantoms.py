"""Synthetic hand radiographs of known bone age: no patient, no data set, no download.

A phantom is a left hand, posterior-anterior, fingers up and thumb to the right, drawn from tables
of usual ossification ages. Pose, size, build, exposure and noise vary with the seed, so that only
the ossification tells the age. Phantoms serve tests, first steps without data, and as a sample
to try. They are drawings: nothing measured on them says anything about real radiographs.

Lengths in this module are hand units (wrist to the third metacarpophalangeal joint = 1) in the
hand's own frame: origin at the wrist, x towards the thumb, y towards the forearm.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from boneage.atomic import replace_file
from boneage.sexes import SEXES

OLDEST = 240.0  # months; nothing changes on a hand after skeletal maturity

# Usual ages in months, (female, male), rounded. Approximate, for drawing and not for reading bone
# age, after the standard tables: Greulich & Pyle, Radiographic Atlas of Skeletal Development of
# the Hand and Wrist, 2nd ed. 1959; Garn, Rohmann & Silverman, Med Radiogr Photogr 1967;43:45-66;
# Gilsanz & Ratib, Hand Bone Age, 2005.
#                 first visible, carpal bone fully shaped
CARPAL_AGES = {
    "capitate": ((2, 3), (150, 174)),
    "hamate": ((2, 4), (150, 174)),
    "triquetrum": ((21, 29), (150, 174)),
    "lunate": ((32, 48), (150, 174)),
    "scaphoid": ((49, 68), (150, 174)),
    "trapezium": ((49, 70), (150, 174)),
    "trapezoid": ((50, 75), (150, 174)),
    "pisiform": ((102, 124), (156, 180)),
    "thumb sesamoid": ((129, 153), (160, 184)),
}
#                 epiphysis first visible, growth plate closed
EPIPHYSIS_AGES = {
    "radius": ((10, 13), (204, 224)),
    "ulna": ((64, 84), (198, 216)),
    "metacarpal": ((14, 22), (174, 198)),
    "first metacarpal": ((19, 30), (168, 192)),
    "proximal phalanx": ((11, 18), (174, 196)),
    "middle phalanx": ((16, 26), (172, 195)),
    "distal phalanx": ((19, 29), (160, 184)),
}

# Adult carpal bones: x, y, half width, half height, turn in degrees (clockwise), squareness
# (exponent of a superellipse, 2 = ellipse).
_CARPAL_SHAPES = {
    "lunate": (0.012, -0.080, 0.074, 0.064, 10, 2.6),
    "scaphoid": (0.142, -0.122, 0.112, 0.060, -42, 2.5),
    "triquetrum": (-0.128, -0.132, 0.074, 0.060, 30, 2.5),
    "pisiform": (-0.158, -0.108, 0.042, 0.036, 60, 2.2),
    "capitate": (0.034, -0.262, 0.070, 0.124, 4, 2.8),
    "hamate": (-0.098, -0.272, 0.076, 0.096, -22, 2.6),
    "trapezoid": (0.164, -0.296, 0.058, 0.066, 12, 2.9),
    "trapezium": (0.262, -0.236, 0.066, 0.078, 32, 2.9),
    "thumb sesamoid": (0.520, -0.600, 0.024, 0.019, 40, 2.0),
}

# Joints at the two ends of the metacarpals, thumb first.
_METACARPAL_BASES = ((0.335, -0.280), (0.185, -0.365), (0.045, -0.390), (-0.070, -0.370),
                     (-0.175, -0.330))  # fmt: skip
_METACARPAL_HEADS = ((0.615, -0.600), (0.270, -0.985), (0.000, -1.000), (-0.240, -0.915),
                     (-0.435, -0.765))  # fmt: skip
# Phalanges from the knuckle outwards, and the finger's direction in degrees from straight up.
_PHALANGES = ((0.33, 0.26), (0.46, 0.27, 0.20), (0.51, 0.31, 0.21), (0.47, 0.29, 0.21),
              (0.35, 0.20, 0.18))  # fmt: skip
_DIRECTIONS = (35.0, 8.0, -2.0, -11.0, -24.0)
_THICKNESSES = (1.08, 1.02, 1.04, 0.97, 0.85)

# Joint surface and far end, beyond the image, of the two bones of the forearm.
_RADIUS_ENDS = ((0.100, 0.005), (0.000, 3.0))
_ULNA_ENDS = ((-0.150, 0.050), (-0.130, 3.0))

_SUPERSAMPLING = 3
_CORTEX, _MEDULLA = 142, 100  # brightness added by compact and by spongy bone


@dataclass(frozen=True, eq=False)
class Phantom:
    """A drawn hand and what is known of it; positions are x, y in pixels.

    Attributes:
        pixels: (H, W) uint8, bones bright.
        landmarks: (21, 2) float32, MediaPipe's order: wrist, then thumb to little finger, each from
            the hand outwards.
        box: (left, top, right, bottom) around the hand with its soft tissue and the distal radius
            and ulna, within the image.
        radius_axis: (2, 2) float64, from the joint surface of the radius through the middle of its
            growth plate to the shaft.
    """

    pixels: np.ndarray
    landmarks: np.ndarray
    box: tuple[float, float, float, float]
    radius_axis: np.ndarray


def draw_phantom(age_months: float, sex: str, seed: int = 0, height: int = 400) -> np.ndarray:
    """Draw a synthetic radiograph of a hand; see `make_phantom` for what is known of it.

    Args:
        age_months: bone age, 0 to 240 months.
        sex: "female" or "male"; sets when each center appears and each growth plate fuses.
        seed: everything but the ossification; one seed at two ages is the same hand growing.
        height: of the image in pixels, 100 to 4000.

    Returns:
        (H, W) uint8, bones bright, W = 0.75 H; the same arguments always give the same pixels.

    Raises:
        ValueError: an argument outside these.

    Example:
        >>> pixels = draw_phantom(120, "female", seed=1)
        >>> pixels.shape, pixels.dtype
        ((400, 300), dtype('uint8'))
    """
    return make_phantom(age_months, sex, seed, height).pixels


def make_phantom(age_months: float, sex: str, seed: int = 0, height: int = 400) -> Phantom:
    """Draw a hand of known bone age; the same arguments always give the same pixels.

    Args:
        age_months: bone age, 0 to 240 months.
        sex: "female" or "male"; sets when each center appears and each growth plate fuses.
        seed: everything but the ossification; one seed at two ages is the same hand growing.
        height: of the image in pixels, 100 to 4000.

    Returns:
        The image, (H, 0.75 H) uint8, with its landmarks, its box and the axis of its radius.

    Raises:
        ValueError: an argument outside these.

    Example:
        >>> phantom = make_phantom(120, "female")
        >>> phantom.pixels.shape, phantom.landmarks.shape
        ((400, 300), (21, 2))
    """
    _check(age_months, sex, seed, height)
    rng = np.random.default_rng(seed)
    build = _Build.draw(rng, age_months)
    maturity = _Maturity(float(age_months), SEXES.index(sex))
    joints = _joints(build)
    skin = _skin(joints, build)
    frame = _Frame.fit(skin, build, height, round(0.75 * height))

    bone = _paint(_bones(joints, build, maturity), frame)
    pixels = _expose(bone, _soft_tissue(skin, frame), frame, build, rng)
    _stamp(pixels, frame)

    landmarks = np.concatenate([[[0.0, 0.0]], *joints])
    return Phantom(
        pixels,
        frame.to_pixels(landmarks).astype(np.float32),
        frame.box(skin),
        frame.to_pixels(_radius_axis()),
    )


def write_phantoms(folder: Path | str, n_train: int = 60, n_test: int = 12, seed: int = 0) -> Path:
    """Write a small data set of phantoms, laid out as the RSNA challenge is.

    boneage-training-dataset/<id>.png and boneage-training-dataset.csv (`id,boneage,male`; whole
    months), boneage-test-dataset/ and boneage-test-dataset.csv (months with decimals). Ages are
    spread evenly from 6 to 216 months; the sexes alternate.

    Args:
        folder: where to write it; made where it does not exist.
        n_train: number of training images.
        n_test: number of test images.
        seed: of ages and hands.

    Returns:
        The folder.

    Raises:
        NotWrittenError: a file cannot be written.

    Example:
        >>> folder = write_phantoms("phantoms", n_train=2, n_test=0)
        >>> print((folder / "boneage-training-dataset.csv").read_text())
        id,boneage,male
        1001,34,False
        1002,115,True
        <BLANKLINE>
    """
    folder = Path(folder)
    rng = np.random.default_rng(seed)
    parts = (
        ("boneage-training-dataset", 1001, n_train, 0),
        ("boneage-test-dataset", 4001, n_test, 2),
    )
    for name, first_id, count, decimals in parts:
        ages = 6 + 210 * (rng.permutation(count) + rng.uniform(size=count)) / max(count, 1)
        labels = ["id,boneage,male"]
        for index, age in enumerate(np.round(ages, decimals)):
            case, sex = first_id + index, SEXES[index % 2]
            pixels = draw_phantom(age, sex, seed=seed * 100_000 + case)
            content = cv2.imencode(".png", pixels)[1].tobytes()
            replace_file(folder / name / f"{case}.png", content)
            labels.append(f"{case},{age:.{decimals}f},{sex == 'male'}")
        replace_file(folder / f"{name}.csv", "".join(f"{line}\n" for line in labels).encode())
    return folder


def _check(age_months: float, sex: str, seed: int, height: int) -> None:
    if not 0 <= age_months <= OLDEST:  # also false for NaN
        raise ValueError(
            f"The age of a phantom must lie between 0 and {OLDEST:.0f} months, not {age_months}."
        )
    if sex not in SEXES:
        raise ValueError(f'The sex of a phantom must be "female" or "male", not {sex!r}.')
    if seed < 0:
        raise ValueError(f"The seed of a phantom must be 0 or more, not {seed}.")
    if not 100 <= height <= 4000:
        raise ValueError(
            f"The height of a phantom must lie between 100 and 4000 pixels, not {height}."
        )


# --- what varies ---------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Build:
    """Pose, size, build and exposure of one hand: all that the seed decides, and overall growth."""

    youth: float  # 1 at birth, 0 when grown: chubbier, with broader bones
    unit: float  # length of a hand unit as a fraction of the image's height
    spread: float
    turn: float  # degrees
    fingers: np.ndarray  # (5, 3) degrees added to each phalanx's direction
    lengths: np.ndarray  # (5,) factors
    bone_width: float
    soft_width: float
    shift: np.ndarray  # (2,) in [0, 1], where in the room that is left
    bone_gain: float
    soft_gain: float
    background: float
    gradient: np.ndarray  # (2,) exposure change across the image
    noise: float

    @classmethod
    def draw(cls, rng: np.random.Generator, age: float) -> "_Build":
        youth = float((1 - min(age / 204, 1)) ** 1.6)
        return cls(
            youth=youth,
            # growth is real, but the spread of sizes is as large, as it is on real films
            unit=(0.33 - 0.06 * youth) * rng.uniform(0.84, 1.08),
            spread=rng.uniform(0.7, 1.35),
            turn=rng.uniform(-8, 8),
            fingers=rng.normal(0, 1.6, (5, 1)) + rng.normal(0, 1.8, (5, 3)),
            lengths=rng.normal(1, 0.02, 5),
            bone_width=rng.uniform(0.93, 1.08) * (1 + 0.12 * youth),
            soft_width=rng.uniform(0.93, 1.12) * (1 + 0.22 * youth),
            shift=rng.uniform(size=2),
            bone_gain=rng.uniform(0.88, 1.12) * (1 - 0.12 * youth),
            soft_gain=rng.uniform(0.8, 1.2),
            background=rng.uniform(6, 16),
            gradient=rng.uniform(-0.09, 0.09, 2),
            noise=rng.uniform(1.5, 3.5),
        )


@dataclass(frozen=True)
class _Maturity:
    """How far ossification has come at an age (months) for a sex (0 female, 1 male)."""

    age: float
    sex: int

    def carpal(self, name: str) -> float:
        """Size of a carpal center: 0 not yet visible, 1 fully shaped."""
        appears, shaped = (ages[self.sex] for ages in CARPAL_AGES[name])
        if self.age < appears:
            return 0.0
        return 0.14 + 0.86 * min((self.age - appears) / (shaped - appears), 1.0) ** 0.6

    def epiphysis(self, name: str) -> tuple[float, float, float]:
        """(growth, closing, age of the scar): sizes from 0 to 1, and 0 to 1 once closed.

        growth: 0 not yet visible, 1 as wide as the metaphysis; closing: 1 when the plate is shut.
        """
        appears, closes = (ages[self.sex] for ages in EPIPHYSIS_AGES[name])
        if self.age < appears:
            return 0.0, 0.0, 0.0
        course = (self.age - appears) / (closes - appears)
        growth = 0.12 + 0.88 * min(course / 0.6, 1.0) ** 0.7
        return growth, min(course, 1.0), float(np.clip((self.age - closes) / 18, 0, 1))


# --- anatomy in hand units -----------------------------------------------------------------------


def _joints(build: _Build) -> list[np.ndarray]:
    """Five digits, thumb first, each (4, 2): the joints and the tip, as MediaPipe counts them."""
    digits = []
    for digit, (base, head) in enumerate(zip(_METACARPAL_BASES, _METACARPAL_HEADS, strict=True)):
        points = [np.array(base), np.array(head)] if digit == 0 else [np.array(head)]
        for index, length in enumerate(_PHALANGES[digit]):
            heading = _DIRECTIONS[digit] * build.spread if digit else _DIRECTIONS[0]
            angle = np.deg2rad(heading + build.fingers[digit, index])
            step = length * build.lengths[digit] * np.array([np.sin(angle), -np.cos(angle)])
            points.append(points[-1] + step)
        digits.append(np.array(points))
    return digits


def _skin(joints: list[np.ndarray], build: _Build) -> list[np.ndarray]:
    """Outlines that together make the soft tissue: digits, palm, thenar, forearm."""
    wide = build.soft_width
    outlines = []
    for digit, points in enumerate(joints):
        half = np.array([0.125, 0.102, 0.090, 0.068]) * wide * _THICKNESSES[digit]
        if digit == 0:
            half = np.array([0.150, 0.125, 0.098, 0.070]) * wide
        tip = points[3] - 0.018 * _unit(points[3] - points[2])
        path = np.array([*points[:3], tip])
        outlines += [
            _capsule(path[i], path[i + 1], half[i], half[i + 1]) for i in range(len(path) - 1)
        ]
    heads = [points[0] for points in joints[1:]]
    wrist = 0.255 * wide
    middle = np.array([-0.025, 0.0])
    for base, head in zip(_METACARPAL_BASES[1:], heads, strict=True):
        outlines.append(_capsule(np.array(base), head, 0.16 * wide, 0.125 * wide))
    thumb, index = joints[0], heads[0]
    outlines.append(np.array([thumb[0], 0.75 * thumb[1] + 0.25 * thumb[2], index + [0.02, 0.07]]))
    outlines.append(_capsule(middle + [0, -0.22], middle + [0, 0.10], 0.30 * wide, wrist))
    outlines.append(_capsule(middle, middle + [0, 0.6], wrist, 0.28 * wide))
    outlines.append(_capsule(middle + [0, 0.6], middle + [0, 3.0], 0.28 * wide, 0.37 * wide))
    return outlines


@dataclass(frozen=True)
class _LongBone:
    """Half widths and lengths of a long bone whose epiphysis is at one end."""

    metaphysis: float
    waist: float
    far_end: float
    depth: float  # of the grown epiphysis
    flare: float = 3.0  # how suddenly the shaft widens to its ends
    squareness: float = 3.2  # of the epiphysis
    slant: float = 0.0  # of its joint surface


_METACARPAL = _LongBone(0.066, 0.036, 0.068, 0.100, squareness=2.4)
_FIRST_METACARPAL = _LongBone(0.074, 0.043, 0.066, 0.075)
_PROXIMAL = _LongBone(0.070, 0.039, 0.053, 0.060)
_MIDDLE = _LongBone(0.062, 0.034, 0.046, 0.052)
_DISTAL = _LongBone(0.055, 0.020, 0.034, 0.044, flare=2.4)
_RADIUS = _LongBone(0.136, 0.074, 0.080, 0.125, flare=9.0, squareness=3.0, slant=-0.32)
_ULNA = _LongBone(0.074, 0.050, 0.060, 0.085, flare=12.0, squareness=2.8, slant=0.25)

_Layer = tuple[np.ndarray, float]  # an outline (N, 2) and its brightness


def _bones(joints: list[np.ndarray], build: _Build, maturity: _Maturity) -> list[list[_Layer]]:
    """Every bone as layers to be painted over each other."""
    bones = []
    for ends, shape, name in ((_RADIUS_ENDS, _RADIUS, "radius"), (_ULNA_ENDS, _ULNA, "ulna")):
        start, end = np.array(ends)
        bones.append(_long_bone(start, end, shape, maturity.epiphysis(name), build, 1.0))
    bones += [_carpal(name, maturity.carpal(name)) for name in CARPAL_AGES]
    for digit, points in enumerate(joints):
        size = _THICKNESSES[digit]
        base = np.array(_METACARPAL_BASES[digit])
        if digit == 0:
            metacarpal = (base, points[1], _FIRST_METACARPAL, "first metacarpal")
            chain = points[1:]
            shapes = [(_PROXIMAL, "proximal"), (_DISTAL, "distal")]
        else:  # the fingers' metacarpals grow at the knuckle
            metacarpal = (points[0], base, _METACARPAL, "metacarpal")
            chain = points
            shapes = [(_PROXIMAL, "proximal"), (_MIDDLE, "middle"), (_DISTAL, "distal")]
        start, end, shape, name = metacarpal
        bones.append(_long_bone(start, end, shape, maturity.epiphysis(name), build, size))
        for i, (shape, name) in enumerate(shapes):
            state = maturity.epiphysis(f"{name} phalanx")
            bones.append(_long_bone(chain[i], chain[i + 1], shape, state, build, size))
    return [bone for bone in bones if bone]


def _radius_axis() -> np.ndarray:
    """(2, 2): from the joint surface of the radius down its shaft, past the growth plate."""
    start, end = np.array(_RADIUS_ENDS)
    return np.array([start, start + 0.4 * _unit(end - start)])


def _long_bone(
    start: np.ndarray,
    end: np.ndarray,
    shape: _LongBone,
    state: tuple[float, float, float],
    build: _Build,
    size: float,
) -> list[_Layer]:
    """A bone whose epiphysis lies at `start`: bridge over the plate, shaft, epiphysis, scar."""
    growth, closing, scar = state
    wide = size * build.bone_width
    space = 0.011  # half the joint space, cartilage of the grown joint
    depth = shape.depth * size + space
    half = shape.metaphysis * wide
    plate = shape.depth * size * (0.08 + 0.27 * (1 - closing))  # what is left of the growth plate
    place = _placer(start, end)
    length = float(np.linalg.norm(end - start)) - space - 0.02 * build.youth

    layers = []
    shaft = _shaft(shape, wide, depth, length)
    rim = 0.009
    if growth:
        fused = float(np.clip((closing - 0.82) / 0.18, 0, 1)) ** 1.5
        bridge = _slab(0.94 * half, depth - plate - 3 * rim, depth + 2 * rim)
        layers.append((place(bridge), _CORTEX * fused))
    layers.append((place(shaft), _CORTEX))
    layers.append((place(_marrow(shape, wide, depth + rim, length - rim)), _MEDULLA))
    if growth:
        room = depth - space - plate
        thick = room * (0.30 + 0.70 * growth)
        outline = _epiphysis(half * (0.16 + 0.88 * growth), depth - plate - thick, thick, shape)
        layers.append((place(outline), _CORTEX))
        layers.append((place(_shrunk(outline, rim)), _MEDULLA))
    if scar:
        seam = _slab(0.80 * half, depth - plate - 1.5 * rim, depth + 1.5 * rim)
        layers.append((place(seam), _CORTEX + (_MEDULLA - _CORTEX) * scar))
    return layers


def _shaft(shape: _LongBone, wide: float, first: float, last: float) -> np.ndarray:
    along, half = _profile(shape, wide, first, last)
    return _mirrored(along, half)


def _marrow(shape: _LongBone, wide: float, first: float, last: float) -> np.ndarray:
    """The inside of the shaft: compact bone is thickest at the waist."""
    along, half = _profile(shape, wide, first, last)
    compact = np.clip((half.max() - half) / max(half.max() - shape.waist * wide, 1e-6), 0, 1)
    return _mirrored(along, half * (0.88 - 0.34 * compact) - 0.002)


def _profile(
    shape: _LongBone, wide: float, first: float, last: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions along a shaft and the half widths there, with rounded ends."""
    t = (1 - np.cos(np.linspace(0, np.pi, 33))) / 2  # denser where it is rounded
    half = shape.waist + (shape.metaphysis - shape.waist) * (1 - t) ** shape.flare
    half = half + (shape.far_end - shape.waist) * t**shape.flare
    along = first + t * (last - first)
    rounding = 0.025 + 0.4 * shape.far_end
    near = np.clip(1 - (along - first) / 0.02, 0, 1)
    far = np.clip(1 - (last - along) / rounding, 0, 1)
    return along, wide * half * (1 - 0.15 * near**2) * (1 - 0.55 * far**2.5)


def _epiphysis(half: float, first: float, thick: float, shape: _LongBone) -> np.ndarray:
    """A disc, flat towards the shaft, its joint surface rounded and perhaps slanted."""
    across, along = _superellipse(half, thick / 2, shape.squareness).T
    joint_side = np.clip(-along / (thick / 2), 0, 1)
    along = along + joint_side * shape.slant * across
    return np.stack([across, first + thick / 2 + along], axis=1)


def _carpal(name: str, growth: float) -> list[_Layer]:
    """A carpal bone grows from a round dot to its shape about a fixed center."""
    if growth == 0:
        return []
    x, y, width, height, turn, squareness = _CARPAL_SHAPES[name]
    round_half = (width * height) ** 0.5
    width = growth * (round_half + (width - round_half) * growth)
    height = growth * (round_half + (height - round_half) * growth)
    outline = _superellipse(width, height, 2 + (squareness - 2) * growth)
    # real outlines are no ellipses: flatten one corner and fill another, more with growth
    theta = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
    outline *= (1 + 0.06 * growth * np.cos(3 * theta + len(name)))[:, None]
    outline = outline @ _rotation(turn).T + (x, y)
    return [(outline, _CORTEX), (_shrunk(outline, 0.009), _MEDULLA)]


def _superellipse(width: float, height: float, squareness: float) -> np.ndarray:
    theta = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cos, sin = np.cos(theta), np.sin(theta)
    power = 2 / squareness
    return np.stack(
        [width * np.sign(cos) * abs(cos) ** power, height * np.sign(sin) * abs(sin) ** power], 1
    )


def _shrunk(outline: np.ndarray, by: float) -> np.ndarray:
    """The outline drawn in by a length, or by less than half where it is tiny."""
    spokes = outline - outline.mean(axis=0)
    lengths = np.linalg.norm(spokes, axis=1, keepdims=True)
    return outline.mean(axis=0) + spokes * np.maximum(1 - by / np.maximum(lengths, 1e-6), 0.55)


def _slab(half: float, first: float, last: float) -> np.ndarray:
    return np.array([[-half, first], [half, first], [half, last], [-half, last]])


def _mirrored(along: np.ndarray, half: np.ndarray) -> np.ndarray:
    return np.concatenate([np.stack([half, along], 1), np.stack([-half, along], 1)[::-1]])


def _placer(start: np.ndarray, end: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function from (across, along) of a bone to hand units; along counts from `start`."""
    axis = _unit(end - start)
    across = np.array([axis[1], -axis[0]])
    return lambda points: start + points[:, :1] * across + points[:, 1:] * axis


def _capsule(a: np.ndarray, b: np.ndarray, half_a: float, half_b: float) -> np.ndarray:
    """(N, 2): the convex outline around two discs."""
    theta = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    disc = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    points = np.concatenate([a + half_a * disc, b + half_b * disc]).astype(np.float32)
    return cv2.convexHull(points)[:, 0].astype(np.float64)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _rotation(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


# --- onto the film -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Frame:
    """Where the hand lies in the image."""

    height: int
    width: int
    unit: float  # pixels
    wrist: np.ndarray  # (2,) pixels
    rotation: np.ndarray  # (2, 2)

    @classmethod
    def fit(cls, skin: list[np.ndarray], build: _Build, height: int, width: int) -> "_Frame":
        """Place the hand so that it lies within the image and the forearm leaves below."""
        rotation = _rotation(build.turn)
        low, high = _extent(skin, rotation)
        room = 0.95 * np.array([width, height])
        unit = min(build.unit * height, *(room / (high - low)))
        edge = np.array([0.025 * width, 0.025 * height])
        first, last = edge - low * unit, np.array([width, height]) - edge - high * unit
        # a longer forearm than one unit would be mostly forearm
        first[1] = min(max(first[1], height - unit), last[1])
        return cls(height, width, unit, first + (last - first) * build.shift, rotation)

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(points) @ self.rotation.T * self.unit + self.wrist

    def box(self, skin: list[np.ndarray]) -> tuple[float, float, float, float]:
        low, high = _extent(skin, self.rotation)
        low, high = self.wrist + low * self.unit, self.wrist + high * self.unit
        left, top = np.maximum(low, 0)
        right, bottom = np.minimum(high, (self.width - 1, self.height - 1))
        return float(left), float(top), float(right), float(bottom)


def _extent(skin: list[np.ndarray], rotation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the turned hand down to the distal radius and ulna, 0.4 units below the wrist."""
    points = np.concatenate(skin)
    points = points[points[:, 1] < 0.4]
    points = np.concatenate([points, [[-0.3, 0.4], [0.3, 0.4]]]) @ rotation.T
    return points.min(axis=0), points.max(axis=0)


def _paint(bones: Iterable[list[_Layer]], frame: _Frame) -> np.ndarray:
    """(H, W) float32 in [0, 1]: bone, anti-aliased; overlapping bones are brighter."""
    scale = _SUPERSAMPLING
    canvas = np.zeros((frame.height * scale, frame.width * scale), np.uint8)
    for layers in bones:
        outlines = [_corners(outline, frame, scale) for outline, _ in layers]
        low = np.min([outline.min(axis=0) for outline in outlines], axis=0) // 16 - 1
        high = np.max([outline.max(axis=0) for outline in outlines], axis=0) // 16 + 2
        (x0, y0), (x1, y1) = np.maximum(low, 0), np.minimum(high, canvas.shape[::-1])
        if x1 <= x0 or y1 <= y0:
            continue
        patch = np.zeros((y1 - y0, x1 - x0), np.uint8)
        for outline, (_, brightness) in zip(outlines, layers, strict=True):
            cv2.fillPoly(patch, [outline - [x0 * 16, y0 * 16]], float(brightness), shift=4)
        under = canvas[y0:y1, x0:x1]
        overlap = cv2.min(under, patch) // 3
        canvas[y0:y1, x0:x1] = cv2.add(cv2.max(under, patch), overlap)
    small = cv2.resize(canvas, (frame.width, frame.height), interpolation=cv2.INTER_AREA)
    # the blur of a real film, as a fraction of the hand
    return cv2.GaussianBlur(small.astype(np.float32) / 255, (0, 0), max(0.0085 * frame.unit, 0.4))


def _corners(outline: np.ndarray, frame: _Frame, scale: int) -> np.ndarray:
    """Outline as int32 in sixteenths of a supersampled pixel, which is what fillPoly takes."""
    pixels = (frame.to_pixels(outline) + 0.5) * scale - 0.5
    return np.round(pixels * 16).astype(np.int32)


def _soft_tissue(skin: list[np.ndarray], frame: _Frame) -> np.ndarray:
    """(H, W) float32 in [0, 1]: thickness of soft tissue, rounded towards the skin."""
    mask = np.zeros((frame.height, frame.width), np.uint8)
    for outline in skin:
        cv2.fillPoly(mask, [_corners(outline, frame, 1)], 255, shift=4)
    # blurring and cutting rounds the webs between the fingers
    blur = max(0.025 * frame.unit, 0.5)
    smooth = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), blur)
    inside = np.clip((smooth - 0.5) * 1.6 * blur + 0.5, 0, 1)
    depth = cv2.distanceTransform((smooth > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    hollow = 1 - np.minimum(depth / (0.26 * frame.unit), 1)
    return inside * (0.25 + 0.75 * np.sqrt(1 - hollow**2))


def _expose(
    bone: np.ndarray, soft: np.ndarray, frame: _Frame, build: _Build, rng: np.random.Generator
) -> np.ndarray:
    """(H, W) uint8: absorption, an exposure that varies over the film, trabeculae and noise."""
    y = np.arange(frame.height, dtype=np.float32)[:, None]
    x = np.arange(frame.width, dtype=np.float32)
    axis = (frame.rotation @ [0.0, 1.0]).astype(np.float32)
    below = ((x - frame.wrist[0]) * axis[0] + (y - frame.wrist[1]) * axis[1]) / frame.unit
    # the hand thickens from the fingertips to the forearm
    thickness = np.interp(below, (-2.2, -1.0, -0.3, 0.8), (0.62, 0.85, 1.0, 1.2))
    grain = cv2.GaussianBlur(
        rng.standard_normal(bone.shape, np.float32), (0, 0), max(0.012 * frame.unit, 0.6)
    )
    grain *= 0.07 / grain.std()
    signal = 98 * build.soft_gain * soft + 172 * build.bone_gain * bone * (1 + grain)
    exposure = (
        1
        + build.gradient[0] * (x / frame.width - 0.5)
        + build.gradient[1] * (y / frame.height - 0.5)
    )
    film = build.background + signal * thickness
    noise = build.noise * rng.standard_normal(bone.shape, np.float32)
    return np.clip(film * exposure + noise, 0, 255).astype(np.uint8)


def _stamp(pixels: np.ndarray, frame: _Frame) -> None:
    """The side marker, with the word that keeps a phantom from passing for a patient."""
    size = frame.height / 400
    left = int(0.03 * frame.width)
    for text, scale, line in (("L", 0.9, 0.86), ("PHANTOM", 0.3, 0.895)):
        cv2.putText(
            pixels, text, (left, int(line * frame.height)), cv2.FONT_HERSHEY_SIMPLEX, scale * size,
            215, max(1, round(1.6 * size * scale)), cv2.LINE_AA,
        )  # fmt: skip
