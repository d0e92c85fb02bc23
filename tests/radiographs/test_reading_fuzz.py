"""Sound files damaged at random: whatever comes of them, it is a radiograph or a refusal."""

import numpy as np
from bad_files import whole_files
from faults import ROUNDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boneage.radiographs.limits import MAX_PIXELS, MIN_SIDE
from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

WHOLE = whole_files(100, 80)
# Numbers at which lengths, counts and offsets go wrong.
EXTREMES = [
    b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff", b"\x7f\xff", b"\0\0\0\0", b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1", b"\1\0\0\0",
]  # fmt: skip


@st.composite
def damaged_files(draw) -> bytes:
    content = WHOLE[draw(st.sampled_from(sorted(WHOLE)))]
    for _ in range(draw(st.integers(1, 4))):
        # Headers are short and decide everything, so every other place is in the header.
        at = draw(st.integers(0, 300) | st.integers(0, len(content)))
        length = draw(st.sampled_from([1, 2, 4, 16, 64, 500]))
        kind = draw(st.sampled_from(["flip", "extreme", "delete", "repeat", "splice", "cut"]))
        before, piece, after = content[:at], content[at : at + length], content[at + length :]
        if kind == "flip":
            bit = 1 << draw(st.integers(0, 7))
            content = before + bytes(byte ^ bit for byte in piece[:1]) + piece[1:] + after
        elif kind == "extreme":
            extreme = draw(st.sampled_from(EXTREMES))
            content = before + extreme + content[at + len(extreme) :]
        elif kind == "delete":
            content = before + after
        elif kind == "repeat":
            content = before + piece * draw(st.sampled_from([2, 3, 50])) + after
        elif kind == "splice":
            other = WHOLE[draw(st.sampled_from(sorted(WHOLE)))]
            start = draw(st.integers(0, 300) | st.integers(0, len(other)))
            content = before + other[start : start + length] + after
        else:
            content = before
    return content


@settings(
    max_examples=5000 if ROUNDS else 1000,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(damaged_files())
def test_damaged_file_is_a_radiograph_or_a_refusal(content):
    try:
        radiograph = read_radiograph(content)
    except UnreadableRadiograph as refusal:
        assert str(refusal).endswith(".") and str(refusal).isprintable()
        return
    pixels = radiograph.pixels
    assert pixels.dtype == np.uint8 and pixels.ndim == 2 and pixels.flags.c_contiguous
    assert min(pixels.shape) >= MIN_SIDE and pixels.size <= MAX_PIXELS
    assert (pixels.min(), pixels.max()) == (0, 255)
    assert radiograph.sex in (None, "female", "male")
    assert radiograph.age_months is None or radiograph.age_months >= 0
