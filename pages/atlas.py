"""Atlas: the average hand of each sex and age, computed from thousands of radiographs."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from boneage import formatting, sexes
from boneage.artifacts import ArtifactError
from boneage.atlas import files, ossification, standards
from boneage.atlas import viewer as atlas
from boneage.atlas.change import difference
from boneage.datasets.challenge import CITATION
from pages import presentation, shared
from pages.viewer import show_image

BOTH = "both"
HANDS = {BOTH: "Girls and boys", "female": "Girls", "male": "Boys"}
SEXES = {BOTH: sexes.SEXES, "female": ("female",), "male": ("male",)}
START = 96  # months; the age that the page opens at
VIEWER = st.components.v2.component("atlas_viewer", **atlas.VIEWER)
STEP = st.components.v2.component("atlas_step", **atlas.STEP)
ABOUT_AGES = (
    "All ages are bone ages. Ages of appearance were published as chronological ages of healthy "
    "children; shown is the mean bone age of healthy children of that age."
)
MAKE_ONE = (
    "There is no atlas yet. Create one from radiographs prepared at 640 pixels: "
    "`python -m boneage atlas --cache DIR --out artifacts/atlas`."
)


def choose_sexes() -> Sequence[str]:
    return SEXES[shared.pick("Hands", HANDS, "hands", label_visibility="collapsed")]


def show_viewer(sexes: Sequence[str], presenting: bool) -> int:
    """The hands at an age that is chosen on them, or stepped to; that age in months."""
    state, key = st.session_state, "atlas_presented" if presenting else "atlas_viewer"
    if key not in state:  # the page was opened, or opened again
        state["atlas_start"] = state["atlas_months"] = age_to_open_at(sexes)
    data = atlas.viewer_data([hand_data(sex, atlas_stamp()) for sex in sexes])
    VIEWER(
        key=key,
        data=data | {"start": state["atlas_start"], "presenting": presenting},
        on_months_change=lambda: state.update(atlas_months=state[key]["months"]),
    )
    months = state["atlas_months"] = within(state["atlas_months"], sexes)
    if st.query_params.get("age", str(START)) != str(months):
        st.query_params["age"] = str(months)
    return months


def present() -> None:
    """The hands at one half year after the other, the age and what changes behind a key."""
    bar = presentation.bar()
    with bar:
        sexes = choose_sexes()
    months = show_viewer(sexes, presenting=True)
    ages = sorted({*standards.half_year_steps(sexes), months})

    def go(to: str) -> None:
        st.session_state["atlas_months"] = int(to)

    is_shown = presentation.step_through(
        [str(age) for age in ages], str(months), go, "age and changes", True, bar
    )
    STEP(key="atlas_step", data={"months": months, "is_hidden": not is_shown})


@st.fragment
def show_growth(sexes: Sequence[str]) -> None:
    months = show_viewer(sexes, presenting=False)
    st.caption(ABOUT_AGES)
    with st.container(horizontal=True, vertical_alignment="center"):
        for sex in sexes:
            download(sex, months)
        spread = st.toggle("Show variability", key="spread", bind="query-params")
    if spread:
        show_spread([standards.between(sex, months) for sex in sexes])


def age_to_open_at(sexes: Sequence[str]) -> int:
    """The age in the address, in months; where none can be read there, the last one shown."""
    last = st.session_state.get("atlas_months", START)
    try:
        return within(int(st.query_params.get("age", last)), sexes)
    except ValueError:
        return within(last, sexes)


def within(months: int, sexes: Sequence[str]) -> int:
    """The age itself, or the youngest or oldest that there are standards of."""
    youngest, oldest = standards.age_span(sexes)
    return min(max(months, youngest), oldest)


def download(sex: str, months: int) -> None:
    shown = standards.age_shown(sex, months)
    st.download_button(
        formatting.children_aged(sex, shown),
        lambda: standards.png(standards.between(sex, months).image),
        f"average_hand_{formatting.CHILDREN[sex]}_{formatting.nearest_month(shown):03d}_months.png",
        "image/png",
        icon=":material/download:",
        on_click="ignore",
        key=f"download-{sex}",
        help="Download the image above as PNG",
    )


def show_spread(shown: list[standards.Standard]) -> None:
    for standard, place in zip(shown, st.columns(2, gap="medium"), strict=False):
        with place:
            show_image(
                atlas.spread_overlay(standard),
                f"{standard.title}: the average hand, colored where children differ most",
                f"spread {standard.sex}",
                standard.title,
            )
    st.html(atlas.spread_legend())
    st.caption(
        "Interquartile range of the gray level at each pixel between the registered hands. Color "
        "along outlines reflects size and position; color in the wrist and at the growth plates "
        "reflects differences in maturity between children of the same bone age."
    )


@st.fragment
def show_change() -> None:
    st.header("Changes between two ages", anchor=False)
    with st.container(horizontal=True, gap="medium"):
        sex = shared.pick("Sex", {key: HANDS[key] for key in sexes.SEXES}, "of_sex")
        low, high = st.slider(
            "Bone ages in years",
            *standards.half_years(sex),
            (6.0, 9.0),
            step=0.5,
            format="%.1f",
            key="change",
            width=420,
            bind="query-params",
        )
    if low == high:
        st.info("Choose two different bone ages.", icon=":material/compare_arrows:")
        return
    younger, older = (standards.between(sex, 12 * years) for years in (low, high))
    change = atlas.change_overlay(older, difference(younger, older))
    words = formatting.age_in_words(older.months)
    places = st.columns(3, gap="medium")
    images = {
        younger.title: (younger.image, f"Average hand: {younger.title}"),
        "Difference": (change, f"{older.title}: colored where it differs from {low:g} years"),
        older.title: (older.image, f"Average hand: {older.title}"),
    }
    for number, (caption, (image, alt)) in enumerate(images.items()):
        show_image(image, alt, f"change {number}", caption, place=places[number])
    st.html(atlas.change_legend(words))
    st.caption(
        "Difference in brightness after the younger hand was registered to the older one, so "
        "growth in size does not show. The stronger the color, the larger the difference."
    )


def show_sources() -> None:
    with st.expander("Ages of appearance and fusion", icon=":material/table_rows:"):
        st.dataframe(
            events_table(),
            hide_index=True,
            height="content",
            column_config={
                "Event": st.column_config.TextColumn(pinned=True),
                "No.": st.column_config.NumberColumn(width=50),
            },
            alt="Ages at which ossification centers appear and growth plates fuse, girls and boys",
        )
        st.caption(
            "A single age is the median of healthy children; a range spans the medians of several "
            "bones, for the pisiform the ages of individual children, for fusion the stage in "
            "which it occurs. Individual children often differ by a year or more."
        )
    with st.expander("Sources", icon=":material/menu_book:"):
        for short, source in ossification.SOURCES.items():
            st.markdown(f"- {short}: {formatting.as_plain_markdown(source)}")
        st.markdown(
            f"- Stages of development and bone ages of fusion after {ossification.STAGES_SOURCE}. "
            "For the comparison with standards see Greulich WW, Pyle SI. "
            "Radiographic Atlas of Skeletal Development of the Hand and Wrist. 2nd edition. "
            "Stanford University Press, 1959\\."
        )
        st.markdown(
            "- Bone ages of appearance: the mean bone age of healthy children of the published "
            f"chronological age, {formatting.as_plain_markdown(ossification.CONVERSION_SOURCE)}"
        )
        st.markdown(f"- Standards: {standards.SOURCE} {CITATION}")


@st.cache_data(show_spinner=False)
def events_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "No.": event.number,
            "Event": event.name,
            "": event.change,
            **{
                f"{children.capitalize()}{ending}": formatting.ages_in_words(*ages[sex])
                for ending, ages in (
                    (", bone age", event.bone_age),
                    (", published", event.published),
                )
                for sex, children in formatting.CHILDREN.items()
            },
            "Published as": ossification.SCALES[event.change].capitalize(),
            "Source": "; ".join(event.sources),
        }
        for event in ossification.events()
    )


def atlas_stamp() -> int:
    return (files.atlas_folder() / files.STANDARDS).stat().st_mtime_ns


# A new atlas has a new stamp.
@st.cache_resource(
    show_spinner="Loading the atlas. The first time takes a few seconds.", max_entries=4
)
def hand_data(sex: str, stamp: int) -> dict:
    return atlas.hand_data([standards.standard(sex, months) for months in standards.ages(sex)])


def main() -> None:
    if not standards.available():
        st.title("Atlas", anchor=False)
        st.info(MAKE_ONE, icon=":material/info:")
        return
    try:
        if presentation.is_presenting():
            present()
        else:
            show_page()
    except ArtifactError as error:
        shared.show_error(error)


def show_page() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Atlas", anchor=False)
        sexes = choose_sexes()
        presentation.present_button()
    made_of = standards.table()
    show_growth(sexes)
    st.markdown(
        f"The average hand of girls and boys, computed from {made_of['n'].sum():,} radiographs. "
        "Each image is the mean of many children and shows no single child. Move the slider or "
        "press play to see the hand mature."
    )
    show_change()
    show_sources()
    st.caption(
        f"{len(made_of)} standards of {made_of['n'].min()} to {made_of['n'].max()} radiographs "
        "each, grouped by bone age within three months of a half year. The age of a standard is "
        "the mean bone age of its radiographs. The averages are of one hospital population, scaled "
        "to one size, and are not a standard for diagnosis."
    )


main()
