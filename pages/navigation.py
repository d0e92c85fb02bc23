"""What every session runs: the look of the app, and the page chosen."""

import streamlit as st

from boneage import teaching_notes
from boneage.figures import palette
from pages.presentation import is_presenting

ABOUT = """
**Bone age** estimates skeletal maturity from a radiograph of the hand with neural networks and
shows which regions the estimate depends on. For teaching and research: not a medical device, not
for diagnosis.
"""

# Streamlit offers a narrow and a full-width page; radiographs side by side want one in between.
STYLE = """
<style>
[data-testid="stMainBlockContainer"] { max-width: 70rem; }
[data-testid="stFileUploaderDropzone"]:not(:has([data-testid="stFileChip"])) { min-height: 7rem; }
[data-testid="stImage"] img { border-radius: 0.5rem; }
/* On a narrow chart the bar of tools would lie on its title. */
[data-testid="stPlotlyChart"] { container-type: inline-size; }
@container (max-width: 30rem) { .modebar-container { display: none; } }
[data-testid="stLayoutWrapper"]:has(> .st-key-fetch-plotly) { display: none; }
@media print {
    /* As wide as on a screen: charts keep the size they have. */
    @page { size: A4; margin: 1cm; }
    [data-testid="stMainBlockContainer"] { zoom: 0.72; }
    [data-testid="stPlotlyChart"], [data-testid="stHtml"] > div, [data-testid="stHtml"] tr,
    [data-testid="stImage"], [data-testid="stDataFrame"] { break-inside: avoid; }
    [data-testid="stHeading"] { break-after: avoid; }
}
</style>
"""
# Streamlit's own grays of captions and charts have a contrast of 4.05 and 3.65 to 1 on the light
# page; both take the page's text color instead, muted as everywhere.
MUTED = f"""
<style>
[data-testid="stCaptionContainer"] {{
    color: color-mix(in srgb, currentColor {palette.MUTED_OPACITY:.0%}, transparent);
    opacity: 1;  /* links keep their own color */
}}
[data-testid="stPlotlyChart"] text:not(.bartext, .hoverlayer *) {{ fill: currentColor !important; }}
[data-testid="stPlotlyChart"] :is([class$="tick"], [class^="g-"]:not(.g-gtitle)) text {{
    fill-opacity: {palette.MUTED_OPACITY} !important;
}}
</style>
"""

# An image of our own, and set before the pages: browsers would fetch their icons from elsewhere.
ICON = """
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
  <g fill="#17A398" transform="rotate(-45 16 16)">
    <rect x="8" y="13" width="16" height="6"/>
    <circle cx="7" cy="12.5" r="4"/><circle cx="7" cy="19.5" r="4"/>
    <circle cx="25" cy="12.5" r="4"/><circle cx="25" cy="19.5" r="4"/>
  </g>
</svg>
"""

st.set_page_config(page_icon=ICON, layout="wide", menu_items={"About": ABOUT})
page = st.navigation(
    [
        st.Page("predict.py", title="Predict", icon=":material/back_hand:", default=True),
        st.Page("follow_up.py", title="Follow-up", icon=":material/timeline:"),
        st.Page("atlas.py", title="Atlas", icon=":material/auto_stories:"),
        st.Page("learn.py", title="Learn", icon=":material/school:"),
        st.Page("error_analysis.py", title="Error analysis", icon=":material/scatter_plot:"),
        st.Page("head_to_head.py", title="Head to head", icon=":material/compare_arrows:"),
    ],
    position="top",
)
st.set_page_config(page_title=f"{page.title} · Bone age")
st.html(STYLE + MUTED)
if page.url_path in ("error_analysis", "head_to_head"):
    # Unseen and empty: the browser fetches Plotly, 5 MB, while the page is computed.
    with st.container(key="fetch-plotly"):
        st.plotly_chart([{"visible": False}])
page.run()
if not is_presenting():
    with st.expander("Teaching notes", icon=":material/co_present:"):
        st.markdown(teaching_notes.NOTES[page.url_path])
