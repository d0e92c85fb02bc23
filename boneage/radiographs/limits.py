"""What a file may ask of this machine. One that asks for more is refused with a sentence."""

import math
from io import BytesIO

from boneage.errors import BoneAgeError

# Films digitized at 50 um and the largest flat-panel detectors stay below 30 million pixels, a film
# scanned at 600 dots an inch below 50 million; decoding those takes up to 450 MB.
MAX_PIXELS = 50_000_000
# Decoding WebP, JPEG 2000, CMYK or 32 bits takes up to 15 bytes a pixel, so half as many fill the
# same memory.
MAX_COSTLY_PIXELS = 25_000_000
# 32 bits for each of those pixels, and room for a header.
MAX_BYTES = 256 * 2**20
# On fewer pixels no growth plate can be seen.
MIN_SIDE = 64
# A longer strip holds no hand; the limit also keeps every side below OpenCV's 32,767.
MAX_ASPECT = 10
# A radiograph of 50 MB in pieces of 8 kB, as libpng writes them, takes 20,000.
MAX_READS = 200_000


class UnreadableRadiograph(BoneAgeError):
    """The file cannot be used; str() is one sentence for people."""


class RationedFile(BytesIO):
    """A file in memory that can be read only so often, and only so many bytes of it.

    Decoders spend time and memory on every piece of a file, however small, and a hostile file of a
    few megabytes holds millions of pieces.
    """

    def __init__(self, data: bytes | memoryview, most_bytes: float = math.inf):
        super().__init__(data)
        self._reads_left, self._bytes_left = MAX_READS, most_bytes

    def read(self, size: int | None = -1) -> bytes:
        """Read as any file.

        Args:
            size: number of bytes; all that are left by default.

        Returns:
            The bytes.

        Raises:
            ValueError: the ration is used up.
        """
        content = super().read(size)
        self._reads_left -= 1
        self._bytes_left -= len(content)
        if self._reads_left < 0 or self._bytes_left < 0:
            raise ValueError("too many pieces")
        return content


def damaged(file_type: str) -> UnreadableRadiograph:
    return UnreadableRadiograph(
        f"The {file_type} file is damaged or incomplete; please export or copy it again."
    )


def check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Refuse a size that is too large to decode or too small to show a hand.

    Args:
        width: in pixels.
        height: in pixels.
        most: the largest number of pixels that is accepted.

    Raises:
        UnreadableRadiograph: there are more pixels, a side is shorter than `MIN_SIDE`, or one side
            is more than `MAX_ASPECT` times as long as the other.

    Example:
        >>> check_size(2000, 3000)
        >>> check_size(40, 40)
        Traceback (most recent call last):
        boneage.radiographs.limits.UnreadableRadiograph: The image is too small (40 x 40 ...
    """
    if width * height > most:
        raise too_many_pixels(f" ({width} x {height})", most)
    if min(width, height) < MIN_SIDE:
        raise UnreadableRadiograph(
            f"The image is too small ({width} x {height} pixels): its shorter side needs at least "
            f"{MIN_SIDE} pixels."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableRadiograph(
            f"The image is too narrow a strip ({width} x {height} pixels) to show a whole hand; "
            "please crop or export it differently."
        )


def too_many_pixels(size: str = "", most: int = MAX_PIXELS) -> UnreadableRadiograph:
    kind = "" if most == MAX_PIXELS else " of this kind"
    return UnreadableRadiograph(
        f"The image has too many pixels{size}: at most {most // 1_000_000} million{kind} are "
        "accepted, so please reduce its size."
    )
