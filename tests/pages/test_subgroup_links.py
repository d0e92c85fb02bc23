"""A subgroup narrows everything on Error analysis, stands in the address and can be cleared."""

import base64
import json

import numpy as np
import pytest
from apps import clickable_tables, run, started, texts

from boneage import artifacts
from boneage.datasets.blocks import acquisition_block
from boneage.error_analysis import conditions

PAGE = "pages/error_analysis.py"


@pytest.fixture(scope="module")
def cases():
    cases = artifacts.read_predictions(artifacts.model_folder("densenet121"))
    return cases.assign(block=acquisition_block(cases))[cases["split"] == "validation"]


def opened(**query):
    return started(PAGE, model="DenseNet121", split="Validation", **query)


def heading(page) -> str:
    return page.header[0].value


def n_points(page) -> int:
    """In the chart of residuals."""
    spec = json.loads(page.get("plotly_chart")[0].proto.spec)
    named = [trace for trace in spec["data"] if trace.get("name") in ("Girls", "Boys")]
    return sum(_length(trace["x"]) for trace in named)


def _length(values) -> int:
    if isinstance(values, list):
        return len(values)
    return len(np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]))


def test_a_link_with_a_subgroup_shows_it_everywhere_and_the_chip_clears_it(cases):
    text = "sex:female~reference_band:5-10 years"
    n = conditions.filter_cases(cases, conditions.parse(text)).sum()
    page = opened(subgroup=text)
    assert heading(page) == f"DenseNet121: {n} radiographs"
    assert n_points(page) == n
    chip = page.button(key="clear-subgroup")
    assert chip.label.replace("\\", "") == "Subgroup: girls, 5-10 years"
    page.session_state["section"] = "Published results"
    assert "unlike your selection" in texts(run(page))
    page.session_state["section"] = "Export"
    run(page)
    assert f"{n} radiographs from the RSNA" in page.code[0].value
    assert "restricted to: girls, 5-10 years." in page.code[0].value
    page.button(key="clear-subgroup").click()
    run(page)
    assert heading(page) == "DenseNet121: 1,425 radiographs"
    assert "subgroup" not in page.query_params


def test_a_cell_is_chosen_by_keyboard_and_narrows_further(cases):
    page = opened(subgroup="contrast:50..")
    before = conditions.filter_cases(cases, conditions.parse("contrast:50..")).sum()
    assert heading(page) == f"DenseNet121: {before:,} radiographs"
    box = page.selectbox(key="cell")
    chosen = next(o for o in box.options if o.startswith("Boys, 10-15 years (n = "))
    box.select(chosen)
    run(page)
    n = chosen.split("= ")[1].rstrip(")")
    assert heading(page).startswith(f"DenseNet121: {n} radiograph")
    address = page.query_params["subgroup"]
    assert address == "contrast:50..~sex:male~reference_band:10-15 years"
    assert not [box for box in page.selectbox if box.key == "cell"]  # one cell is left


def test_rows_of_the_tables_are_buttons_of_their_subgroups(cases):
    page = opened(section="Subgroups")
    rows = clickable_tables(page)
    assert len(rows) == 2  # worst and blocks; no tree explains these errors
    for html in rows:
        for text in [
            part.split('"')[0] for part in html.split('<button type="button" value="')[1:]
        ]:
            inside = conditions.filter_cases(cases, conditions.parse(text))
            assert f"n = {inside.sum():,}<" in html


def test_a_link_that_is_no_subgroup_is_said_and_shows_all():
    page = opened(subgroup="weight:3..4")
    assert [error.value for error in page.error][0].startswith("The subgroup in the address")
    assert heading(page) == "DenseNet121: 1,425 radiographs"


def test_a_subgroup_that_the_radiographs_do_not_have_is_said_and_can_be_cleared(cases):
    selected = conditions.as_text(conditions.select(cases["id"], cases["id"][:30]))
    page = opened(subgroup=selected)
    assert heading(page) == "DenseNet121: 30 radiographs"
    page.segmented_control(key="split").set_value("test")
    run(page)
    assert "not among these" in page.error[0].value.replace("\\", "")
    page.button(key="clear-subgroup").click()
    assert heading(run(page)) == "DenseNet121: 200 radiographs"


@pytest.mark.parametrize("script", [PAGE, "pages/head_to_head.py"])
def test_charts_tables_report_and_references_can_be_downloaded(script):
    page = started(script, section="Export") if script == PAGE else started(script)
    labels = [element.proto.label for element in page.get("download_button")]
    for label in ("Download charts", "Download tables", "Report (HTML)", "Download BibTeX"):
        assert label in labels
    assert "The boneage authors" in page.code[0].value
    assert "@article{halabi2019," in page.code[1].value
