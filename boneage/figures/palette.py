"""The colors of the app: one for each model and each sex, the same on every page.

Each is readable (contrast 3 to 1 or more, WCAG 2.1, 1.4.11) on the light and on the dark
background, so that no figure needs to know the theme, and no two are alike to color-blind eyes
that have to be told apart in one figure.
"""

MEAN = "#12948A"  # teal, which is also the app's own color

MODELS: dict[str, str] = {
    "ensemble": MEAN,
    "densenet121": "#2F7FD6",  # blue
    "resnet34_cbam": "#D9731A",  # orange
    "tiny_densenet": "#2F7FD6",
    "tiny_resnet_cbam": "#D9731A",
}
_OTHER_MODELS = ("#8A63D2", "#A07C00", "#C2487A")

OWN = ("#9B72DE", "#9C7A00")  # predictions from files of a user: purple, ochre
PUBLISHED_ENSEMBLE = "#3E9B4F"  # green: where teal is the ensemble of the two compared

SEXES: dict[str, str] = {
    "female": "#B4559A",  # plum
    "male": "#6F8B2B",  # olive
}

CHRONOLOGICAL_AGE = "#7C8794"  # slate
NEUTRAL = CHRONOLOGICAL_AGE  # grids, reference lines and ties, which take no side
ERROR = "#D1495B"  # red: the larger an error, the more of it
INK = "#000000"  # words on an area filled with one of these colors
MUTED_OPACITY = 0.75  # of the page's text color: notes and captions, contrast 4.5 to 1 or more
# These lie on radiographs only, which are dark in both themes.
HAND_BOX = "#2DD4BF"  # bright teal
BRIGHTER, DARKER = "#FF9F45", "#4AA3FF"  # orange and blue: what changes between two ages
EVENTS = {"appears": "#FFC24D", "fuses": "#7FE3D6"}  # amber and teal, as in the atlas viewer
SPREAD = "#FF6B9A"  # pink: where children of one age differ


def model_color(name: str) -> str:
    """The color of a model, "#rrggbb"; a model new to the palette always gets the same one."""
    return MODELS.get(name) or _OTHER_MODELS[sum(name.encode()) % len(_OTHER_MODELS)]


def rgb(color: str) -> tuple[int, int, int]:
    """ "#2F7FD6" -> (47, 127, 214)."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def faded(color: str, opacity: float) -> str:
    """The color for CSS and Plotly, opacity in [0, 1]."""
    return f"rgba({', '.join(map(str, rgb(color)))}, {opacity:g})"


# Areas on the page behind words of the page's text color, from no error to the largest. They are
# clear, so that they are neither glaring on the dark page nor dull on the light one.
ERROR_SHADES = (faded(ERROR, 0.06), faded(ERROR, 0.55))
FEW = faded(NEUTRAL, 0.25)  # an area of too few cases to tell
