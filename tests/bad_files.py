"""Broken and hostile files that everything that reads a radiograph must refuse politely."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
)


def bad_files() -> dict[str, tuple[str, bytes]]:
    """What is wrong -> (file name, content); every one must be refused."""
    png, jpeg, webp, tiff = (_picture(kind) for kind in ("PNG", "JPEG", "WEBP", "TIFF"))
    dicom = dicom_bytes(_noise())
    return {
        "empty": ("empty.png", b""),
        "text": ("notes.png", b"This is not a picture but a short note.\n"),
        "unknown": ("hand.jpg", bytes(range(256)) * 20),
        "pdf": ("report.jpg", b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"),
        "bmp": ("hand.bmp", _picture("BMP")),
        "gif": ("animated.gif", _animation("GIF")),
        "animated webp": ("animated.webp", _animation("WEBP")),
        "animated png": ("animated.png", _animation("PNG")),
        "multi-page tiff": ("pages.tif", _animation("TIFF")),
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
        "png with a wrong checksum": ("checksum.png", png[:40] + b"????" + png[44:]),
        "one pixel": ("dot.png", _picture("PNG", np.full((1, 1), 128, np.uint8))),
        "one shade": ("grey.png", _picture("PNG", np.full((200, 200), 128, np.uint8))),
        "strip": ("strip.png", _picture("PNG", _noise(70, 900))),
        "png bomb": ("bomb.png", png_bomb(30_000, 30_000)),
        "png just over the limit": ("large.png", png_bomb(8_000, 7_000)),
        "tiff claiming a huge size": ("claim.tif", _claim_tiff_size(tiff, 60_000)),
        "dicom without pixels": ("report.dcm", dicom_bytes(None)),
        "dicom with several frames": ("frames.dcm", _multi_frame_dicom()),
        "dicom claiming a huge size": (
            "claim.dcm",
            dicom_bytes(_noise(), Rows=60000, Columns=60000),
        ),
        "dicom with too few pixels": ("few.dcm", dicom_bytes(_noise(), Rows=400)),
        "colour dicom": ("colour.dcm", _colour_dicom()),
        "deflated dicom": (
            "deflated.dcm",
            dicom_bytes(_noise(), transfer_syntax=DeflatedExplicitVRLittleEndian),
        ),
        "compressed dicom": ("lossless.dcm", _compressed_dicom()),
    }


def png_bomb(width: int, height: int) -> bytes:
    """A well-formed black 1-bit PNG: a few bytes for each million pixels."""
    squeeze = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    lines = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", lines), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


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


def _noise(height: int = 200, width: int = 150) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)


def _picture(kind: str, pixels: np.ndarray | None = None) -> bytes:
    file = BytesIO()
    Image.fromarray(_noise() if pixels is None else pixels).save(file, kind)
    return file.getvalue()


def _animation(kind: str) -> bytes:
    first, second = Image.fromarray(_noise()), Image.fromarray(255 - _noise())
    file = BytesIO()
    first.save(file, kind, save_all=True, append_images=[second])
    return file.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _claim_tiff_size(tiff: bytes, side: int) -> bytes:
    """The same TIFF with width and height (tags 256 and 257) replaced in its directory."""
    changed = bytearray(tiff)
    (start,) = struct.unpack_from("<I", tiff, 4)
    (entries,) = struct.unpack_from("<H", tiff, start)
    for at in range(start + 2, start + 2 + 12 * entries, 12):
        if struct.unpack_from("<H", tiff, at)[0] in (256, 257):
            struct.pack_into("<HII", changed, at + 2, 4, 1, side)
    return bytes(changed)


def _multi_frame_dicom() -> bytes:
    pixels = _noise()
    return dicom_bytes(pixels, NumberOfFrames=2, PixelData=pixels.tobytes() * 2)


def _colour_dicom() -> bytes:
    pixels = _noise()
    return dicom_bytes(
        pixels,
        SamplesPerPixel=3,
        PhotometricInterpretation="RGB",
        PlanarConfiguration=0,
        PixelData=np.repeat(pixels[..., None], 3, axis=2).tobytes(),
    )


def _compressed_dicom() -> bytes:
    """JPEG Lossless, which needs a decoder that is not installed; the content does not matter."""
    content = pydicom.encaps.encapsulate([bytes(1000)])
    return dicom_bytes(_noise(), transfer_syntax=JPEGLosslessSV1, PixelData=content)
