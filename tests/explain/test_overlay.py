import cv2
import numpy as np
import pytest

from boneage.explain.overlay import colorize, stretch, to_radiograph, upsample
from boneage.models.registry import MODELS, FeatureGrid

GRIDS = [MODELS["densenet121"].last_grid, *MODELS["resnet34_cbam"].attention_grids.values()]


def peak(values):
    return np.unravel_index(values.argmax(), values.shape)


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: f"stride{grid.stride}")
def test_hot_cell_lands_on_the_center_the_grid_gives(grid):
    cells = np.zeros((256 // grid.stride,) * 2, np.float32)
    cells[2, 5] = 1
    pixels = upsample(cells, grid, 256)
    assert (pixels.shape, pixels.dtype) == ((256, 256), np.float32)
    y, x = (grid.first_center + grid.stride * i for i in (2, 5))
    assert peak(pixels) == (y, x)
    assert pixels[y, x] == pytest.approx(1)
    assert pixels[y, x - grid.stride // 2] == pytest.approx(0.5)
    assert pixels[y, x + grid.stride] == 0


def test_border_keeps_the_outermost_cell():
    cells = np.array([[1.0, 2.0], [3.0, 4.0]])
    pixels = upsample(cells, FeatureGrid(stride=8, first_center=4), 16)
    assert [pixels[0, 0], pixels[0, -1], pixels[-1, 0], pixels[-1, -1]] == [1, 2, 3, 4]


def test_map_of_another_grid_is_refused():
    with pytest.raises(ValueError, match="grid that belongs to the map"):
        upsample(np.zeros((8, 8)), FeatureGrid(stride=16, first_center=0), 256)


def test_pixel_of_the_crop_returns_to_its_place_on_the_radiograph():
    crop = np.zeros((64, 64), np.float32)
    crop[9:12, 39:42] = 1
    affine = cv2.getRotationMatrix2D((32, 32), 30, 2.0)
    affine[:, 2] += (100, 80)
    on_radiograph = to_radiograph(crop, affine, (300, 280))
    assert (on_radiograph.shape, on_radiograph.dtype) == ((300, 280), np.float32)
    y, x = np.indices(on_radiograph.shape)
    centroid = [(axis * on_radiograph).sum() / on_radiograph.sum() for axis in (x, y)]
    assert centroid == pytest.approx(affine @ [40, 10, 1], abs=0.05)


def test_outside_the_crop_the_radiograph_map_is_zero():
    affine = np.array([[2.0, 0, 50], [0, 2.0, 60]])
    on_radiograph = to_radiograph(np.ones((32, 32)), affine, (200, 200))
    assert on_radiograph[60:123, 50:113].min() == 1
    on_radiograph[58:125, 48:115] = 0
    assert on_radiograph.max() == 0


def test_color_grows_with_the_map_and_zero_shows_the_radiograph():
    gray = np.full((1, 3), 100, np.uint8)
    colored = colorize(gray, np.array([[0.0, 0.5, 1.0]], np.float32), opacity=0.8)
    assert (colored.shape, colored.dtype) == ((1, 3, 3), np.uint8)
    assert colored[0, 0].tolist() == [100, 100, 100]
    change = np.abs(colored[0].astype(int) - 100).sum(axis=1)
    assert 0 < change[1] < change[2]
    red, green, blue = colored[0, 2]
    assert min(red, green) > 100 > blue, "the top of the palette is yellow, in RGB order"


def test_opacity_zero_shows_the_radiograph():
    gray = np.arange(4, dtype=np.uint8).reshape(2, 2) * 60
    colored = colorize(gray, np.ones((2, 2)), opacity=0)
    np.testing.assert_array_equal(colored, np.repeat(gray[..., None], 3, axis=2))


@pytest.mark.parametrize(
    ("values", "opacity"),
    [(np.full((2, 2), 1.5), 0.5), (np.zeros((2, 2)), 2.0), (np.zeros((3, 2)), 0.5)],
)
def test_bad_input_to_colorize_is_refused(values, opacity):
    with pytest.raises(ValueError, match="map"):
        colorize(np.zeros((2, 2), np.uint8), values, opacity)


def test_stretch_fills_the_range_and_leaves_an_even_map_at_zero():
    assert stretch(np.array([0.4, 0.5, 0.6])) == pytest.approx([0, 0.5, 1])
    assert stretch(np.full((2, 2), 0.5)).max() == 0
