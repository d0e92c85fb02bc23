"""The notebook runs from top to bottom without real data, and is stored without its outputs."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "bone_age.ipynb"
CHARTS = 11
# The notebook trains long enough to be worth a look, which is not needed here.
SHORTER = {
    "n_train=60, n_test=12": "n_train=20, n_test=4",
    'find_preset("smoke"), epochs=12': 'find_preset("smoke"), epochs=2, images_per_epoch=8',
}
PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_stored_clean(notebook):
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert not cell.metadata
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert not re.search(r"/(root|home|work|Users|tmp)/|[A-Z]:\\", NOTEBOOK.read_text())


def test_it_imports_the_package_and_defines_nothing_of_its_own(notebook):
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert not [source for source in code if re.search(r"^\s*(def|class) ", source, re.MULTILINE)]


@pytest.mark.slow
def test_it_runs_from_top_to_bottom(notebook, monkeypatch):
    monkeypatch.delenv("BONEAGE_ARTIFACTS", raising=False)
    # The package of this checkout, wherever one is installed from.
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    for usual, shorter in SHORTER.items():
        (cell,) = (cell for cell in notebook.cells if usual in cell.source)
        cell.source = cell.source.replace(usual, shorter)
    eagerly = "import tensorflow\ntensorflow.config.run_functions_eagerly(True)"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(eagerly))
    # As Jupyter does it: in the folder where the notebook lies. Raises at the first error.
    place = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=600, resources=place).execute()
    shown = [
        output.get("data", {})
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert sum(PLOTLY in data for data in shown) == CHARTS
