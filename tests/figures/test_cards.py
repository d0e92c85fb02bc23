import re

from plain import plain

from boneage.figures import cards, palette

MONTHS = {"densenet121": 96.0, "resnet34_cbam": 105.0}


def test_the_mean_leads_and_every_model_has_its_color():
    html = cards.age_cards(MONTHS, 100.5)
    words = ["Ensemble", "8 years 5 months", "DenseNet121", "8 years<", "ResNet34+CBAM"]
    places = [html.index(word) for word in words]
    assert places == sorted(places)
    assert all(color in html for color in (palette.MEAN, *palette.MODELS.values()))


def test_every_card_has_its_interval():
    intervals = {"densenet121": (80.0, 112.0), "ensemble": (86.4, 114.0)}
    html = plain(re.sub("<span[^>]*>", "", cards.age_cards(MONTHS, 100.5, intervals, 0.85)))
    words = ["8 years 5 months", "85% interval: 7 y 2 m to 9 y 6 m", "DenseNet121",
             "85% interval: 6 y 8 m to 9 y 4 m", "ResNet34+CBAM"]  # fmt: skip
    places = [html.index(word) for word in words]
    assert places == sorted(places)
    assert html.count("interval") == 2


def test_a_single_model_has_no_mean():
    assert "Mean" not in cards.age_cards({"densenet121": 96.0}, 96.0)


def test_legend_words_cannot_become_markup():
    html = cards.map_legend("<b>little", "much", 0.6)
    assert "&lt;b&gt;little" in html
    assert "linear-gradient" in html


def test_a_model_is_headed_by_its_title_and_color():
    html = cards.model_heading("resnet34_cbam")
    assert "ResNet34+CBAM" in html
    assert palette.MODELS["resnet34_cbam"] in html


def test_every_figure_has_a_tile_with_its_interval():
    row = {"mae": 7.26, "mae_low": 6.9, "mae_high": 7.7}
    row |= {"within_12": 0.8, "within_12_low": 0.75, "within_12_high": 0.85}
    html = plain(cards.metric_tiles(row, ["mae", "within_12"], "#123456"))
    words = ["MAE", "7.3 months", "6.9 to 7.7", "Within 12 months", "80%", "75 to 85"]
    places = [html.index(word) for word in words]
    assert places == sorted(places)
    assert html.count("#123456") == 1
