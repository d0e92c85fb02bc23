"""What the results of an archive depend on, besides its files."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field

import boneage
from boneage import artifacts
from boneage.archive.stores import Store
from boneage.errors import BoneAgeError
from boneage.models.registry import ENSEMBLE

SETTINGS = "settings.json"
PART_SIZE = 64
_TITLES = {"source": "the source", "sex": "--sex", "model": "--model", "force": "--force"}
_TITLES |= {"part_size": "--part-size", "version": "the version of boneage"}


class ArchiveError(BoneAgeError):
    """A run over an archive cannot go on; `str(error)` is one sentence for people."""


@dataclass(frozen=True)
class Settings:
    """Options of a run and hashes of what predicts; results of other settings do not mix.

    Attributes:
        source: folder, URL or manifest, as given.
        sex: "female" or "male" where a file's own is not stated in a manifest; None for that of
            the DICOM header.
        model: name of a model, or "ensemble".
        force: whether radiographs that the quality check refuses get a bone age, too.
        part_size: files in a part.
        models: what predicts -> its SHA-256, see `fingerprints`.
        version: of this package.
        calibration: the local calibration, JSON as `LocalCalibration.as_json` writes it; not the
            path of its file, which the workers may not reach. None without.
    """

    source: str
    sex: str | None = None
    model: str = ENSEMBLE
    force: bool = False
    part_size: int = PART_SIZE
    models: dict[str, str] = field(default_factory=dict)
    version: str = boneage.__version__
    calibration: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over all settings."""
        return hashlib.sha256(self.as_json()).hexdigest()

    def as_json(self) -> bytes:
        """The settings as a JSON file."""
        return f"{json.dumps(dataclasses.asdict(self), indent=2, sort_keys=True)}\n".encode()


def fingerprints(model: str, calibration: str | None = None) -> dict[str, str]:
    """What tells the answers of this installation from those of another.

    Args:
        model: name of a model, or "ensemble".
        calibration: see `Settings`.

    Returns:
        The model, "quality check", "intervals" and, where there is one, "local calibration" ->
        SHA-256 (hex).

    Raises:
        ArtifactError: a file of a model is damaged.
    """
    published = artifacts.published_fingerprints()
    names = [name for name in published if name != ENSEMBLE] if model == ENSEMBLE else [model]
    quality = artifacts.read_quality_check()
    tables = hashlib.sha256()
    for name in sorted(names):
        tables.update((artifacts.model_folder(name) / artifacts.PREDICTIONS).read_bytes())
    found = {
        **{name: published[name] for name in names if name in published},
        "quality check": _hash_of(quality[0] if quality else None),
        "intervals": tables.hexdigest(),
    }
    if calibration is not None:
        found["local calibration"] = hashlib.sha256(calibration.encode()).hexdigest()
    return found


def claim(store: Store, settings: Settings) -> None:
    """Make a folder the place of these settings' results, or find that it is.

    Args:
        store: the folder for the results.
        settings: of this run.

    Raises:
        ArchiveError: it holds results of other settings.
    """
    content = store.read(SETTINGS)
    if content is None:
        if store.names("parts"):
            raise ArchiveError(
                f"{store.url} holds parts of results without {SETTINGS}; choose another folder."
            )
        store.write(SETTINGS, settings.as_json())
        return
    try:
        theirs = Settings(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise ArchiveError(
            f"{SETTINGS} in {store.url} is damaged or of another version of boneage; choose "
            "another folder for the results."
        ) from error
    if theirs != settings:
        raise ArchiveError(
            f"{store.url} holds results of other settings "
            f"({'; '.join(_differences(theirs, settings))}): give the same again to go on, or "
            "another folder for new results."
        )


def _differences(theirs: Settings, ours: Settings) -> list[str]:
    said = [
        f"{title} was {getattr(theirs, name)}, now {getattr(ours, name)}"
        for name, title in _TITLES.items()
        if getattr(theirs, name) != getattr(ours, name)
    ]
    changed = [
        name
        for name in theirs.models | ours.models
        if theirs.models.get(name) != ours.models.get(name)
    ]
    return [*said, *(f"{name} has changed" for name in changed)]


def _hash_of(values: dict | None) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
