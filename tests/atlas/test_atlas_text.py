from boneage.atlas import text


def test_standards_that_the_models_do_not_read_are_named_with_how_far_off():
    assert text.standards_read(58, 2) == (
        "The ensemble is within 12 months of the mean bone age for 56 of the 58 average hands."
    )
    assert text.standards_read(57, 0).endswith("of the mean bone age for all 57 average hands.")
    assert text.standards_missed({"Girls, 4 years": 12.32, "Boys, 17 years": -15.0}) == (
        "Errors of more than 12 months: girls, 4 years (overestimated by 12.3 months) and boys, "
        "17 years (underestimated by 15.0 months)."
    )


def test_standards_say_how_many_radiographs_each_is_made_of():
    said = text.averages_of([39, 36, 40])
    assert said.startswith("Averages of 39, 36 and 40 radiographs, with the mean bone age")


def test_standards_that_the_quality_check_refused_are_counted_and_named():
    assert text.standards_accepted(57, 0).endswith("accepted all 57 average hands.")
    assert text.standards_accepted(57, 2).endswith("accepted 55 of the 57 average hands.")
    assert text.standards_refused(["Girls, 4 years", "Boys, 17 years"]) == (
        "The image quality check refused the average hands of girls, 4 years and boys, 17 years; "
        "their predictions are not shown."
    )


def test_events_are_told_with_the_scale_of_fusion():
    assert text.event_in_words("appears", 29, 29) == (
        "Appears at a bone age of about 2 years 5 months"
    )
    assert text.event_in_words("fuses", 156, 180) == ("Fuses at a bone age of about 13 to 15 years")


def test_an_age_is_told_with_its_difference():
    assert text.age_against(72, 84.4) == "6 years (12 months younger)"
    assert text.age_against(125.6, 100) == "10 years 6 months (2 years 2 months older)"
    assert text.age_against(72, 72.3) == "6 years (same age)"
