"""One image, an average hand, as exporters write it: files in `cases/`, and others made here."""

from io import BytesIO
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pydicom
import pytest
from bad_files import CODESTREAMS, codestream, dicom_bytes, encapsulated, image_file, rgb_dicom
from PIL import Image
from pydicom import uid

from boneage.radiographs.preprocessing import prepare
from boneage.radiographs.reading import read_radiograph

FILES = sorted((Path(__file__).parent / "cases").iterdir())
PLAIN = cv2.imread(str(Path(__file__).parent / "cases" / "plain.png"), cv2.IMREAD_GRAYSCALE)
DEEP = PLAIN.astype(np.uint16) * 16
HEIGHT, WIDTH = PLAIN.shape
RGB = np.repeat(PLAIN[..., np.newaxis], 3, axis=2)
LOSSY = 4  # gray levels that lossy compression may change on average


def _framed(level: int, left: int, top: int, right: int, bottom: int, pixels=PLAIN) -> np.ndarray:
    return cv2.copyMakeBorder(
        pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=level
    ).astype(pixels.dtype)


def _compressed(syntax: str, image: bytes, **elements) -> bytes:
    return encapsulated(syntax, image, size=(WIDTH, HEIGHT), BitsStored=12, **elements)


def _run_length(content: bytes) -> bytes:
    dataset, file = pydicom.dcmread(BytesIO(content)), BytesIO()
    dataset.compress(uid.RLELossless)
    dataset.save_as(file)
    return file.getvalue()


def _without_meta(syntax: str, first: bytes) -> bytes:
    content = dicom_bytes(DEEP, transfer_syntax=syntax)
    return content[content.index(first) :]


def _with_palette() -> bytes:
    """Shuffled indices, and a palette of gray levels that brings them back."""
    shuffled = np.random.default_rng(0).permutation(256)
    levels = np.zeros(256, np.uint16)
    levels[shuffled] = np.arange(256) * 257
    palette = {
        f"{color}PaletteColorLookupTable{part}": value
        for color in ("Red", "Green", "Blue")
        for part, value in (("Descriptor", [256, 0, 16]), ("Data", levels.astype("<u2").tobytes()))
    }
    indices = shuffled[PLAIN].astype(np.uint8)
    return dicom_bytes(indices, PhotometricInterpretation="PALETTE COLOR", **palette)


def _with_overlays() -> bytes:
    """Two overlays in the unused bits of the pixels."""
    marked = DEEP | (PLAIN > 200).astype(np.uint16) << 14
    marked[::7] |= 1 << 15
    dataset = pydicom.dcmread(BytesIO(dicom_bytes(marked, BitsStored=12)))
    for group, position in ((0x6000, 15), (0x6002, 14)):
        dataset.add_new((group, 0x0100), "US", 16)
        dataset.add_new((group, 0x0102), "US", position)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def _ycbcr() -> np.ndarray:
    return np.dstack([PLAIN, np.full_like(PLAIN, 128), np.full_like(PLAIN, 128)])


def _subsampled() -> bytes:
    pairs = np.full((HEIGHT, WIDTH // 2, 4), 128, np.uint8)
    pairs[..., :2] = PLAIN.reshape(HEIGHT, -1, 2)
    return pairs.tobytes()


MADE = {
    **{kind: _compressed(syntax, codestream(kind, DEEP)) for kind, syntax in CODESTREAMS.items()},
    "jpeg-ls near-lossless": _compressed(
        uid.JPEGLSNearLossless, imagecodecs.jpegls_encode(DEEP, level=3)
    ),
    "htj2k rpcl": _compressed(uid.HTJ2KLosslessRPCL, imagecodecs.htj2k_encode(DEEP)),
    "htj2k lossy": _compressed(uid.HTJ2K, imagecodecs.htj2k_encode(DEEP)),
    "jpeg 2000 in jp2": _compressed(
        uid.JPEG2000Lossless, imagecodecs.jpeg2k_encode(DEEP, level=0, codecformat="jp2")
    ),
    "run lengths": _run_length(dicom_bytes(DEEP)),
    "deflated": dicom_bytes(DEEP, transfer_syntax=uid.DeflatedExplicitVRLittleEndian),
    "big endian": dicom_bytes(
        DEEP, transfer_syntax=uid.ExplicitVRBigEndian, PixelData=DEEP.byteswap().tobytes()
    ),
    "implicit without meta": _without_meta(uid.ImplicitVRLittleEndian, b"\x08\0\x16\0"),
    "explicit without meta": _without_meta(uid.ExplicitVRLittleEndian, b"\x08\0\x16\0UI"),
    "rgb": rgb_dicom(RGB),
    "rgb by planes": rgb_dicom(
        RGB, PlanarConfiguration=1, PixelData=np.moveaxis(RGB, 2, 0).tobytes()
    ),
    "rgb in run lengths": _run_length(rgb_dicom(RGB)),
    "ybr": rgb_dicom(_ycbcr(), PhotometricInterpretation="YBR_FULL"),
    "ybr subsampled": rgb_dicom(
        RGB, PhotometricInterpretation="YBR_FULL_422", PixelData=_subsampled()
    ),
    "ybr in jpeg": encapsulated(
        uid.JPEGBaseline8Bit,
        image_file("JPEG", Image.fromarray(RGB), quality=95),
        size=(WIDTH, HEIGHT),
        bits=8,
        SamplesPerPixel=3,
        PhotometricInterpretation="YBR_FULL_422",
    ),
    "palette": _with_palette(),
    "one frame": dicom_bytes(DEEP, NumberOfFrames=1),
    "overlays": _with_overlays(),
    "monochrome 1": dicom_bytes(
        4095 - DEEP, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE"
    ),
    "inverse": dicom_bytes(4095 - DEEP, PresentationLUTShape="INVERSE"),
    "window that clips": dicom_bytes(DEEP, WindowCenter=600, WindowWidth=500),
    "window that is elsewhere": dicom_bytes(DEEP, WindowCenter=40_000, WindowWidth=400),
    "white frame": dicom_bytes(_framed(4095, 90, 90, 90, 90, DEEP)),
    "bmp": image_file("BMP", PLAIN),
    "color bmp": image_file("BMP", Image.fromarray(RGB)),
    "gif": image_file("GIF", PLAIN),
    "avif": image_file("AVIF", Image.fromarray(RGB), quality=90),
    "12-bit jpeg file": codestream("12-bit jpeg", DEEP),
    "lossless jpeg file": codestream("lossless jpeg", DEEP),
    "gray frame": image_file("PNG", _framed(128, 100, 60, 200, 13)),
    "frame in jpeg": image_file("JPEG", _framed(255, 100, 60, 200, 40), quality=80),
    "frame on three sides": image_file("PNG", _framed(200, 0, 80, 80, 80)),
    "bars": image_file("PNG", _framed(255, 120, 0, 120, 0)),
    "screenshot": image_file(
        "PNG", _framed(60, 0, 70, 0, 40, _framed(240, 40, 40, 40, 40)).astype(np.uint8)
    ),
}


@pytest.fixture(scope="module")
def plain() -> np.ndarray:
    return prepare(read_radiograph(image_file("PNG", PLAIN)).pixels).image


def _assert_same_hand(content, plain):
    radiograph = read_radiograph(content)
    assert radiograph.color < 0.02 and not radiograph.inverted
    difference = np.abs(prepare(radiograph.pixels).image.astype(int) - plain)
    assert difference.mean() < LOSSY


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_case_gives_the_hand_of_the_plain_file(path, plain):
    _assert_same_hand(path, plain)


@pytest.mark.parametrize("name", MADE)
def test_file_of_every_kind_gives_the_hand_of_the_plain_file(name, plain):
    _assert_same_hand(MADE[name], plain)


@pytest.mark.parametrize(
    ("background", "elements"),
    [
        (0, {"PixelPaddingValue": 0}),
        (65535, {"PixelPaddingValue": 65535}),
        (65000, {"PixelPaddingValue": 64000, "PixelPaddingRangeLimit": 65535}),
    ],
)
def test_pixel_padding_is_left_out_of_the_image_and_its_contrast(background, elements):
    padded = np.pad(DEEP + np.uint16(100), 200, constant_values=background)
    padded[300:350, 200:250] = background  # within the film, in its dark background
    pixels = read_radiograph(dicom_bytes(padded, **elements)).pixels
    assert pixels.shape == PLAIN.shape and (pixels[100:150, :50] == 0).all()
    plain = read_radiograph(image_file("PNG", PLAIN)).pixels
    assert np.abs(pixels.astype(int) - plain)[:, 50:].mean() < 2


def test_real_color_is_told_in_every_kind_of_dicom():
    colors = np.dstack([PLAIN, np.roll(PLAIN, 60, axis=1), np.roll(PLAIN, 60, axis=0)])
    ycbcr = cv2.cvtColor(colors, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    for content in (
        rgb_dicom(colors),
        rgb_dicom(ycbcr, PhotometricInterpretation="YBR_FULL"),
        _run_length(rgb_dicom(colors)),
    ):
        assert read_radiograph(content).color > 0.2


def test_information_on_the_file():
    radiograph = read_radiograph(
        _compressed(uid.JPEGLosslessSV1, codestream("lossless jpeg", DEEP))
    )
    assert dict(radiograph.info.rows) == {
        "File type": "DICOM",
        "Compression": "JPEG Lossless, Non-Hierarchical, First-Order Prediction "
        "(Process 14 [Selection Value 1])",
        "Size": "512 x 640 pixels, 12 bits",
        "Polarity": "bright bones",
        "Frame removed": "none",
    }
    framed = read_radiograph(image_file("PNG", _framed(255, 30, 40, 50, 60)))
    assert framed.info.borders == (30, 40, 50, 60)
    assert (framed.info.width, framed.info.height) == (WIDTH + 80, HEIGHT + 100)
    assert dict(framed.info.rows)["Frame removed"] == "left 30, top 40, right 50, bottom 60 pixels"
    inverse = read_radiograph(image_file("PNG", 255 - PLAIN))
    assert dict(inverse.info.rows)["Polarity"] == "black on white, inverted"
    monochrome1 = read_radiograph(MADE["monochrome 1"])
    assert "by its header" in monochrome1.info.polarity


def test_a_photograph_is_warned_about():
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    photograph = read_radiograph(image_file("JPEG", PLAIN, exif=exif.tobytes()))
    assert photograph.info.photograph and "photograph" in photograph.info.warning
    assert read_radiograph(FILES[0].parent / "image.heic").info.photograph
    assert read_radiograph(image_file("JPEG", PLAIN)).info.warning is None
