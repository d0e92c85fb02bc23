import pandas as pd

from boneage.figures import palette
from boneage.figures.training import training_curves

HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2],
        "loss": [220.0, 180.0],
        "mae": [21.0, 18.0],
        "val_loss": [280.0, 120.0],
        "val_mae": [25.0, 13.5],
        "learning_rate": [0.003, 0.0],
        "seconds": [614.0, 280.0],
    }
)


def drawn(figure):
    """(name, axis) -> values."""
    return {(trace.name, trace.yaxis): list(trace.y) for trace in figure.data}


def test_loss_error_and_learning_rate_stand_below_each_other():
    figure = training_curves({"densenet121": HISTORY})
    assert drawn(figure) == {
        ("DenseNet121, validation", "y"): [280, 120],
        ("DenseNet121, training", "y"): [220, 180],
        ("DenseNet121, validation", "y2"): [25, 13.5],
        ("DenseNet121", "y3"): [0.003, 0],
    }
    assert [trace.name for trace in figure.data[:2]] == [
        "DenseNet121, validation", "DenseNet121, training"
    ]  # fmt: skip
    layout = figure.layout
    assert layout.yaxis.domain[0] > layout.yaxis2.domain[1] > layout.yaxis3.domain[1]
    titles = [axis.title.text for axis in (layout.yaxis, layout.yaxis2, layout.yaxis3)]
    assert titles == [
        "Loss<br>(months²)", "Validation MAE<br>(months)", "Learning rate<br>(per step)"
    ]  # fmt: skip
    assert layout.xaxis3.title.text == "Epoch"
    # A learning rate of 0 has no logarithm.
    axes = (layout.yaxis, layout.yaxis2, layout.yaxis3)
    assert [axis.type for axis in axes] == ["log", "log", None]


def test_each_model_has_its_color_and_each_line_one_legend_entry():
    figure = training_curves({"densenet121": HISTORY, "resnet34_cbam": HISTORY})
    colors = {trace.name.split(",")[0]: trace.line.color for trace in figure.data}
    assert colors["DenseNet121"] == palette.MODELS["densenet121"]
    assert colors["ResNet34+CBAM"] == palette.MODELS["resnet34_cbam"]
    named = [trace.name for trace in figure.data if trace.showlegend]
    assert len(named) == len(set(named)) == 4


def test_training_and_validation_can_be_told_apart():
    dashes = {t.name: t.line.dash for t in training_curves({"densenet121": HISTORY}).data[:2]}
    assert len(set(dashes.values())) == 2


def test_missing_columns_are_left_out():
    figure = training_curves({"densenet121": HISTORY[["epoch", "val_mae"]]})
    assert drawn(figure) == {("DenseNet121, validation", "y"): [25, 13.5]}
    assert figure.layout.xaxis.title.text == "Epoch"
    assert figure.layout.yaxis.title.text == "Validation MAE<br>(months)"
