"""The package as it is installed: its version, its command, what a wheel holds, what it needs."""

import re
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement

import boneage
from boneage import artifacts, cli

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
LOCK = (REPOSITORY / "requirements.lock").read_text()
PINNED = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.M))
NEEDED = [
    Requirement(line)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for line in group
]


def _lines(name: str) -> list[str]:
    lines = (REPOSITORY / name).read_text().splitlines()
    return [line.split("  #")[0] for line in lines if not line.startswith("#")]


def test_the_command_is_the_command_line(capsys):
    ((name, value),) = PROJECT["scripts"].items()
    assert name == "boneage"
    assert EntryPoint(name, value, "console_scripts").load() is cli.main
    with pytest.raises(SystemExit, match="^0$"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"boneage {boneage.__version__}\n"


@pytest.mark.parametrize(
    ("started", "name"),
    [
        ("/usr/bin/boneage", "boneage"),
        ("boneage.exe", "boneage"),
        ("/home/boneage/__main__.py", "python -m boneage"),
    ],
)
def test_usage_names_the_command_as_it_was_started(started, name, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [started])
    with pytest.raises(SystemExit, match="^0$"):
        cli.main(["--help"])
    assert capsys.readouterr().out.startswith(f"usage: {name} ")


def test_there_is_one_version():
    citation = (REPOSITORY / "CITATION.cff").read_text()
    assert re.search(r"^version: (.+)$", citation, re.M)[1] == boneage.__version__
    assert WheelBuilder(str(REPOSITORY)).metadata.version == boneage.__version__


def test_a_wheel_holds_the_package_with_its_data_and_the_artifacts():
    expected = {
        f"{inside}/{path.relative_to(REPOSITORY / folder).as_posix()}"
        for folder, inside in (("boneage", "boneage"), ("artifacts", "boneage/_artifacts"))
        for path in (REPOSITORY / folder).rglob("*")
        # Left out as git does: what Python and an unfinished training leave behind.
        if path.is_file() and path.suffix != ".pyc" and path.name != "checkpoint.npz"
    }
    files = WheelBuilder(str(REPOSITORY)).recurse_included_files()
    assert {file.distribution_path for file in files} == expected


def test_artifacts_are_inside_an_installed_package_and_beside_that_of_a_checkout(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("BONEAGE_ARTIFACTS", raising=False)
    assert artifacts.artifacts_root() == REPOSITORY / "artifacts"
    inside = tmp_path / "boneage" / "_artifacts"
    inside.mkdir(parents=True)
    monkeypatch.setattr(artifacts, "__file__", str(tmp_path / "boneage" / "artifacts.py"))
    assert artifacts.artifacts_root() == inside
    inside.rmdir()
    assert artifacts.artifacts_root() == tmp_path / "artifacts"
    monkeypatch.setenv("BONEAGE_ARTIFACTS", str(tmp_path / "own"))
    assert artifacts.artifacts_root() == tmp_path / "own"


@pytest.mark.parametrize(
    "needed", [each for each in NEEDED if each.name != "boneage"], ids=lambda each: each.name
)
def test_the_lock_file_pins_what_is_needed(needed):
    assert PINNED[needed.name] in needed.specifier


def test_requirements_install_this_folder_with_the_locked_versions():
    assert _lines("requirements.txt") == ["--constraint requirements.lock", "--editable ."]
    assert _lines("tests/requirements.txt") == [
        "--constraint ../requirements.lock",
        "--editable .[dev]",
    ]


def test_the_same_system_libraries_are_installed_everywhere():
    libraries = set(_lines("packages.txt"))
    (line,) = re.findall(r'^packages="(.*)"$', (REPOSITORY / ".ci" / "run").read_text(), re.M)
    assert set(line.split()) == libraries | {"chromium-headless-shell", "dcmtk"}  # for tests
    assert libraries <= set((REPOSITORY / "README.md").read_text().replace("`", " ").split())
