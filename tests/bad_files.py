"""Broken and hostile files, made here: those to be refused politely, and those to be read.

What each is called says what is wrong with it. Contents are small; what they would become is not.
"""

import functools
import struct
import zlib
from io import BytesIO

import cv2
import imagecodecs
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

Files = dict[str, tuple[str, bytes]]  # what is wrong -> (file name, content)


@functools.cache
def bad_files() -> Files:
    """Files that everything that reads a radiograph must refuse."""
    return {
        **_other_kinds(),
        **_cut_off(),
        **_unusable_images(),
        **_bombs(),
        **_floods(),
        **_broken_png_jpeg_webp(),
        **_broken_tiff(),
        **_hostile_codestreams(),
        **_hostile_images(),
        **_unusable_dicom(),
        **_broken_dicom(),
        **_hostile_names(),
    }


def some_bad_files() -> Files:
    """One in six of them, and all names: for what is told of files that the reader refused."""
    return dict([*bad_files().items()][::6]) | _hostile_names()


@functools.cache
def odd_files() -> Files:
    """Files that look hostile, or are, and hold a radiograph that can be read all the same."""
    return {**_odd_images(), **_odd_exif(), **_odd_dicom()}


def whole_files(height: int = 200, width: int = 150) -> dict[str, bytes]:
    """A sound file of each format and way of storing it."""
    gray = shades(height, width)
    deep, color = gray.astype(np.uint16) * 16, Image.fromarray(gray).convert("RGB")
    size = (width, height)
    return {
        "png": image_file("PNG", gray),
        "deep png": image_file("PNG", deep),
        "jpeg": image_file("JPEG", gray),
        "progressive jpeg": image_file("JPEG", color, progressive=True),
        "webp": image_file("WEBP", color),
        "lossless webp": image_file("WEBP", color, lossless=True),
        "tiff": image_file("TIFF", gray),
        "lzw tiff": image_file("TIFF", deep, compression="tiff_lzw"),
        "bigtiff": image_file("TIFF", deep, big_tiff=True),
        "dicom": dicom_bytes(deep, WindowCenter=2000, WindowWidth=4000, PatientAge="010Y"),
        "run-length dicom": encapsulated(RLELossless, _rle(deep), size=size),
        "jpeg dicom": encapsulated(JPEGBaseline8Bit, image_file("JPEG", gray), size=size, bits=8),
        "jpeg 2000 dicom": encapsulated(JPEG2000Lossless, _jpeg_2000(deep), size=size),
        "bmp": image_file("BMP", gray),
        "gif": image_file("GIF", gray),
        "jpeg 2000": image_file("JPEG2000", gray),
        "avif": image_file("AVIF", color),
        "lossless jpeg": codestream("lossless jpeg", deep),
        "dicom without preamble": dicom_bytes(deep)[128 + 4 :],
        "deflated dicom": dicom_bytes(deep, transfer_syntax=DeflatedExplicitVRLittleEndian),
        **{
            f"{kind} dicom": encapsulated(syntax, codestream(kind, deep), size=size, BitsStored=12)
            for kind, syntax in CODESTREAMS.items()
        },
    }


CODESTREAMS = {
    "lossless jpeg": JPEGLosslessSV1,
    "12-bit jpeg": JPEGExtended12Bit,
    "jpeg-ls": JPEGLSLossless,
    "htj2k": HTJ2KLossless,
}


def codestream(kind: str, pixels: np.ndarray) -> bytes:
    """(H, W) uint16 of 12 bits, compressed as one of `CODESTREAMS`."""
    if kind == "jpeg-ls":
        return imagecodecs.jpegls_encode(pixels)
    if kind == "htj2k":
        return imagecodecs.htj2k_encode(pixels)
    lossless = kind == "lossless jpeg"
    return imagecodecs.jpeg8_encode(pixels, level=95, lossless=lossless, bitspersample=12)


def truncations(content: bytes) -> list[bytes]:
    """A file cut short at twenty places, half of them in its header."""
    early = [3, 9, 17, 30, 45, 70, 110, 170, 260, 400]
    late = np.linspace(400, len(content) - 1, 11).astype(int)[1:]
    return [content[:length] for length in (*early, *late)]


# Building blocks --------------------------------------------------------------------------------


def shades(height: int = 200, width: int = 150) -> np.ndarray:
    """(height, width) uint8: a bright middle, and the grain of a film."""
    across, down = (1 - np.linspace(-1, 1, n) ** 2 for n in (width, height))
    grain = np.random.default_rng(0).integers(0, 40, (height, width))
    return (200 * np.outer(down, across) + grain).astype(np.uint8)


def image_file(kind: str, image: np.ndarray | Image.Image | None = None, **options) -> bytes:
    image = shades() if image is None else image
    file = BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(
        file, kind, **options
    )
    return file.getvalue()


def _animation(kind: str) -> bytes:
    first, second = Image.fromarray(shades()), Image.fromarray(255 - shades())
    return image_file(kind, first, save_all=True, append_images=[second])


def png_bomb(width: int, height: int, depth: int = 1, color: int = 0) -> bytes:
    """A well-formed black PNG, a few bytes for each million pixels.

    depth: bits a channel. color: 0 is gray, 2 RGB, 6 RGBA.
    """
    squeeze = zlib.compressobj(9)
    bits = width * depth * {0: 1, 2: 3, 6: 4}[color]
    row = bytes(1 + (bits + 7) // 8)
    lines = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return _PNG_START + b"".join(
        map(_chunk, (b"IHDR", b"IDAT", b"IEND"), (header, lines, b""))
    )  # fmt: skip


_PNG_START = b"\x89PNG\r\n\x1a\n"
_IHDR_END = 33  # in any PNG: signature, length, "IHDR", 13 bytes, checksum


def _chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(*chunks: bytes, **header: int) -> bytes:
    """A PNG with further chunks after its header, or other values in it."""
    values = {"width": 150, "height": 200, "depth": 8, "color": 0, "packing": 0, "filter": 0}
    values |= {"interlaced": 0} | header
    start = _chunk(b"IHDR", struct.pack(">IIBBBBB", *values.values()))
    return _PNG_START + start + b"".join(chunks) + image_file("PNG")[_IHDR_END:]


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _jpeg(*segments: bytes) -> bytes:
    """A JPEG with further segments before all others."""
    jpeg = image_file("JPEG")
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def _patched(content: bytes, marker: bytes, offset: int, value: bytes) -> bytes:
    """The content with other bytes at some distance from a marker."""
    at = content.index(marker) + offset
    return content[:at] + value + content[at + len(value) :]


def _webp(*chunks: bytes, flags: int = 0, canvas: tuple[int, int] = (150, 200)) -> bytes:
    """An extended WebP of these chunks and then an image."""
    size = b"".join((side - 1).to_bytes(3, "little") for side in canvas)
    extended = b"VP8X" + struct.pack("<II", 10, flags) + size
    lossless = image_file("WEBP", Image.fromarray(shades()).convert("RGB"), lossless=True)[12:]
    body = b"WEBP" + extended + b"".join(chunks) + lossless
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _tiff(
    changes: dict | None = None,
    content: bytes | None = None,
    following: int = 0,
    big: bool = False,
) -> bytes:
    """A TIFF of one directory. changes: tag -> (type, count, value), or None to leave it out."""
    header = b"II+\0\x08\0\0\0" if big else b"II*\0"
    pointer, counted, entry = ("<Q", "<Q", "<HHQQ") if big else ("<I", "<H", "<HHII")
    start = len(header) + struct.calcsize(pointer)
    content = shades().tobytes() if content is None else content
    tags = {
        256: (3, 1, 150), 257: (3, 1, 200), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1),
        273: (4, 1, start), 277: (3, 1, 1), 278: (3, 1, 200), 279: (4, 1, len(content)),
    } | (changes or {})  # fmt: skip
    tags = {tag: tags[tag] for tag in sorted(tags) if tags[tag]}
    directory = struct.pack(counted, len(tags))
    listed = len(directory) + struct.calcsize(entry) * len(tags) + struct.calcsize(pointer)
    further, at = b"", start + len(content) + listed
    for tag, (kind, count, value) in tags.items():
        if isinstance(value, bytes):
            value, further = at + len(further), further + value
        directory += struct.pack(entry, tag, kind, count, value)
    header += struct.pack(pointer, start + len(content))
    return header + content + directory + struct.pack(pointer, following) + further


def dicom_bytes(
    pixels: np.ndarray | None, transfer_syntax=ExplicitVRLittleEndian, **elements
) -> bytes:
    """A DICOM file of (H, W) uint8, uint16 or int16 pixels; `elements` set or replace elements."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    meta.TransferSyntaxUID = transfer_syntax
    dataset = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3.4"
    dataset.PatientName = "Nobody^Real"
    if pixels is not None:
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        bits = 8 * pixels.dtype.itemsize
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        dataset.PixelData = pixels.tobytes()
        dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
    for name, value in elements.items():
        setattr(dataset, name, value)
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=False)
    return file.getvalue()


def encapsulated(
    syntax, *fragments: bytes, size: tuple[int, int] = (150, 200), bits: int = 16, **elements
) -> bytes:
    """A DICOM file of compressed pixels, whatever they are."""
    width, height = size
    pixels = np.zeros((1, 1), np.uint8 if bits == 8 else np.uint16)
    content = encapsulate([b"".join(fragments)])
    elements = {"Rows": height, "Columns": width, "PixelData": content} | elements
    return dicom_bytes(pixels, transfer_syntax=syntax, **elements)


def _rle_image(*segments: bytes) -> bytes:
    starts = np.cumsum([64, *map(len, segments)])[:-1].tolist()
    return struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(segments))) + b"".join(
        segments
    )


def _rle(pixels: np.ndarray) -> bytes:
    """(H, W) uint16 run-length encoded without any run, in literal stretches of 50 bytes."""
    high, low = ((pixels >> shift & 255).astype(np.uint8).reshape(-1, 50) for shift in (8, 0))
    return _rle_image(*(b"".join(b"\x31" + s.tobytes() for s in plane) for plane in (high, low)))


def _jpeg_2000(pixels: np.ndarray) -> bytes:
    return image_file("JPEG2000", pixels, irreversible=False, no_jp2=True, num_resolutions=3)


def _element(group: int, number: int, kind: bytes, value: bytes, length: int | None = None):
    """An explicit DICOM element whose value may be longer than 64 kB, or lie about its length."""
    length = len(value) if length is None else length
    return struct.pack("<HH2sHI", group, number, kind, 0, length) + value


def _with_element(element: bytes, before: bytes = b"\x28\0\x02\0") -> bytes:
    """A DICOM file with one element more, by default before those that describe the image."""
    content = dicom_bytes(shades())
    at = content.index(before)
    return content[:at] + element + content[at:]


_UNDEFINED = 0xFFFFFFFF
_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)


# To be refused ----------------------------------------------------------------------------------


def _other_kinds() -> Files:
    return {
        "empty": ("empty.png", b""),
        "text": ("notes.png", b"This is not an image but a short note.\n"),
        "unknown": ("hand.jpg", bytes(range(256)) * 20),
        "pdf": ("report.jpg", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"),
        "gif": ("animated.gif", _animation("GIF")),
        "jpeg xl": ("hand.jxl", imagecodecs.jpegxl_encode(shades())),
        "heic": ("hand.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)),
        "video": ("hand.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100)),
        "svg with a script": ("hand.svg", b"<svg><script>alert(1)</script></svg>"),
        "web page": ("hand.png", b"<!DOCTYPE html><script>alert(1)</script>"),
        "zip": ("hand.zip", b"PK\x03\x04" + bytes(200)),
        "windows program": ("hand.exe", b"MZ\x90\0" + bytes(200)),
        "linux program": ("hand", b"\x7fELF\x02\x01\x01" + bytes(200)),
        "gif that is a script": ("hand.gif", b"GIF89a=1;alert(1);"),
        "pickle": ("hand.npy", b"\x80\x04\x95\x1e\0\0\0cos\nsystem\n(S'true'\ntR."),
        "only zeros": ("zeros.dcm", bytes(10_000)),
    }


def _cut_off() -> Files:
    png, jpeg, webp, tiff = (image_file(kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF"))
    dicom = dicom_bytes(shades())
    return {
        "truncated png": ("cut.png", png[: len(png) // 2]),
        "truncated jpeg": ("cut.jpg", jpeg[: len(jpeg) // 2]),
        "truncated webp": ("cut.webp", webp[: len(webp) // 2]),
        "truncated tiff": ("cut.tif", tiff[: len(tiff) // 2]),
        "truncated dicom": ("cut.dcm", dicom[: len(dicom) // 2]),
        "png signature only": ("start.png", png[:8]),
        "jpeg signature only": ("start.jpg", jpeg[:3]),
        "webp signature only": ("start.webp", webp[:12]),
        "tiff signature only": ("start.tif", tiff[:4]),
        "dicom signature only": ("start.dcm", dicom[:132]),
    }


def _unusable_images() -> Files:
    return {
        "animated webp": ("animated.webp", _animation("WEBP")),
        "animated png": ("animated.png", _animation("PNG")),
        "multi-page tiff": ("pages.tif", _animation("TIFF")),
        "one pixel": ("dot.png", image_file("PNG", np.full((1, 1), 128, np.uint8))),
        "one shade": ("gray.png", image_file("PNG", np.full((200, 200), 128, np.uint8))),
        "strip": ("strip.png", image_file("PNG", shades(70, 900))),
        "black and white png": ("scan.png", image_file("PNG", shades() > 100)),
        "fax": ("fax.tif", image_file("TIFF", shades() > 100, compression="group4")),
        "transparent png": ("clear.png", image_file("PNG", Image.new("RGBA", (150, 200)))),
        "float tiff without a number": (
            "nan.tif",
            image_file("TIFF", np.full((200, 150), np.nan, np.float32)),
        ),
    }


def _bombs() -> Files:
    tiff = image_file("TIFF")
    tiles = {273: None, 278: None, 279: None, 259: (3, 1, 8)}
    flat = zlib.compress(bytes(10_000 * 10_000), 1)
    pieces = {324: (4, 1, 8), 325: (4, 1, len(flat))}
    webp = image_file("WEBP", Image.new("RGB", (100, 100), (50, 50, 50)), lossless=True)
    deflated = dicom_bytes(None, transfer_syntax=DeflatedExplicitVRLittleEndian)
    start = deflated.index(DeflatedExplicitVRLittleEndian.encode()) + 22
    squeeze = zlib.compressobj(9, wbits=-15)
    zeros = _element(0x7FE0, 0x10, b"OB", bytes(50_000_000))
    huge_jpeg = _patched(image_file("JPEG"), b"\xff\xc0", 5, struct.pack(">HH", 65_000, 65_000))
    million_runs = b"\x81\x05" * 1_000_000
    return {
        "png bomb": ("bomb.png", png_bomb(30_000, 30_000)),
        "png just over the limit": ("large.png", png_bomb(8_000, 7_000)),
        "color png just under the limit": ("color.png", png_bomb(7_000, 7_100, 8, 2)),
        "deep color png bomb": ("deep.png", png_bomb(4_000, 4_000, 16, 2)),
        "transparent png bomb": ("clear.png", png_bomb(6_000, 6_000, 8, 6)),
        "tiff claiming a huge size": ("claim.tif", _claim_tiff_size(tiff, 60_000)),
        "bigtiff claiming a huge size": (
            "claim.tif",
            _tiff({256: (4, 1, 60_000), 257: (16, 1, 60_000)}, big=True),
        ),
        "tiff with a huge tile": (
            "tile.tif",
            _tiff({**tiles, **pieces, 322: (4, 1, 10_000), 323: (4, 1, 10_000)}, flat),
        ),
        "jpeg claiming a huge size": ("claim.jpg", huge_jpeg),
        "webp claiming a huge size": ("claim.webp", webp[:21] + b"\xff\xff\xff\x0f" + webp[25:]),
        "webp with a huge canvas": ("canvas.webp", _webp(canvas=(16_000, 11_000))),
        "png with a profile bomb": (
            "icc.png",
            _png(_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(30_000_000), 9))),
        ),
        "png with a compressed text bomb": (
            "ztxt.png",
            _png(_chunk(b"zTXt", b"t\0\0" + zlib.compress(bytes(30_000_000), 9))),
        ),
        "png with an international text bomb": (
            "itxt.png",
            _png(_chunk(b"iTXt", b"t\0\1\0\0\0" + zlib.compress(bytes(30_000_000), 9))),
        ),
        "png with seventy texts": (
            "texts.png",
            _png(*[_chunk(b"zTXt", b"t\0\0" + zlib.compress(bytes(2**20), 9))] * 70),
        ),
        "dicom claiming a huge size": (
            "claim.dcm",
            dicom_bytes(shades(), Rows=60000, Columns=60000),
        ),
        "deflated dicom bomb": (
            "bomb.dcm",
            deflated[:start] + b"".join(map(squeeze.compress, [zeros] * 3)) + squeeze.flush(),
        ),
        "run-length dicom bomb": (
            "rle.dcm",
            encapsulated(RLELossless, _rle_image(million_runs, million_runs)),
        ),
        "run-length dicom just under the limit": (
            "large.dcm",
            encapsulated(
                RLELossless,
                _rle_image(b"\x81\0" * 390_000, b"\x81\0" * 390_000),
                size=(7_000, 7_100),
                WindowCenter=1000,
                WindowWidth=2000,
                RescaleSlope=1,
                RescaleIntercept=0,
            ),
        ),
        "jpeg bomb in a dicom": ("jpeg.dcm", encapsulated(JPEGBaseline8Bit, huge_jpeg, bits=8)),
        "jpeg 2000 bomb in a dicom": (
            "j2k.dcm",
            encapsulated(
                JPEG2000Lossless,
                _patched(
                    _jpeg_2000(shades().astype(np.uint16)),
                    b"\xff\x51",
                    6,
                    struct.pack(">II", 60_000, 60_000),
                ),
            ),
        ),
    }


def _floods() -> Files:
    """Few bytes for each piece, and hundreds of thousands of pieces."""
    scans = image_file("JPEG", np.full((2000, 2000), 200, np.uint8), progressive=True)
    last_scan = scans[scans.rindex(b"\xff\xc4") : -2]
    numbers = b"\1\0\0\0\1\0\0\0" * 250_000
    exif = _exif({0x11A: (5, 250_000, numbers), 0x128: (3, 1, 2)})
    blocks = (
        _segment(0xE1, b"Exif\0\0" + exif[at : at + 60_000]) for at in range(0, len(exif), 60_000)
    )
    nested = _element(9, 0x1010, b"SQ", struct.pack("<HHI", 0xFFFE, 0xE000, _UNDEFINED), _UNDEFINED)
    fragments = encapsulated(JPEGBaseline8Bit, image_file("JPEG"), bits=8)
    first = fragments.index(_ITEM[:4])
    lookup = _ITEM[:4] + b"\x08\0\0\0" + struct.pack("<HH2sH", 0x28, 0x3006, b"LO", 0)
    return {
        "png of countless chunks": ("chunks.png", _png(_chunk(b"prVt") * 150_000)),
        "png of countless empty data chunks": ("data.png", _png(_chunk(b"IDAT") * 150_000)),
        "jpeg of countless comments": ("comments.jpg", _jpeg(b"\xff\xfe\0\x02" * 500_000)),
        "jpeg of a million junk bytes": ("junk.jpg", _jpeg(b"\xff\xfe\0\x02" + bytes(1_000_000))),
        "jpeg of a thousand scans": ("scans.jpg", scans[:-2] + last_scan * 1000 + b"\xff\xd9"),
        "jpeg of many exif blocks": ("exif.jpg", _jpeg(*blocks)),
        "webp of countless chunks": ("chunks.webp", _webp(b"ABCD\0\0\0\0" * 300_000)),
        "tiff of countless strips": (
            "strips.tif",
            _tiff({273: (3, 1_000_000, b"\x08\0" * 1_000_000), 278: (3, 1, 1)}),
        ),
        "bigtiff of countless strips": (
            "strips.tif",
            _tiff({273: (16, 500_000, b"\x10\0\0\0\0\0\0\0" * 500_000), 278: (3, 1, 1)}, big=True),
        ),
        "tiff with countless resolutions": (
            "rational.tif",
            _tiff({282: (5, 500_000, b"\1\0\0\0\1\0\0\0" * 500_000)}),
        ),
        "tiff with countless exif numbers": ("exif.tif", _tiff_with_exif(500_000)),
        "tiff of sixty thousand tags": (
            "tags.tif",
            _tiff({tag: (11, 10, 0) for tag in range(1000, 61_000)}),
        ),
        "dicom of countless elements": (
            "elements.dcm",
            _with_element(struct.pack("<HH2sH", 9, 0x1010, b"LO", 0) * 200_000),
        ),
        "dicom of countless nested sequences": ("nested.dcm", _with_element(nested * 50_000)),
        "dicom of countless fragments": (
            "fragments.dcm",
            fragments[: first + 8] + _ITEM * 150_000 + fragments[first + 8 :],
        ),
        "dicom with countless sexes": (
            "sexes.dcm",
            _with_element(_element(0x10, 0x40, b"UC", b"F\\" * 600_000)),
        ),
        "dicom with countless look-up tables": (
            "tables.dcm",
            _with_element(
                _element(0x28, 0x3010, b"SQ", lookup * 100_000), before=b"\xe0\x7f\x10\0"
            ),
        ),
        "dicom with countless character sets": (
            "sets.dcm",
            _with_element(_element(8, 5, b"UC", b"x\\" * 600_000), before=b"\x08\0\x16\0"),
        ),
    }


def _broken_png_jpeg_webp() -> Files:
    png, jpeg = image_file("PNG"), image_file("JPEG")
    webp = image_file("WEBP", Image.fromarray(shades()).convert("RGB"), lossless=True)
    return {
        "png with a wrong checksum": ("checksum.png", png[:40] + b"????" + png[44:]),
        "png without pixels": ("none.png", png[:_IHDR_END] + _chunk(b"IEND")),
        "png with only empty pixels": (
            "empty.png",
            png[:_IHDR_END] + _chunk(b"IDAT") + _chunk(b"IEND"),
        ),
        "png with a text of four gigabytes": ("text.png", _png(b"\xff\xff\xff\xfftEXt")),
        "png of no width": ("width.png", _png(width=0)),
        "png higher than its data": ("high.png", _png(height=2000)),
        "png of three bits": ("bits.png", _png(depth=3)),
        "png of an unknown color type": ("color.png", _png(color=9)),
        "png of an unknown packing": ("packing.png", _png(packing=7, filter=7)),
        "jpeg of no height": ("height.jpg", _patched(jpeg, b"\xff\xc0", 5, b"\0\0")),
        "jpeg of no channel": ("channel.jpg", _patched(jpeg, b"\xff\xc0", 9, b"\0")),
        "lossless jpeg": ("lossless.jpg", _patched(jpeg, b"\xff\xc0", 1, b"\xc3")),
        "jpeg without tables": ("tables.jpg", jpeg.replace(b"\xff\xdb", b"\xff\xe5")),
        "jpeg without an image": ("none.jpg", b"\xff\xd8\xff\xe0\0\x04ab\xff\xd9"),
        "webp longer than the file": ("long.webp", _patched(webp, b"RIFF", 4, b"\xff\xff\xff\x7f")),
        "webp shorter than the file": ("short.webp", _patched(webp, b"RIFF", 4, b"\x20\0\0\0")),
        "webp with a chunk of four gigabytes": (
            "chunk.webp",
            _patched(webp, b"VP8L", 4, b"\xff\xff\xff\xff"),
        ),
        "webp without an image": ("none.webp", b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(10)),
        "webp promising an animation": ("promise.webp", _webp(flags=2)),
    }


def _broken_tiff() -> Files:
    whole = _tiff()
    end = struct.pack("<I", len(whole) - 2)
    second = len(whole)  # where a further directory would begin
    directory = whole[8 + 30_000 : -4]
    return {
        "bigtiff of four billion strips": ("s.tif", _tiff({273: (16, 2**40, 16)}, big=True)),
        "bigtiff with a directory outside": ("o.tif", b"II+\0\x08\0\0\0" + b"\xff" * 100),
        "tiff without a directory": ("none.tif", b"II*\0\0\0\0\0" + bytes(100)),
        "tiff with a directory outside": ("outside.tif", b"II*\0\xf0\xff\xff\xff" + bytes(100)),
        "tiff with a directory cut off": ("end.tif", b"II*\0" + end + whole[8:]),
        "tiff with pages in a circle": (
            "circle.tif",
            _tiff(following=second) + directory + struct.pack("<I", 8 + 30_000),
        ),
        "tiff with pixels outside": ("pixels.tif", _tiff({273: (4, 1, 0xFFFFFFF0)})),
        "tiff without pixels": ("empty.tif", _tiff({273: None, 279: None})),
        "tiff of no width": ("width.tif", _tiff({256: (3, 1, 0)})),
        "tiff of four billion strips": ("strips.tif", _tiff({273: (4, _UNDEFINED, 8)})),
        "tiff with a text for its width": ("text.tif", _tiff({256: (2, 4, 0x41414141)})),
        "tiff of three bits": ("bits.tif", _tiff({258: (3, 1, 3)})),
        "tiff of 65535 samples": ("samples.tif", _tiff({277: (3, 1, 65535)})),
        "tiff in tiles of nothing": (
            "tiles.tif",
            _tiff({273: None, 322: (3, 1, 0), 323: (3, 1, 0), 324: (4, 1, 8), 325: (4, 1, 8)}),
        ),
        "tiff of an unknown compression": ("packing.tif", _tiff({259: (3, 1, 4711)})),
        "tiff compressed as it is not": ("lzw.tif", _tiff({259: (3, 1, 5)})),
    }


def _unusable_dicom() -> Files:
    pixels = shades()
    return {
        "dicom without pixels": ("report.dcm", dicom_bytes(None)),
        "dicom directory": ("DICOMDIR", _dicom_directory()),
        "pdf in a dicom": ("report.dcm", dicom_bytes(None, EncapsulatedDocument=b"%PDF-1.7 ")),
        "dicom with several frames": (
            "frames.dcm",
            dicom_bytes(pixels, NumberOfFrames=2, PixelData=pixels.tobytes() * 2),
        ),
        "dicom of 32 bits": ("bits.dcm", dicom_bytes(pixels.astype(np.uint32))),
        "dicom of one bit": ("mask.dcm", dicom_bytes(pixels, BitsAllocated=1, BitsStored=1)),
        "compressed dicom": ("lossless.dcm", encapsulated(JPEGLosslessSV1, bytes(1000))),
        "dicom of an unknown transfer syntax": (
            "unknown.dcm",
            dicom_bytes(pixels).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0"),
        ),
        "dicom of a private transfer syntax": (
            "private.dcm",
            dicom_bytes(pixels).replace(b"1.2.840.10008.1.2.1\0", b"9.8\n<b>.7\x1b[2J.654.3\0"),
        ),
        "film as a dicom": ("film.dcm", encapsulated(MPEG2MPML, bytes(1000))),
        "dicom of gray levels that says it is rgb": (
            "samples.dcm",
            dicom_bytes(pixels, PhotometricInterpretation="RGB"),
        ),
        "dicom of three samples that says it is gray": (
            "three.dcm",
            rgb_dicom(pixels, PhotometricInterpretation="MONOCHROME2"),
        ),
        "dicom of an unknown photometric interpretation": (
            "kind.dcm",
            dicom_bytes(pixels, PhotometricInterpretation="ARGB"),
        ),
        "palette dicom without a palette": (
            "palette.dcm",
            dicom_bytes(pixels, PhotometricInterpretation="PALETTE COLOR"),
        ),
    }


def _hostile_codestreams() -> Files:
    """Compressed images in DICOM that are cut, claim a huge size, or are something else."""
    deep = shades().astype(np.uint16) * 16
    files = {}
    for kind, syntax in CODESTREAMS.items():
        whole = codestream(kind, deep)
        marker, at = {
            "lossless jpeg": (b"\xff\xc3", 5),
            "12-bit jpeg": (b"\xff\xc1", 5),
            "jpeg-ls": (b"\xff\xf7", 5),
            "htj2k": (b"\xff\x51", 6),
        }[kind]
        numbers = ">II" if kind == "htj2k" else ">HH"
        huge = _patched(whole, marker, at, struct.pack(numbers, 60_000, 60_000))
        large = _patched(whole, marker, at, struct.pack(numbers, 7000, 7000))
        files |= {
            f"cut {kind} dicom": ("cut.dcm", encapsulated(syntax, whole[: len(whole) // 2])),
            f"{kind} dicom claiming a huge size": ("claim.dcm", encapsulated(syntax, huge)),
            f"{kind} dicom whose header claims a huge size, too": (
                "claims.dcm",
                encapsulated(syntax, huge, size=(60_000, 60_000)),
            ),
            f"{kind} dicom that fills a large image": (
                "large.dcm",
                encapsulated(syntax, large[: len(large) // 2], b"\xff\xd9", size=(7000, 7000)),
            ),
            f"{kind} dicom of no pixels": ("none.dcm", encapsulated(syntax, whole[:20])),
            f"{kind} dicom that is a png": ("png.dcm", encapsulated(syntax, image_file("PNG"))),
        }
    tiles = _patched(codestream("htj2k", deep), b"\xff\x51", 22, struct.pack(">II", 1, 1))
    return files | {"htj2k dicom of countless tiles": ("t.dcm", encapsulated(HTJ2KLossless, tiles))}


def _hostile_images() -> Files:
    """Images of BMP, GIF, JPEG 2000, HEIC and AVIF that are cut or claim a huge size."""
    bmp, gif, jp2 = image_file("BMP"), image_file("GIF"), image_file("JPEG2000")
    avif = image_file("AVIF", Image.fromarray(shades()).convert("RGB"))
    size, huge = struct.pack(">II", 150, 200), struct.pack(">II", 60_000, 60_000)
    return {
        "cut bmp": ("cut.bmp", bmp[: len(bmp) // 2]),
        "cut gif": ("cut.gif", gif[: len(gif) // 2]),
        "cut jpeg 2000": ("cut.jp2", jp2[: len(jp2) // 2]),
        "cut avif": ("cut.avif", avif[: len(avif) // 2]),
        "bmp claiming a huge size": (
            "b.bmp",
            bmp[:18] + struct.pack("<II", 60_000, 60_000) + bmp[26:],
        ),
        "bmp just under the limit": ("l.bmp", bmp[:18] + struct.pack("<II", 7000, 7000) + bmp[26:]),
        "run-length bmp": ("rle.bmp", bmp[:30] + b"\1\0\0\0" + bmp[34:]),
        "gif claiming a huge size": (
            "c.gif",
            gif[:6] + struct.pack("<HH", 60_000, 60_000) + gif[10:],
        ),
        "jpeg 2000 claiming a huge size": ("c.jp2", _patched(jp2, b"\xff\x51", 6, huge)),
        "jpeg 2000 of countless tiles": (
            "t.jp2",
            _patched(jp2, b"\xff\x51", 22, struct.pack(">II", 1, 1)),
        ),
        "avif claiming a huge size": ("c.avif", avif.replace(size, huge)),
        "avif without an image": ("n.avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(100)),
        "lossless jpeg without pixels": (
            "none.jpg",
            codestream("lossless jpeg", shades().astype(np.uint16))[:200],
        ),
    }


def _broken_dicom() -> Files:
    pixels = shades()
    good_jpeg = image_file("JPEG")
    cut = encapsulated(JPEGBaseline8Bit, good_jpeg, bits=8)
    return {
        "dicom with too few pixels": ("few.dcm", dicom_bytes(pixels, Rows=400)),
        "dicom of no rows": ("rows.dcm", dicom_bytes(pixels, Rows=0)),
        "dicom with two widths": (
            "widths.dcm",
            dicom_bytes(pixels).replace(
                struct.pack("<HH2sHH", 0x28, 0x11, b"US", 2, 150),
                struct.pack("<HH2sHHH", 0x28, 0x11, b"US", 4, 150, 150),
            ),
        ),
        "dicom storing more bits than it has": ("stored.dcm", dicom_bytes(pixels, BitsStored=40)),
        "dicom of an unknown sign": ("sign.dcm", dicom_bytes(pixels, PixelRepresentation=7)),
        "dicom element longer than the file": (
            "long.dcm",
            _with_element(_element(9, 0x1010, b"OB", b"", 0x7FFFFFFF)),
        ),
        "dicom element without an end": (
            "endless.dcm",
            _with_element(_element(9, 0x1010, b"OB", b"", _UNDEFINED)),
        ),
        "jpeg dicom without an end": ("end.dcm", cut[:-8]),
        "jpeg dicom of another size": (
            "size.dcm",
            encapsulated(JPEGBaseline8Bit, good_jpeg, bits=8, size=(200, 150)),
        ),
        "jpeg dicom of a color image": (
            "rgb.dcm",
            encapsulated(
                JPEGBaseline8Bit,
                image_file("JPEG", Image.fromarray(pixels).convert("RGB")),
                bits=8,
            ),
        ),
        "jpeg dicom holding a png": ("png.dcm", encapsulated(JPEGBaseline8Bit, image_file("PNG"))),
        "run-length dicom of nine segments": (
            "nine.dcm",
            encapsulated(RLELossless, _rle_image(*[b"\0"] * 9)),
        ),
        "run-length dicom with segments outside": (
            "outside.dcm",
            encapsulated(RLELossless, struct.pack("<16I", 2, *[0xFFFFFFF0] * 15)),
        ),
        "run-length dicom of too few pixels": (
            "short.dcm",
            encapsulated(RLELossless, _rle_image(b"\x81\x05", b"\x81\x05")),
        ),
    }


def _hostile_names() -> Files:
    """Their content is no image, so that the name appears beside the refusal."""
    names = {
        "name with a path": "../../../../tmp/hand.png",
        "name with a windows path": "..\\..\\windows\\system32\\hand.dcm",
        "name with control characters": "hand\x1b[2J\x07\r\n\tsecond line.png",
        "name of 300 letters": "h" * 296 + ".png",
        "name written backwards": "hand\u202egnp.exe",
        "name with markup": "<img src=x onerror=alert(1)>**bold**.png",
        "name with a formula": "=HYPERLINK(0)+hand.png",
    }
    return {what: (name, b"This is not an image.\n") for what, name in names.items()}


# To be read -------------------------------------------------------------------------------------


def _odd_images() -> Files:
    gray, color = shades(), Image.fromarray(shades()).convert("RGB")
    deep = gray.astype(np.int32) * 5_000_000
    holes = np.where(gray > 20, gray, np.nan).astype(np.float32)
    png = image_file("PNG")
    data = png.index(b"IDAT") - 4
    text = _chunk(b"zTXt", b"t\0\0" + zlib.compress(bytes(900_000), 9))
    frame = struct.pack(">IIIIIHHBB", 0, 150, 200, 0, 0, 1, 10, 0, 0)
    deep_color = np.repeat(gray[..., np.newaxis].astype(np.uint16) * 4, 3, axis=2)
    return {
        "cmyk jpeg": ("cmyk.jpg", image_file("JPEG", color.convert("CMYK"))),
        "cmyk tiff": ("cmyk.tif", image_file("TIFF", color.convert("CMYK"))),
        "tiff of 32-bit integers": ("int.tif", image_file("TIFF", deep)),
        "tiff of 32-bit numbers": ("float.tif", image_file("TIFF", gray.astype(np.float32) / 255)),
        "float tiff with holes": ("holes.tif", image_file("TIFF", holes)),
        "float tiff of the largest numbers": (
            "largest.tif",
            image_file("TIFF", (gray.astype(np.float32) - 100) * 2e36),
        ),
        "float tiff of the smallest numbers": (
            "smallest.tif",
            image_file("TIFF", gray.astype(np.float32) * np.float32(1e-45)),
        ),
        "deep color png": ("deep.png", cv2.imencode(".png", deep_color)[1].tobytes()),
        "png with empty data chunks": (
            "empty.png",
            png[:data] + _chunk(b"IDAT") * 50 + png[data:-12] + _chunk(b"IDAT") + png[-12:],
        ),
        "png with long texts": ("texts.png", _png(*[text] * 20)),
        "png whose data claim four gigabytes": (
            "data.png",
            png[:data] + b"\xff\xff\xff\xff" + png[data + 4 :],
        ),
        "png animation of one frame": (
            "one.png",
            _png(_chunk(b"acTL", struct.pack(">II", 1, 0)), _chunk(b"fcTL", frame)),
        ),
        "png and a web page": ("page.png", png + b"<script>alert(1)</script>"),
        "jpeg with a segment of no length": ("segment.jpg", _jpeg(b"\xff\xe5\0\0")),
        "jpeg and an archive": ("archive.jpg", image_file("JPEG") + b"PK\x03\x04" + bytes(500)),
        "jpeg with a preview": (
            "preview.jpg",
            image_file("MPO", color, save_all=True, append_images=[color.resize((75, 100))]),
        ),
        "tiff whose directory is its own next": (
            "circle.tif",
            _tiff(following=8 + gray.size),
        ),
        "tiff with an unknown tag type": ("type.tif", _tiff({60_000: (99, 1_000_000, 8)})),
    }


def _odd_exif() -> Files:
    wrong = {
        "orientation 0": _exif({274: (3, 1, 0)}),
        "orientation 9": _exif({274: (3, 1, 9)}),
        "orientation in words": _exif({274: (2, 4, 0x61626364)}),
        "a thousand orientations": _exif({274: (3, 1000, b"\x01\0" * 1000)}),
        "values outside": _exif({274: (3, 1000, 0xFFFFFFF0)}),
        "its directory outside": b"II*\0\xf0\xff\xff\xff",
        "its directory in a circle": _exif({34665: (4, 1, 8), 34853: (4, 1, 8)}),
        "nothing": b"",
        "text": b"This is no EXIF.",
        "sixty kilobytes": _exif({0x9286: (7, 60_000, bytes(60_000))}),
    }
    files = {
        f"jpeg with exif of {what}": ("exif.jpg", _jpeg(_segment(0xE1, b"Exif\0\0" + block)))
        for what, block in wrong.items()
    }
    giant = _exif({274: (5, 250_000, b"\1\0\0\0\1\0\0\0" * 250_000)})
    end = len(_tiff({34665: (4, 1, 0)}))
    return files | {
        "png with exif of two megabytes": ("exif.png", _png(_chunk(b"eXIf", giant))),
        "webp with exif of two megabytes": ("exif.webp", _webp_with_exif(giant)),
        "tiff with exif outside": ("outside.tif", _tiff({34665: (4, 1, 0xFFFFFFF0)})),
        "tiff with exif in a circle": (
            "circle.tif",
            _tiff({34665: (4, 1, end)}) + struct.pack("<HHHIII", 1, 34665, 4, 1, end, 0),
        ),
    }


def _odd_dicom() -> Files:
    dicom = dicom_bytes(shades(), PatientSex="F")
    page = b"<html><script>alert(1)</script><!--"
    named = dicom_bytes(shades(), PatientName="<b>Doe</b>^Jane\r\n../../etc/passwd")
    sets = _element(8, 5, b"UC", b"x\\" * 50_000)
    no_syntax = dicom.replace(b"\x02\0\x10\0UI", b"\x02\0\x11\0UI")
    return {
        "dicom without a transfer syntax": ("syntax.dcm", no_syntax),
        "gray levels stored as rgb": ("rgb.dcm", rgb_dicom(shades())),
        "dicom that is a web page": ("page.html", page.ljust(128) + dicom[128:]),
        "dicom that is a program": ("hand.exe", b"MZ\x90\0".ljust(128, b"\0") + dicom[128:]),
        "dicom that is a tiff": ("hand.tif", image_file("TIFF")[:128] + dicom[128:]),
        "dicom with a hostile patient name": ("name.dcm", named),
        "dicom whose pixels claim to be a sequence": (
            "sequence.dcm",
            dicom.replace(b"\xe0\x7f\x10\0OB", b"\xe0\x7f\x10\0SQ"),
        ),
        "dicom with too many pixels stored": (
            "padded.dcm",
            dicom_bytes(shades(), PixelData=shades().tobytes() + bytes(100)),
        ),
        "dicom with a private element of five megabytes": (
            "private.dcm",
            _with_element(_element(9, 0x1010, b"OB", bytes(5_000_000))),
        ),
        "dicom with fifty thousand character sets": (
            "sets.dcm",
            _with_element(sets, before=b"\x08\0\x16\0"),
        ),
        "dicom with a broken window": (
            "window.dcm",
            dicom_bytes(shades(), WindowCenter=100, WindowWidth=-5),
        ),
        "dicom with an endless rescale": (
            "rescale.dcm",
            dicom_bytes(shades(), RescaleSlope="1e308", RescaleIntercept="-1e308"),
        ),
        "dicom of an impossible age": (
            "age.dcm",
            dicom_bytes(shades(), PatientBirthDate="20170101", StudyDate="20170101").replace(
                b"20170101", b"00000000"
            ),
        ),
    }


# Longer recipes ---------------------------------------------------------------------------------


def _exif(entries: dict) -> bytes:
    """An EXIF block: a TIFF directory without an image."""
    no_image = dict.fromkeys((256, 257, 258, 259, 262, 273, 277, 278, 279))
    return _tiff(no_image | entries, content=b"")


def _webp_with_exif(block: bytes) -> bytes:
    chunk = b"EXIF" + struct.pack("<I", len(block)) + block + b"\0" * (len(block) % 2)
    body = _webp(flags=8)[8:] + chunk
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _tiff_with_exif(numbers: int) -> bytes:
    """A TIFF with an EXIF directory of one entry, a long list of fractions."""
    end = len(_tiff({34665: (4, 1, 0)}))
    entry = struct.pack("<HHHII", 1, 0x829A, 5, numbers, end + 18) + bytes(4)
    return _tiff({34665: (4, 1, end)}) + entry + b"\1\0\0\0\1\0\0\0" * numbers


def _claim_tiff_size(tiff: bytes, side: int) -> bytes:
    """The same TIFF with width and height (tags 256 and 257) replaced in its directory."""
    changed = bytearray(tiff)
    (start,) = struct.unpack_from("<I", tiff, 4)
    (entries,) = struct.unpack_from("<H", tiff, start)
    for at in range(start + 2, start + 2 + 12 * entries, 12):
        if struct.unpack_from("<H", tiff, at)[0] in (256, 257):
            struct.pack_into("<HII", changed, at + 2, 4, 1, side)
    return bytes(changed)


def _dicom_directory() -> bytes:
    record = pydicom.Dataset()
    record.DirectoryRecordType, record.PatientName = "PATIENT", "Nobody^Real"
    return dicom_bytes(None, FileSetID="DISC", DirectoryRecordSequence=[record])


def rgb_dicom(pixels: np.ndarray, **elements) -> bytes:
    """A DICOM file of (H, W) uint8 gray levels or (H, W, 3) uint8 colors, stored as RGB."""
    colors = pixels if pixels.ndim == 3 else np.repeat(pixels[..., np.newaxis], 3, axis=2)
    usual = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    usual["PixelData"] = colors.tobytes()
    return dicom_bytes(colors[..., 0], **usual | elements)
