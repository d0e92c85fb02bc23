"""The case report as a PDF of one page, which fits A4 and, printed unscaled, US letter."""

import importlib.util
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import cv2
import numpy as np
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    Frame,
    HRFlowable,
    Image,
    KeepInFrame,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from boneage.case_report.chart import as_drawing
from boneage.case_report.content import DISCLAIMER, SOFTWARE, CaseReport, interval_lines
from boneage.figures.images import with_hand_box
from boneage.formatting import age_in_words
from boneage.growth.figures import growth_chart
from boneage.growth.follow_up import Reading
from boneage.growth.reference import SD_TABLES

# What both papers have, within their margins: 210 mm of A4's width, 279 mm of letter's height.
_SIDE, _TOP = 17 * mm, 20 * mm
_WIDTH, _HEIGHT = A4[0] - 2 * _SIDE, A4[1] - 2 * _TOP
_IMAGE = (78 * mm, 92 * mm)
_CHART = (86 * mm, 62 * mm)
_STANDARD = 26 * mm  # width
_JPEG_QUALITY = 90

_INK, _MUTED, _LINE, _RED = map(HexColor, ("#1B1F24", "#57606A", "#C9CFD6", "#A4262C"))
_FONT, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_BASE = ParagraphStyle(
    "base", fontName=_FONT, fontSize=8.5, leading=11.5, textColor=_INK, splitLongWords=1
)
_SMALL = ParagraphStyle("small", _BASE, fontSize=6.5, leading=8.6, textColor=_MUTED)
_TITLE = ParagraphStyle("title", _BASE, fontName=_BOLD, fontSize=16, leading=20)
_HEADING = ParagraphStyle(
    "heading", _BASE, fontName=_BOLD, fontSize=9.5, leading=12, spaceBefore=7, spaceAfter=2
)
_VALUE = ParagraphStyle("value", _BASE, fontSize=8, leading=10.5)
_LABEL = ParagraphStyle("label", _VALUE, textColor=_MUTED)
_LABELED = ParagraphStyle("labeled", _BASE, fontName=_BOLD)
_SENTENCE = ParagraphStyle("sentence", _BASE, spaceAfter=2.5)
_AGE = ParagraphStyle("age", _BASE, fontName=_BOLD, fontSize=19, leading=23)
_WARNING = ParagraphStyle("warning", _BASE, fontName=_BOLD, fontSize=14, leading=18, textColor=_RED)
_RIGHT = ParagraphStyle("right", _BASE, alignment=2, textColor=_MUTED)
_CAPTION = ParagraphStyle("caption", _SMALL, alignment=1)


def as_pdf(report: CaseReport) -> bytes:
    """Lay a report out on one page.

    Args:
        report: what it says.

    Returns:
        The PDF file. What would not fit is printed smaller.
    """
    _register_fonts()
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, lang="en-US", initialFontName=_FONT)
    canvas.setTitle("Bone age report")
    canvas.setCreator(SOFTWARE)
    frame = Frame(_SIDE, _TOP, _WIDTH, _HEIGHT, 0, 0, 0, 0)
    frame.addFromList([KeepInFrame(_WIDTH, _HEIGHT, _page(report), mode="shrink")], canvas)
    canvas.save()
    return file.getvalue()


def _page(report: CaseReport) -> list[Flowable]:
    parts = [*_head(report), _image_and_findings(report)]
    if report.statements or report.remarks:
        parts += [_text("Interpretation", _HEADING)]
        parts += [_text(words, _SENTENCE) for words in (*report.statements, *report.remarks)]
    if report.bone_age_months is not None:
        parts += [_space(), _chart_and_standards(report)]
    return [*parts, _text("Methods", _HEADING), _text(" ".join(report.methods), _SMALL)]


def _head(report: CaseReport) -> list[Flowable]:
    case = report.case
    file = f"{case.file}, {case.which}" if case.which else case.file
    title = Table(
        [[_text("Bone age report", _TITLE), _text(f"{report.made_on}", _RIGHT)]],
        [0.75 * _WIDTH, 0.25 * _WIDTH],
        style=[*_BARE, ("VALIGN", (1, 0), (1, 0), "BOTTOM")],
    )
    label = [_plain(case.label, _LABELED)] if case.label else []
    return [
        title,
        *label,
        _plain(f"Radiograph of the hand: {file}"),
        _text(DISCLAIMER, _SMALL),
        HRFlowable("100%", 0.8, color=_INK, spaceBefore=4, spaceAfter=8),
    ]


def _image_and_findings(report: CaseReport) -> Flowable:
    case = report.case
    picture = _image(with_hand_box(case.shown, case.prediction.hand, case.others), *_IMAGE)
    caption = "Radiograph with the crop box" + ("; thin: the other hand" if case.others else "")
    findings: list[Flowable] = []
    if report.warning:
        findings += [_text(report.warning, _WARNING), _text(report.refusal or ""), _space()]
    if report.bone_age_months is not None:
        findings += [
            _text("Bone age (skeletal age)"),
            _text(age_in_words(report.bone_age_months), _AGE),
            *(_text(line) for line in interval_lines(report)),
            _text(report.method, _SMALL),
            _space(),
        ]
    width = _WIDTH - _IMAGE[0] - 6 * mm
    rows = [[_text(label, _LABEL), _text(value, _VALUE)] for label, value in report.rows]
    findings.append(Table(rows, [0.46 * width, 0.54 * width], style=_ROWS))
    return Table(
        [[[picture, Spacer(0, 2), _text(caption, _CAPTION)], findings]],
        [_IMAGE[0] + 6 * mm, width],
        style=[*_BARE, ("RIGHTPADDING", (0, 0), (0, 0), 6 * mm)],
    )


def _chart_and_standards(report: CaseReport) -> Flowable:
    """The chart, where there is a chronological age, beside the average hands."""
    cells: list[list[Flowable]] = []
    age = report.child.chronological_age_months
    if age is not None and report.bone_age_months is not None:
        reading = Reading(age, report.bone_age_months, report.interval, report.level)
        sex, table = report.case.prediction.sex, report.child.sd_table
        cells.append(
            [
                _text("Bone age against chronological age", _HEADING),
                as_drawing(growth_chart([reading], sex, table), *_CHART, _FONT),
                _text(" ".join(_about_chart(report)), _SMALL),
            ]
        )
    if report.standards:
        cells.append([_text("Average hands of similar bone age", _HEADING), _standards(report)])
    if not cells:
        return Spacer(0, 0)
    widths = [_CHART[0] + 6 * mm, _WIDTH - _CHART[0] - 6 * mm] if len(cells) > 1 else [_WIDTH]
    return Table([cells], widths, style=_BARE)


def _about_chart(report: CaseReport) -> Iterator[str]:
    """How to read the chart: what is in it."""
    if report.deviation:
        yield f"Bands: ± 1 and ± 2 SD for age ({SD_TABLES[report.deviation.table]})."
    yield "Line: bone age equals chronological age."
    if report.interval:
        yield "Bar: prediction interval."


def _standards(report: CaseReport) -> Flowable:
    images, captions = [], []
    for which, standard in report.standards.items():
        height = _STANDARD * standard.image.shape[0] / standard.image.shape[1]
        images.append(_image(standard.image, _STANDARD, height))
        captions.append(_text(f"{age_in_words(standard.mean_age_months)}\n({which})", _CAPTION))
    each = _STANDARD + 2 * mm
    total = " + ".join(str(standard.n) for standard in report.standards.values())
    gap = ("RIGHTPADDING", (0, 0), (-1, -1), 2 * mm)
    spaced = [
        *_BARE,
        gap,
        ("TOPPADDING", (0, 1), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 1), (-1, -1), 3),
    ]
    table = Table([images, captions], [each] * len(images), style=spaced, hAlign="LEFT")
    about = _text(f"Averages of {total} radiographs (RSNA Pediatric Bone Age Challenge).", _SMALL)
    return Table([[table], [about]], style=_BARE, hAlign="LEFT")


_BARE: Sequence = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]
_ROWS = TableStyle(
    [
        *_BARE,
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LINEBELOW", (0, 0), (-1, -2), 0.4, _LINE),
        ("LINEABOVE", (0, 0), (-1, 0), 0.4, _LINE),
    ]
)


def _space() -> Flowable:
    return Spacer(0, 2.5 * mm)


def _text(words: str, style: ParagraphStyle = _BASE) -> Paragraph:
    """A paragraph of text in which **bold** is the only markup."""
    markup = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(printable(words)))
    return Paragraph(markup.replace("\n", "<br/>"), style)


def _plain(words: str, style: ParagraphStyle = _BASE) -> Paragraph:
    """A paragraph of what people entered, without markup."""
    return Paragraph(escape(printable(words)), style)


def printable(words: str) -> str:
    """Text with each character that the font lacks as its code point: "[U+1F9B4]"."""
    known = pdfmetrics.getFont(_FONT).face.charToGlyph
    return "".join(c if ord(c) in known or c == "\n" else f"[U+{ord(c):04X}]" for c in words)


def _image(pixels: np.ndarray, width: float, height: float) -> Image:
    """A gray or RGB uint8 image, as large as fits into width and height in points."""
    order = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    content = io.BytesIO(cv2.imencode(".jpg", order, quality)[1].tobytes())
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    return Image(content, pixels.shape[1] * scale, pixels.shape[0] * scale, hAlign="LEFT")


def _register_fonts() -> None:
    """DejaVu Sans, which has the signs and alphabets that the fonts of every PDF viewer lack."""
    if _FONT in pdfmetrics.getRegisteredFontNames():
        return
    # Matplotlib comes with it. It is not imported, as that takes a second.
    spec = importlib.util.find_spec("matplotlib")
    assert spec and spec.origin  # noqa: S101  MediaPipe requires it
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    for name in (_FONT, _BOLD):
        pdfmetrics.registerFont(TTFont(name, folder / f"{name}.ttf"))
    pdfmetrics.registerFontFamily(_FONT, _FONT, _BOLD, _FONT, _BOLD)
