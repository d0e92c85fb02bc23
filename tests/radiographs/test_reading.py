import re
from datetime import date
from io import BytesIO

import cv2
import numpy as np
import pytest
from bad_files import bad_files, dicom_bytes
from PIL import Image
from pydicom.uid import RLELossless

from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph, spread_contrast

BAD = bad_files()


def _draw_hand(height: int = 300, width: int = 220) -> np.ndarray:
    """(H, W) uint8: palm, wrist and five fingers, bright and unlike any of its mirror images."""
    hand = np.full((height, width), 8, np.uint8)
    palm = (int(0.5 * width), int(0.6 * height))
    cv2.ellipse(hand, palm, (width // 5, height // 6), 0, 0, 360, 110, -1)
    cv2.rectangle(hand, (int(0.4 * width), palm[1]), (int(0.6 * width), height), 110, -1)
    for x, y in ((0.12, 0.45), (0.3, 0.2), (0.47, 0.1), (0.63, 0.15), (0.8, 0.3)):
        tip = (int(x * width), int(y * height))
        cv2.line(hand, palm, tip, 110, width // 14)
        cv2.line(hand, palm, tip, 220, width // 30)
    cv2.rectangle(hand, (5, 5), (25, 20), 250, -1)
    hand = cv2.GaussianBlur(hand, (0, 0), 1.5) + np.linspace(0, 20, height)[:, None]
    # Noise, as on any film: without it a percentile falls between two even areas and jumps.
    noisy = hand + np.random.default_rng(0).normal(0, 2, hand.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


HAND = _draw_hand()
SPREAD = spread_contrast(HAND)


def _save(kind: str, image: Image.Image | np.ndarray, **options) -> bytes:
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _deep(levels: int) -> np.ndarray:
    return HAND.astype(np.uint16) * levels


def _with_alpha() -> Image.Image:
    image = Image.fromarray(HAND).convert("RGBA")
    image.putalpha(Image.fromarray(np.where(HAND < 20, 0, 255).astype(np.uint8)))
    return image


def _deep_color_png() -> bytes:
    return cv2.imencode(".png", np.repeat(_deep(4)[..., None], 3, axis=2))[1].tobytes()


GOOD = {
    "png 8 bit": (_save("PNG", HAND), "PNG", 1),
    "png 16 bit": (_save("PNG", _deep(16)), "PNG", 1),
    "png 16 bit color": (_deep_color_png(), "PNG", 1.5),
    "png rgb": (_save("PNG", Image.fromarray(HAND).convert("RGB")), "PNG", 1),
    "png rgba": (_save("PNG", _with_alpha()), "PNG", 24),
    "png palette": (_save("PNG", Image.fromarray(HAND).convert("P")), "PNG", 1),
    "jpeg": (_save("JPEG", HAND, quality=95), "JPEG", 8),
    "jpeg cmyk": (_save("JPEG", Image.fromarray(HAND).convert("CMYK"), quality=95), "JPEG", 10),
    "webp": (_save("WEBP", Image.fromarray(HAND).convert("RGB"), lossless=True), "WebP", 1),
    "tiff 8 bit": (_save("TIFF", HAND), "TIFF", 1),
    "tiff 8 bit compressed": (_save("TIFF", HAND, compression="tiff_lzw"), "TIFF", 1),
    "tiff 16 bit": (_save("TIFF", _deep(200)), "TIFF", 1),
    "tiff 32 bit": (_save("TIFF", HAND.astype(np.int32) * 5_000_000), "TIFF", 1),
    "tiff float": (_save("TIFF", HAND.astype(np.float32) / 255 - 3), "TIFF", 1),
    "dicom 8 bit": (dicom_bytes(HAND), "DICOM", 1),
    "dicom 12 bit": (dicom_bytes(_deep(16)), "DICOM", 1),
    "dicom signed": (dicom_bytes(HAND.astype(np.int16) - 1000), "DICOM", 1),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_format_gives_the_same_image(name):
    data, file_type, tolerance = GOOD[name]
    radiograph = read_radiograph(data)
    assert radiograph.file_type == file_type
    assert radiograph.pixels.dtype == np.uint8
    assert radiograph.pixels.flags.c_contiguous
    assert not radiograph.inverted
    difference = np.abs(radiograph.pixels.astype(int) - SPREAD)
    assert difference.max() <= tolerance


def test_white_is_zero_tiff_is_shown_bones_bright():
    dark_bones = _deep(200).max() - _deep(200)
    data = _save("TIFF", dark_bones, tiffinfo={262: 0})
    radiograph = read_radiograph(data)
    assert not radiograph.inverted
    assert np.abs(radiograph.pixels.astype(int) - SPREAD).max() <= 1


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("empty", "empty"),
        ("text", "text"),
        ("unknown", "unknown"),
        ("pdf", "PDF"),
        ("animated webp", "animation"),
        ("animated png", "animation"),
        ("multi-page tiff", "several pages"),
        ("truncated png", "damaged"),
        ("truncated jpeg", "damaged"),
        ("truncated webp", "damaged"),
        ("truncated tiff", "damaged"),
        ("truncated dicom", "damaged"),
        ("dicom with too few pixels", "damaged"),
        ("one pixel", "too small"),
        ("one shade", "single gray level"),
        ("strip", "strip"),
        ("png bomb", "too many pixels"),
        ("png just over the limit", "too many pixels (8000 x 7000)"),
        ("tiff claiming a huge size", "too many pixels"),
        ("dicom claiming a huge size", "too many pixels (60000 x 60000)"),
        ("dicom without pixels", "no image"),
        ("dicom with several frames", "several frames"),
        ("gif", "animation"),
        ("run-length bmp", "run-length"),
        ("film as a dicom", "compressed as MPEG2 Main Profile"),
        ("compressed dicom", "damaged"),
        ("deflated dicom bomb", "deflated"),
        ("dicom of three samples that says it is gray", "color image of an unknown kind"),
        ("jpeg-ls dicom whose header claims a huge size, too", "too many pixels (60000 x 60000)"),
        ("dicom of an unknown transfer syntax", "compressed in an unknown way"),
        ("dicom directory", "no image"),
        ("dicom of one bit", "8 or 16 bits"),
        ("dicom of 32 bits", "8 or 16 bits"),
        ("black and white png", "black and white"),
        ("fax", "black and white"),
        ("bigtiff", "BigTIFF"),
        ("jpeg of a thousand scans", "too many pieces"),
        # Decoded, being within the limit, and only then found to be black.
        ("color png just under the limit", "single gray level"),
        ("run-length dicom just under the limit", "single gray level"),
    ],
)
def test_refusal_names_the_reason(name, word):
    with pytest.raises(UnreadableRadiograph, match=re.escape(word)):
        read_radiograph(BAD[name][1])


def test_path_and_bytes_agree_and_the_name_is_irrelevant(tmp_path):
    data = GOOD["webp"][0]
    for name in ("hand.webp", "hand.dcm", "hand"):
        (tmp_path / name).write_bytes(data)
        for source in (tmp_path / name, str(tmp_path / name)):
            radiograph = read_radiograph(source)
            assert radiograph.file_type == "WebP"
            np.testing.assert_array_equal(radiograph.pixels, read_radiograph(data).pixels)


@pytest.mark.parametrize("name", ["absent.png", "line\nbreak.png", "."])
def test_missing_path_is_a_sentence(tmp_path, name):
    with pytest.raises(UnreadableRadiograph, match=r"There is no file .*\.$") as refusal:
        read_radiograph(tmp_path / name)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(kind, orientation):
    # How a camera stores the upright hand under each orientation (EXIF 2.3, tag 274).
    stored = {
        1: HAND,
        2: HAND[:, ::-1],
        3: HAND[::-1, ::-1],
        4: HAND[::-1],
        5: HAND.T,
        6: np.rot90(HAND),
        7: HAND[::-1, ::-1].T,
        8: np.rot90(HAND, -1),
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    data = _save(kind, np.ascontiguousarray(stored), exif=exif.tobytes(), quality=95)
    pixels = read_radiograph(data).pixels
    assert pixels.shape == SPREAD.shape
    assert np.abs(pixels.astype(int) - SPREAD).mean() < 2


def test_thirty_levels_of_a_twelve_bit_film_fill_the_range():
    levels = np.rint(np.linspace(0, 29, 300 * 220)).reshape(300, 220)
    for background in (None, 1000, 0):
        film = (1000 + levels).astype(np.uint16)
        if background is not None:
            film[:150] = background
            film[150:] = 1000 + np.arange(220) * 30 // 220
        pixels = read_radiograph(dicom_bytes(film)).pixels
        assert len(np.unique(pixels)) == 30
        assert (pixels.min(), pixels.max()) == (0, 255)


def test_marker_does_not_set_the_contrast():
    film = _deep(1)
    film[:10, :30] = 4000
    pixels = read_radiograph(dicom_bytes(film)).pixels
    assert np.percentile(pixels, 95) > 200


def test_white_frame_does_not_set_the_contrast():
    dim = (HAND // 4).astype(np.uint8)
    framed = np.full((360, 280), 255, np.uint8)
    framed[30:-30, 30:-30] = dim
    inside = spread_contrast(framed)[30:-30, 30:-30]
    assert np.abs(inside.astype(int) - spread_contrast(dim)).max() <= 8


def test_missing_values_in_float_image_become_black():
    film = HAND.astype(np.float32)
    film[:20] = np.nan
    film[-1, 0] = np.inf
    pixels = read_radiograph(_save("TIFF", film)).pixels
    assert (pixels[:20] == 0).all() and pixels[-1, 0] == 255


def test_black_on_white_is_inverted():
    radiograph = read_radiograph(_save("PNG", 255 - HAND))
    assert radiograph.inverted
    assert np.abs(radiograph.pixels.astype(int) - SPREAD).max() <= 1


def test_monochrome1_is_shown_bones_bright():
    data = dicom_bytes((4095 - _deep(16)), PhotometricInterpretation="MONOCHROME1")
    radiograph = read_radiograph(data)
    assert not radiograph.inverted
    assert np.abs(radiograph.pixels.astype(int) - SPREAD).max() <= 1


def test_dicom_window_and_rescale_are_applied():
    window = dict(WindowCenter=72, WindowWidth=124, RescaleSlope=0.5, RescaleIntercept=10)
    pixels = read_radiograph(dicom_bytes(HAND, **window)).pixels
    # Values from 10 to 134 are shown, and as a sigmoid where the header says so.
    assert np.abs(pixels.astype(int) - SPREAD).max() <= 8
    curved = read_radiograph(dicom_bytes(HAND, VOILUTFunction="SIGMOID", **window)).pixels
    assert np.abs(curved.astype(int) - SPREAD).max() > 10


@pytest.mark.parametrize("window", [(60, 80), (20, 20), (200, 30), (110, 2)])
def test_window_that_clips_the_hand_is_ignored(window):
    data = dicom_bytes(HAND, WindowCenter=window[0], WindowWidth=window[1])
    np.testing.assert_array_equal(read_radiograph(data).pixels, SPREAD)


@pytest.mark.parametrize("window", [(60, 0), (5000, 10), ("", "")])
def test_useless_dicom_window_is_ignored(window):
    data = dicom_bytes(HAND, WindowCenter=window[0], WindowWidth=window[1])
    np.testing.assert_array_equal(read_radiograph(data).pixels, SPREAD)


def test_rle_compressed_dicom_is_decoded():
    from pydicom import dcmread

    dataset = dcmread(BytesIO(dicom_bytes(HAND)))
    dataset.compress(RLELossless)
    file = BytesIO()
    dataset.save_as(file)
    np.testing.assert_array_equal(read_radiograph(file.getvalue()).pixels, SPREAD)


def test_jpeg_compressed_dicom_is_decoded():
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit

    content = encapsulate([_save("JPEG", HAND, quality=95)])
    data = dicom_bytes(HAND, transfer_syntax=JPEGBaseline8Bit, PixelData=content)
    assert np.abs(read_radiograph(data).pixels.astype(int) - SPREAD).max() <= 8


@pytest.mark.filterwarnings("ignore:Invalid value")  # while the test writes a wrong age
@pytest.mark.parametrize(
    ("elements", "months"),
    [
        ({"PatientAge": "010Y"}, 120),
        ({"PatientAge": "120M"}, 120),
        ({"PatientAge": "052W"}, 11.96),
        ({"PatientAge": "300D"}, 9.86),
        ({"PatientBirthDate": "20070315", "StudyDate": "20170915"}, 126.06),
        # The dates refine whole years that they agree with, and only those.
        ({"PatientAge": "010Y", "PatientBirthDate": "20070315", "StudyDate": "20170915"}, 126.06),
        ({"PatientAge": "010Y", "PatientBirthDate": "19000101", "StudyDate": "20170915"}, 120),
        ({"PatientAge": "010X", "PatientBirthDate": "20070315"}, None),
        ({"PatientBirthDate": "20170915", "StudyDate": "20070315"}, None),
        ({}, None),
    ],
)
def test_dicom_age(elements, months):
    age = read_radiograph(dicom_bytes(HAND, **elements)).age_months
    assert age == (None if months is None else pytest.approx(months, abs=0.01))


@pytest.mark.parametrize(("code", "sex"), [("F", "female"), ("M", "male"), ("O", None), ("", None)])
def test_dicom_sex(code, sex):
    assert read_radiograph(dicom_bytes(HAND, PatientSex=code)).sex == sex


@pytest.mark.filterwarnings("ignore:Invalid value")  # while the test writes a wrong date
@pytest.mark.parametrize(
    ("stated", "day"),
    [
        ("20170915", date(2017, 9, 15)),
        ("2017.09.15", date(2017, 9, 15)),
        ("2017", None),
        ("", None),
    ],
)
def test_dicom_study_date(stated, day):
    assert read_radiograph(dicom_bytes(HAND, StudyDate=stated)).study_date == day


def test_images_say_nothing_about_the_child():
    radiograph = read_radiograph(GOOD["png 8 bit"][0])
    assert radiograph.sex is radiograph.age_months is radiograph.study_date is None


def test_polarity_of_real_radiographs(rsna):
    files = sorted((rsna / "boneage-test-dataset").glob("*.*"))
    found = 0
    for file in files:
        radiograph = read_radiograph(file)
        assert not radiograph.inverted, file.name
        found += read_radiograph(_save("PNG", 255 - radiograph.pixels)).inverted
    assert found >= 0.95 * len(files)


# Color and shades ------------------------------------------------------------------------------


def _film_on_a_light_box(tint: tuple[float, float, float]) -> np.ndarray:
    """(H, W, 3) uint8: the hand as a camera sees it, darker tones tinted more."""
    gray = HAND[..., np.newaxis] / 255
    return (255 * gray ** np.array(tint)).astype(np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_colored_image_is_told_from_a_tinted_or_annotated_film(kind):
    colorful = np.stack([HAND, np.roll(HAND, 60, axis=1), np.roll(HAND, 60, axis=0)], axis=2)
    tinted = _film_on_a_light_box((1.0, 1.1, 0.8))
    annotated = np.repeat(HAND[..., np.newaxis], 3, axis=2)
    annotated[40:50, 20:80] = (255, 40, 40)
    share = {
        name: read_radiograph(_save(kind, image)).color
        for name, image in {"color": colorful, "tint": tinted, "arrow": annotated}.items()
    }
    assert share["color"] > 0.2
    assert share["tint"] < 0.02
    assert share["arrow"] < 0.05


def test_gray_files_have_no_color():
    for name, (content, *_) in GOOD.items():
        assert read_radiograph(content).color == 0 or "cmyk" in name


def test_shades_of_gray_are_counted_whatever_the_depth():
    few = HAND // 64
    for pixels in (few, few.astype(np.uint16) * 9000):
        assert read_radiograph(_save("PNG", pixels)).gray_levels == len(np.unique(few))
    assert read_radiograph(_save("TIFF", HAND.astype(np.float32) / 3)).gray_levels > 100
    marker = np.full((300, 300), 7, np.uint8)
    marker[:10, :10] = np.arange(100).reshape(10, 10) + 60
    assert read_radiograph(_save("PNG", marker)).gray_levels == 1
