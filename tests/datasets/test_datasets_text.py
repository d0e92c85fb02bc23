from boneage.datasets import text


def test_every_split_says_what_its_reference_is_and_what_its_label_noise_is():
    assert (
        "mean of six readings. One reading has an SD of about 7 months, the mean of six about 3"
        in (text.ABOUT_SPLIT["test"])
    )
    assert "one clinical reading, with an SD of about 7 months" in text.ABOUT_SPLIT["validation"]
    assert not any("model's own" in text for text in text.ABOUT_SPLIT.values())
    for split in ("test", "validation"):
        assert "this label noise is part of every residual" in text.ABOUT_SPLIT[split]
