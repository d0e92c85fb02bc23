from boneage.radiographs import text
from boneage.radiographs.hand import CROP_METHODS, MANUAL


def test_every_crop_method_has_words():
    methods = [*CROP_METHODS, MANUAL]
    sentences = {text.hand_found(method) for method in methods}
    words = {text.hand_found_short(method) for method in methods}
    assert len(sentences) == len(words) == len(methods)
    assert text.hand_found_short("unknown") == "not stated"


def test_a_hand_on_a_film_of_both_is_named_by_its_side_or_else_its_place():
    assert text.which_hand("left", "right") == "left hand (probable)"
    assert text.which_hand(None, "left") == "hand on the left of the film"
    assert text.which_hand(None, "top") == "hand at the top of the film"


def test_the_prepared_hand_says_at_which_size_the_models_take_it():
    assert text.prepared_hand(256, {256}) == ("Model input: 256 × 256 pixels, contrast equalized")
    assert text.prepared_hand(256, {128}).endswith("resized to 128 × 128 for these weights")
