import pandas as pd

from boneage.error_analysis.benchmarks import benchmarks
from boneage.evaluation.published import published_results

OWN = (8.0, 7.5, 8.5)


def test_bars_stand_in_order_with_ones_own_among_them():
    html = benchmarks("Mean of both", OWN, "#123456", published_results(), "test_mae", (4.8, 7.0))
    words = ["16 Bit", "Mean of both</b> (7.5 to 8.5)", "8.2", "ResNet34+CBAM"]
    places = [html.index(word) for word in words]
    assert places == sorted(places)
    assert html.count("#123456") == 1


def test_a_system_without_the_figure_is_left_out():
    html = benchmarks("Ours", OWN, "#123456", published_results(), "validation_mae")
    assert "16 Bit" in html
    assert "Deeplasia" not in html
    assert "linear-gradient" not in html


def test_bars_are_as_long_as_their_errors():
    published = pd.DataFrame(
        {
            "system": ["<i>A"],
            "year": [2020],
            "test_mae": [4.25],
            "caveat": ["<b>of 9"],
            "source": ['"quoted"'],
        }
    )
    html = benchmarks("Ours", OWN, "#123456", published, "test_mae")
    assert "width:50.0%" in html  # 4.25 of 8.5, the end of the interval
    assert "&lt;i&gt;A, 2020 (&lt;b&gt;of 9)" in html
    assert "&#34;quoted&#34;" in html
