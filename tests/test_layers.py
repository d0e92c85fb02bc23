"""Imports run downwards: a room of the package knows only the rooms below it, a page only those."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
# From the bottom to the top. Features stand above the core, and beside each other.
CORE = (
    "errors", "quiet", "sexes", "formatting", "atomic", "radiographs", "models", "artifacts",
    "datasets", "evaluation", "explain", "figures", "training", "quality", "inference",
)  # fmt: skip
# quality/learning.py makes what the check needs, from the predictions of the models.
UPWARDS = {("quality/learning.py", "inference")}
# The model card and the case report report on several features; a reader's errors are drawn like a
# model's. Results of archives say what a bone age means. The atlas tells all its ages as bone ages,
# with growth's table. The quiz teaches with the events of the atlas. Synthetic hands are made from
# radiographs registered to the atlas.
BETWEEN_FEATURES = {
    ("archive", "growth"),
    ("atlas", "growth"),
    ("case_report", "atlas"),
    ("case_report", "growth"),
    ("model_card", "comparison"),
    ("model_card", "error_analysis"),
    ("model_card", "robustness"),
    ("quiz", "atlas"),
    ("quiz", "error_analysis"),
    ("synthetic", "atlas"),
}
TOP = ("cli", "__main__", "__init__")


def imported(path: Path, package: str) -> set[str]:
    """What a file imports of "boneage" or "pages", anywhere in it: the second part of each name."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith(f"{package}.")}


def files_of(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


@pytest.mark.parametrize(
    "path",
    files_of(REPOSITORY / "boneage"),
    ids=lambda path: path.relative_to(REPOSITORY).as_posix(),
)
def test_imports_run_downwards(path):
    name = path.relative_to(REPOSITORY / "boneage").as_posix()
    room = name.split("/")[0].removesuffix(".py")
    others = imported(path, "boneage") - {room, "__version__"}
    assert not imported(path, "pages")
    if room in TOP:
        return
    others -= {other for file, other in UPWARDS if file == name}
    if room in CORE:
        assert others <= set(CORE[: CORE.index(room)])
    else:
        others -= {other for feature, other in BETWEEN_FEATURES if feature == room}
        assert others <= set(CORE)


def test_formatting_imports_nothing_of_the_package():
    assert imported(REPOSITORY / "boneage" / "formatting.py", "boneage") == set()


@pytest.mark.parametrize(
    "path", files_of(REPOSITORY / "pages"), ids=lambda path: path.relative_to(REPOSITORY).as_posix()
)
def test_sections_belong_to_one_page(path):
    page = path.parent.name.removesuffix("_sections") if path.parent.name != "pages" else path.stem
    assert imported(path, "pages") <= {
        "presentation",
        "shared",
        "export",
        "radiographs",
        "samples",
        "viewer",
        f"{page}_sections",
    }
