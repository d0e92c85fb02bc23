"""Named training recipes."""

from dataclasses import dataclass, field, replace

from boneage.datasets.challenge import AGE_SD, MEAN_AGE


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes to each training image; 0 leaves a change out.

    Attributes:
        flip: mirror left to right with probability one half.
        rotation: degrees either way.
        shift: fraction of the side, either way, along each axis.
        scale: log of the factor, either way, for both axes together.
        aspect: log of the factor, either way, for height against width.
        contrast: fraction by which contrast about the image's mean may change.
        brightness: share of the full range by which brightness may change.
        gamma: log of the power to which gray values may be raised, either way.
        erasing: share of the images in which a rectangle is blackened.
    """

    flip: bool = True
    rotation: float = 15.0
    shift: float = 0.08
    scale: float = 0.1
    aspect: float = 0.08
    contrast: float = 0.2
    brightness: float = 0.1
    gamma: float = 0.0
    erasing: float = 0.0


@dataclass(frozen=True)
class Preset:
    """A recipe: AdamW on the Huber loss in months, cosine decay with linear warm-up.

    Attributes:
        name: of the recipe.
        image_size: side in pixels; smaller than the cache's, images are averaged down.
        batch_size: number of images a step.
        epochs: at most.
        images_per_epoch: None for all training images; else a fresh random sample each epoch, which
            gives a slow machine checkpoints and validation more often.
        learning_rate: at the end of warm-up, decaying to zero with the last epoch.
        warmup_epochs: over which the learning rate rises from zero.
        weight_decay: of AdamW.
        huber_delta: months beyond which the loss grows linearly.
        l2: see `build_model`.
        dropout: see `build_model`.
        patience: epochs without a better validation MAE before training stops early.
        output_scale: months = scale * linear output + offset.
        output_offset: see `output_scale`.
        ema_momentum: momentum per step of the exponential moving average of the weights that is
            validated and kept; None keeps the last weights.
        linear_correction: undo regression to the mean with a line fitted on the training images; of
            a model that fits them much better than others, the line is none.
        mirroring: answer with the mean over the image and its mirror image, where that lowers the
            validation MAE by 1% or more.
        precision: Keras dtype policy of the training, "float32" or "mixed_bfloat16".
        seed: of the initial weights, image order, augmentation and dropout.
        augmentation: of the training images.
    """

    name: str
    image_size: int = 256
    batch_size: int = 64
    epochs: int = 60
    images_per_epoch: int | None = None
    learning_rate: float = 5e-3
    warmup_epochs: float = 3
    weight_decay: float = 1e-4
    huber_delta: float = 15.0
    l2: float = 1e-5
    dropout: float = 0.3
    patience: int = 12
    output_scale: float = 1.0
    output_offset: float = 0.0
    ema_momentum: float | None = None
    linear_correction: bool = False
    mirroring: bool = False
    precision: str = "float32"
    seed: int = 2017
    augmentation: Augmentation = field(default_factory=Augmentation)


# The reference states no precision; this one is the quicker on an accelerator.
_PAPER = Preset("paper", precision="mixed_bfloat16")

# A full training on an accelerator in two steps: many epochs on images of a quarter of the pixels,
# then `best` from their weights (`--warm-start`). The numbers of epochs are those for which there
# was time.
_BEST_128 = Preset(
    "best_128",
    image_size=128,
    batch_size=128,
    epochs=85,
    learning_rate=1.5e-3,
    warmup_epochs=2,
    weight_decay=0.05,
    dropout=0.1,
    output_scale=AGE_SD,
    output_offset=MEAN_AGE,
    ema_momentum=0.998,
    patience=60,
    linear_correction=True,
    precision="mixed_bfloat16",
    augmentation=Augmentation(rotation=20.0, scale=0.15, aspect=0.12, gamma=0.4, erasing=0.5),
)
_BEST = replace(
    _BEST_128,
    name="best",
    image_size=256,
    batch_size=64,
    epochs=98,
    learning_rate=6e-4,
    ema_momentum=0.999,
    mirroring=True,
)

# Two cores and an hour or two a model: most steps on small images, which cost a sixteenth, then
# ever fewer on larger ones, each preset started from the weights of the one before
# (`--warm-start`).
_CPU_64 = Preset(
    "cpu_64",
    image_size=64,
    epochs=8,
    learning_rate=1e-3,
    warmup_epochs=0.25,
    dropout=0.1,
    output_scale=AGE_SD,
    output_offset=MEAN_AGE,
    ema_momentum=0.99,
    linear_correction=True,
    augmentation=Augmentation(rotation=8.0, shift=0.05, scale=0.08, aspect=0.05),
)
_CPU_128 = replace(
    _CPU_64,
    name="cpu_128",
    image_size=128,
    batch_size=32,
    epochs=6,
    images_per_epoch=8192,
    learning_rate=5e-4,
)
_CPU_256 = replace(
    _CPU_128,
    name="cpu_256",
    image_size=256,
    batch_size=16,
    epochs=4,
    images_per_epoch=2560,
    learning_rate=3e-4,
)

PRESETS = {
    preset.name: preset
    for preset in (
        _PAPER,
        _BEST_128,
        _BEST,
        _CPU_64,
        _CPU_128,
        _CPU_256,
        # A minute on phantoms: shows that everything works.
        replace(
            _CPU_64,
            name="smoke",
            image_size=32,
            batch_size=8,
            epochs=3,
            ema_momentum=0.9,
            linear_correction=False,
        ),
    )
}


def find_preset(name: str) -> Preset:
    """The preset of that name; ValueError lists the names where there is none."""
    if name not in PRESETS:
        raise ValueError(
            f"There is no preset called {name!r}; choose one of: {', '.join(PRESETS)}."
        )
    return PRESETS[name]
