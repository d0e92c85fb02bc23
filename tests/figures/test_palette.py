import re
import tomllib
from itertools import combinations
from pathlib import Path

import pytest

from boneage.figures import palette
from boneage.models.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / ".streamlit" / "config.toml"
THEME = tomllib.loads(CONFIG.read_text())["theme"]
COLORS = {
    *palette.MODELS.values(),
    *palette.SEXES.values(),
    *palette.OWN,
    palette.PUBLISHED_ENSEMBLE,
    palette.MEAN,
    palette.CHRONOLOGICAL_AGE,
    palette.NEUTRAL,
    palette.ERROR,
}


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.1."""
    shares = [channel / 255 for channel in palette.rgb(color)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: str, b: str) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_color_can_be_seen_on_both_backgrounds(mode):
    background = THEME[mode]["backgroundColor"]
    low = {c: contrast(c, background) for c in COLORS if contrast(c, background) < 3}
    assert not low


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_is_readable(mode):
    theme = THEME[mode]
    for background in (theme["backgroundColor"], theme["secondaryBackgroundColor"]):
        assert contrast(theme["textColor"], background) >= 7
    assert contrast(theme["blueTextColor"], theme["blueBackgroundColor"]) >= 4.5


def blended(color: str, opacity: float, background: str) -> str:
    pairs = zip(palette.rgb(color), palette.rgb(background), strict=True)
    return "#" + bytes(round(opacity * over + (1 - opacity) * on) for over, on in pairs).hex()


def shade(rgba: str) -> tuple[str, float]:
    """ "rgba(209, 73, 91, 0.55)" -> ("#d1495b", 0.55)."""
    *channels, opacity = map(float, rgba[5:-1].split(","))
    return "#" + bytes(map(int, channels)).hex(), opacity


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_muted_text_is_readable_on_every_ground_it_stands_on(mode):
    theme = THEME[mode]
    pages = [theme["backgroundColor"], theme["secondaryBackgroundColor"]]
    cards = [blended(color, 0.13, pages[0]) for color in palette.MODELS.values()]
    tile = blended(palette.NEUTRAL, 0.09, pages[0])
    grounds = [*pages, *cards, tile]
    assert (
        min(
            contrast(blended(theme["textColor"], palette.MUTED_OPACITY, ground), ground)
            for ground in grounds
        )
        >= 4.5
    )


def test_muted_html_has_one_opacity():
    for file in (*(ROOT / "boneage").rglob("*.py"), *(ROOT / "pages").rglob("*.py")):
        assert not re.search(r"[^-]opacity: ?0?\.\d", file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize(
    ("background", "text"),
    [
        *((THEME[mode]["backgroundColor"], THEME[mode]["textColor"]) for mode in ("light", "dark")),
        ("#FFFFFF", "#2A3F5F"),  # of the report: Plotly's own text color
    ],
)
def test_words_on_a_shade_of_error_are_readable_and_no_shade_glares(background, text):
    for color, opacity in map(shade, (*palette.ERROR_SHADES, palette.FEW)):
        ground = blended(color, opacity, background)
        assert contrast(text, ground) >= 4.5
        # On the dark page the lightest shade once was nearly white, 14 to 1.
        assert contrast(ground, background) < 4


def test_words_on_a_filled_area_are_readable():
    assert all(contrast(palette.INK, color) >= 4.5 for color in COLORS)


def test_colors_of_one_figure_differ():
    for a, b in combinations(COLORS, 2):
        apart = sum((x - y) ** 2 for x, y in zip(palette.rgb(a), palette.rgb(b), strict=True))
        assert apart > 60**2, (a, b)


def test_every_model_has_a_color_and_a_new_one_always_the_same():
    assert set(MODELS) <= set(palette.MODELS)
    assert palette.model_color("new") == palette.model_color("new")


def test_the_mean_has_one_color_by_either_name():
    assert palette.model_color("ensemble") == palette.MEAN


def test_faded():
    assert palette.faded("#2F7FD6", 0.25) == "rgba(47, 127, 214, 0.25)"
