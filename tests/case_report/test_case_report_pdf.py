from datetime import date
from io import BytesIO

import pytest
from pypdf import PdfReader
from reportlab.graphics.shapes import Polygon

from boneage.case_report.chart import as_drawing
from boneage.case_report.content import Child, case_report
from boneage.case_report.pdf import as_pdf
from boneage.formatting import age_in_words
from boneage.growth.figures import growth_chart
from boneage.growth.follow_up import Reading
from boneage.growth.reference import BRUSH_FOUNDATION

MADE_ON = date(2026, 1, 31)


def page_of(report):
    """The only page of the report's PDF."""
    (page,) = PdfReader(BytesIO(as_pdf(report))).pages
    return page


def words_of(report) -> str:
    return " ".join(page_of(report).extract_text().split())


def images_of(page) -> list[tuple[int, int]]:
    return [image.image.size for image in page.images]


def test_the_page_holds_what_the_report_says(case):
    report = case_report(case(), Child(144.0, height_cm=150), made_on=MADE_ON)
    page = page_of(report)
    words = " ".join(page.extract_text().split())
    assert "Bone age report 2026-01-31" in words
    assert "Radiograph of the hand: hand.dcm" in words
    assert "13 years 9 months" in words
    assert "(90% prediction interval)" in words and age_in_words(report.interval[0]) in words
    for row in report.rows:
        assert " ".join(row) in words
    for sentence in (*report.statements, *report.remarks, *report.methods):
        assert sentence.replace("**", "") in words
    assert "Not a medical device" in words
    assert len(images_of(page)) == 4  # the radiograph and three average hands
    assert "Chronological age (years)" in words


def test_the_page_is_a4_and_prints_on_letter(case):
    page = page_of(case_report(case(), Child(144.0)))
    assert [float(side) for side in page.mediabox[2:]] == pytest.approx([595.3, 841.9], abs=0.1)
    margin = (841.9 - 792) / 2  # what letter is shorter by, at either end
    heights = []
    page.extract_text(
        visitor_text=lambda text, cm, tm, font, size: (
            heights.append(tm[4] * cm[1] + tm[5] * cm[3] + cm[5]) if text.strip() else None
        )
    )
    assert margin < min(heights) and max(heights) < 841.9 - margin - 18


def test_without_an_age_there_is_no_chart(case):
    page = page_of(case_report(case()))
    assert "Chronological age (years)" not in page.extract_text()
    assert "Not stated" in page.extract_text()
    assert len(images_of(page)) == 4


def test_a_refused_radiograph_gets_a_page_that_says_so_and_no_age(case):
    report = case_report(case(refused="The image is in color."), Child(144.0))
    page = page_of(report)
    words = " ".join(page.extract_text().split())
    assert "No bone age: refused by the image quality check. The image is in color." in words
    assert "13 years" not in words and "SD" not in words and "Interpretation" not in words
    assert len(images_of(page)) == 1
    sizes = []
    page.extract_text(visitor_text=lambda text, cm, tm, font, size: sizes.append((size, text)))
    assert max(sizes)[0] >= 14 and any("No bone age" in text for size, text in sizes if size >= 14)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("<b>&amp;</b>.png", "<b>&amp;</b>.png"),
        ("größe Ωμέγα Ж.png", "größe Ωμέγα Ж.png"),
        ("骨\x07🦴.png", "[U+9AA8][U+0007][U+1F9B4].png"),
        ("**a**.png", "**a**.png"),
        ("%s ../..\\x.png", "%s ../..\\x.png"),
    ],
)
def test_unusual_names_are_printed_in_full(name, printed, case):
    assert printed in words_of(case_report(case(file=name)))


def test_long_texts_stay_on_the_page(case):
    report = case_report(
        case(file="x" * 250 + ".png", label="A long label. " * 300),
        Child(144.0, height_cm=150, mother_cm=165, father_cm=180),
    )
    page = page_of(report)
    places = []

    def keep(text, cm, tm, font, size):
        if text.strip():
            places.append((tm[4] * cm[0] + tm[5] * cm[2] + cm[4], tm[5] * cm[3] + cm[5]))

    text = page.extract_text(visitor_text=keep)
    assert "x" * 250 in "".join(text.split())
    assert "RDES14" in text  # the last sentence
    assert all(0 < x < 595 and 0 < y < 842 for x, y in places)


def test_the_file_names_nobody_and_embeds_its_fonts(case):
    content = as_pdf(case_report(case(), Child(144.0)))
    reader = PdfReader(BytesIO(content))
    everything = reader.pages[0].extract_text() + repr(reader.metadata)
    for identity in ("Müller", "Jörg", "4711", "20060102", "ACC 12", "1.2.3"):
        assert identity not in everything
    fonts = reader.pages[0]["/Resources"]["/Font"].values()
    embedded = [font for font in fonts if "DejaVu" in font.get_object()["/BaseFont"]]
    assert len(embedded) == 2
    assert all("/FontFile2" in font.get_object()["/FontDescriptor"] for font in embedded)


def test_the_chart_is_drawn_where_the_figure_has_it():
    figure = growth_chart([Reading(144, 165, (150, 180), 0.9)], "male", BRUSH_FOUNDATION)
    drawing = as_drawing(figure, 300, 200, "Helvetica")
    left, bottom, width, height = 34, 28, 260, 166
    (x0, x1), (y0, y1) = figure.layout.xaxis.range, figure.layout.yaxis.range
    bands = [shape for shape in drawing.contents if isinstance(shape, Polygon)]
    assert len(bands) == 2
    for band, trace in zip(bands, figure.data, strict=False):
        assert band.points[0] == pytest.approx(left + (trace.x[0] - x0) / (x1 - x0) * width)
        assert band.points[1] == pytest.approx(bottom + (trace.y[0] - y0) / (y1 - y0) * height)
    (points,) = [
        shape
        for shape in drawing.contents
        if hasattr(shape, "contents") and any(isinstance(one, Polygon) for one in shape.contents)
    ]
    bar = points.contents[0]
    at = [bottom + (months - y0) / (y1 - y0) * height for months in (150, 180)]
    assert [bar.y1, bar.y2] == pytest.approx(at)
    assert bar.x1 == bar.x2 == pytest.approx(left + (144 - x0) / (x1 - x0) * width)


def test_what_the_chart_lacks_is_not_explained(case):
    assert "Bands: ± 1 and ± 2 SD" in words_of(case_report(case(), Child(144.0)))
    outside = words_of(case_report(case(), Child(228.0)))
    assert "Bands:" not in outside and "Bar: prediction interval" in outside
    forced = case_report(case(refused="The image is in color."), Child(144.0), force=True)
    assert "Bar:" not in words_of(forced)
