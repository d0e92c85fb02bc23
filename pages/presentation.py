"""Presentation: a page on a projector, in large type and by keys alone, the answer hidden at first.

`?present=1` in the address begins it, and so does `present_button`. A page that can be presented
asks `is_presenting`, and then shows `bar` and what belongs on the wall, nothing else. Keys are the
shortcuts of Streamlit's buttons: they work wherever the focus is, except while text is entered.
"""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

PARAMETER = "present"
STYLE = """
<style>
html { font-size: clamp(16px, 1.6vw, 40px) !important; }
[data-testid="stHeader"] { display: none; }
[data-testid="stMainBlockContainer"] { max-width: none; padding: 1rem 2rem 0; }
/* The bar comes first on the page and stays at the lower edge of the window, below all else. */
[data-testid="stVerticalBlock"]:has(> * > .st-key-presentation-bar) {
    min-height: calc(100vh - 1rem);
}
:has(> .st-key-presentation-bar) {
    order: 1; position: sticky; bottom: 0; z-index: 10; margin-top: auto;
}
.st-key-presentation-bar { padding: 0.3rem 0; }
.stApp :has(.st-key-presentation-bar), .st-key-presentation-bar { background-color: inherit; }
.st-key-presentation-bar button { font-size: 0.85rem; min-height: 2rem; }
.st-key-key-Esc { order: 1; margin-left: auto; }
:has(> .st-key-clicker) { display: none; }
@media (max-width: 40rem) {
    [data-testid="stMainBlockContainer"] { padding: 1rem 1rem 0; }
    .st-key-presentation-bar { gap: 0.5rem; }
    .st-key-presentation-bar [aria-label^="Shortcut"] { display: none; }
}
</style>
"""


def is_presenting() -> bool:
    return st.query_params.get(PARAMETER) == "1"


def present_button() -> None:
    """Begins the presentation of this page."""
    st.button(
        "Present",
        key="begin-presentation",
        on_click=_begin,
        icon=":material/slideshow:",
        help="For a projector: large type, keys to step through, the answer hidden at first.",
    )


def bar() -> DeltaGenerator:
    """Large type without the app's bar, and a bar of keys below, in which Esc leaves.

    Returns the bar, for more of `key_button`. It is to be called outside of columns and containers.
    """
    st.html(STYLE)
    keys = st.container(
        key="presentation-bar", horizontal=True, vertical_alignment="center", gap="small"
    )
    with keys:
        key_button("Leave", "Esc", _leave)
    return keys


def key_button(
    label: str,
    shortcut: str,
    on_click: Callable[..., None],
    args: tuple = (),
    disabled: bool = False,
) -> None:
    """A button that a key clicks, named as in `st.button`, such as "Right", "Space" or "Enter"."""
    st.button(
        label,
        key=f"key-{shortcut}",
        on_click=on_click,
        args=args,
        type="tertiary",
        disabled=disabled,
        shortcut=shortcut,
    )


def step_through(
    cases: list[str],
    case: str,
    go: Callable[[str], None],
    answer: str = "answer",
    stays_shown: bool = False,
    place: DeltaGenerator | None = None,
) -> bool:
    """The bar with keys to step through cases and to show or hide the answer of this one.

    Args:
        cases: what tells each case from the others, in their order.
        case: the one on the wall.
        go: called with the case that is to come.
        answer: what is hidden, in the words of the button.
        stays_shown: once shown, the answer of the next case is shown too; else it is hidden.
        place: a `bar` that more stands in; by default a new one.

    Returns:
        Whether the answer is shown.
    """
    state, number = st.session_state, cases.index(case)
    this = answer if stays_shown else case
    shown = state.get("answer_shown_of") == this
    before, after = cases[max(number - 1, 0)], cases[min(number + 1, len(cases) - 1)]

    def turn(to: str) -> None:
        if not stays_shown:
            state.pop("answer_shown_of", None)
        go(to)

    def toggle() -> None:
        state["answer_shown_of"] = None if shown else this

    with place or bar():
        key_button("Previous", "Left", turn, (before,), disabled=before == case)
        key_button("Next", "Right", turn, (after,), disabled=after == case)
        key_button(f"{'Hide' if shown else 'Show'} the {answer}", "Space", toggle)
        st.caption(f"{number + 1} of {len(cases)}", width="content")
        with st.container(key="clicker"):  # a presenter's remote control sends these keys
            key_button("Previous", "PageUp", turn, (before,), disabled=before == case)
            key_button("Next", "PageDown", turn, (after,), disabled=after == case)
    return shown


def _begin() -> None:
    st.query_params[PARAMETER] = "1"


def _leave() -> None:
    st.query_params.pop(PARAMETER, None)
    st.session_state.pop("answer_shown_of", None)
