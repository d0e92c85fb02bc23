"""The radiographs to predict, uploaded or a sample, and the sex and age of the child."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from boneage.datasets.delimited import LabelError
from boneage.datasets.labels import CHRONOLOGICAL_AGE, image_id, read_case_labels
from boneage.formatting import as_plain_markdown, nearest_month
from boneage.growth.entries import age_from
from boneage.inference.labeled import unmatched_in_words
from boneage.radiographs.preprocessing import SEXES
from pages.predict_sections.kept import ask_for_files, clear_files
from pages.radiographs import Source, file_source
from pages.samples import about_samples, sample_source, sample_thumbnail, samples
from pages.shared import OLDEST_YEARS, read_upload, show_error


def choose_sources() -> tuple[list[Source], pd.DataFrame | None]:
    """The radiographs uploaded, or else the sample chosen, and the labels uploaded with them."""
    files = ask_for_files()
    if files:
        # Not in on_change, which also fires when another input interrupts the first run.
        take_sample(None)
    elif sample := chosen_sample():
        return [sample_source(sample)], None
    csv = [file for file in files if file.name.casefold().endswith(".csv")]
    radiographs = [file for file in files if file not in csv]
    sources = [file_source(file.file_id, file.name, file.content) for file in radiographs]
    return sources, read_labels_of(csv, [source.name for source in sources])


def chosen_sample() -> str | None:
    """The sample in the address, or else the one shown last, which the address then names."""
    asked, offered, last = st.query_params.get("sample"), samples(), st.session_state.get("sample")
    sample = asked if asked in offered else last
    if sample != last:  # a link, or the browser's "Back": what it says of the child counts
        st.session_state["linked"] = sample
    if asked and asked not in offered:
        st.warning(
            f"There is no sample named {as_plain_markdown(asked)}. Choose one of those offered.",
            icon=":material/link_off:",
        )
    take_sample(sample if sample in offered else None)
    return st.session_state["sample"]


def take_sample(name: str | None) -> None:
    st.session_state["sample"] = name
    if name is None:
        st.query_params.pop("sample", None)
    elif st.query_params.get("sample") != name:
        st.query_params["sample"] = name


def clear() -> None:
    """Forget the radiographs, uploaded or a sample."""
    clear_files()
    take_sample(None)


def read_labels_of(csv: list, files: list[str]) -> pd.DataFrame | None:
    """The labels of the files; what cannot be used is said, and the radiographs go without."""
    if not csv:
        return None
    if len(csv) > 1:
        st.error("Upload one CSV file of labels; these are several.", icon=":material/error:")
        return None
    try:
        labels = read_upload(read_case_labels, csv[0])
    except LabelError as error:
        show_error(error)
        return None
    if labels is not None and not files:
        st.info(
            "Upload the radiographs that the labels belong to, in the same box.",
            icon=":material/info:",
        )
    elif labels is not None and (sentence := unmatched_in_words(files, labels)):
        st.warning(as_plain_markdown(sentence), icon=":material/warning:")
    return labels


def offer_samples(with_images: bool) -> None:
    def take(name: str) -> None:
        clear_files()
        take_sample(name)

    offered = samples()
    one = next(iter(offered.values()))  # they are all of one kind
    st.markdown(f"**No radiograph at hand?** Try {one.kind}:")
    with st.grid(3, min_column_width=90, gap="xsmall"):
        for name, sample in offered.items():
            with st.container(gap="xxsmall"):
                if with_images:
                    alt = f"{sample.kind.split(' ', 1)[1].capitalize()}: {name.lower()}"
                    st.image(sample_thumbnail(sample), width="stretch", alt=alt)
                st.button(name, key=f"sample-{name}", on_click=take, args=(name,), width="stretch")
    about, missed = about_samples(one)
    st.caption(about, help=missed)


def with_labels(sources: list[Source], labels: pd.DataFrame) -> list[Source]:
    """The sources, each with the sex and the age that its label states."""
    known = labels.set_index("id")
    found = []
    for source in sources:
        if (name := image_id(source.name)) in known.index:
            label = known.loc[name]
            age = label[CHRONOLOGICAL_AGE]
            source = replace(
                source, given_sex=label["sex"], given_age=None if pd.isna(age) else age
            )
        found.append(source)
    return found


def ask_about_the_child(sources: list[Source]) -> tuple[str | None, float | None]:
    """The sex, and the chronological age in months, either None while unknown."""
    prefill(sources)
    several = len(sources) > 1
    # Of a patient, neither goes into the address.
    bind = "query-params" if st.session_state.get("sample") else None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sex = st.segmented_control(
            "Sex, where a file does not state it" if several else "Sex",
            SEXES,
            format_func=str.capitalize,
            key="sex",
            bind=bind,
            persist_state="session",
            help="The models need it, because girls mature about two years earlier than boys.",
        )
        if several:
            return sex, None
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", width=300):
            years = st.number_input(
                "Age in years (optional)",
                min_value=0,
                max_value=OLDEST_YEARS,
                value=None,
                key="age_years",
                width=170,
                bind=bind,
                persist_state="session",
                help="The chronological age, for SD and adult height. It is not a model input.",
            )
            months = st.number_input(
                "and months",
                min_value=0,
                max_value=11,
                value=None,
                key="age_months",
                width=110,
                bind=bind,
                persist_state="session",
            )
    return sex, age_from(years, months)


def prefill(sources: list[Source]) -> None:
    """Put in what a new source says of itself; one child's sex and age never pass to the next."""
    state = st.session_state
    one = sources[0] if len(sources) == 1 else None
    now = one.key if one else "several" if sources else None
    before, state["source"] = state.get("source"), now
    linked = state.pop("linked", None)
    if now == before:
        return
    sex, age = (one.sex, one.header.age_months) if one else (None, None)
    if age is not None and nearest_month(age) // 12 > OLDEST_YEARS:
        age = None  # an adult's, or an error of the header
    if linked and linked == now and "sex" in st.query_params:
        return
    # What was entered before the first file came belongs to that file.
    if before or sex:
        state["sex"] = sex
    if before or age is not None:
        years_and_months = (None, None) if age is None else divmod(nearest_month(age), 12)
        state["age_years"], state["age_months"] = years_and_months
