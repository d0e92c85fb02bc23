"""The examples in the docstrings of the public entry points run and are right.

Those that load models run on tiny untrained ones, all others on the published tables.
"""

import doctest
import inspect
import pkgutil

import pytest

ON_TABLES = (
    "boneage.artifacts:available_models",
    "boneage.artifacts:model_folder",
    "boneage.artifacts:read_facts",
    "boneage.artifacts:read_predictions",
    "boneage.atlas.standards:between",
    "boneage.atlas.standards:compare",
    "boneage.atlas.standards:nearest_standard",
    "boneage.atlas.standards:standard",
    "boneage.atlas.standards:table",
    "boneage.datasets.cache:build_cache",
    "boneage.datasets.cache:open_cache",
    "boneage.datasets.labels:read_labels",
    "boneage.datasets.labels:read_user_predictions",
    "boneage.datasets.phantoms:draw_phantom",
    "boneage.datasets.phantoms:make_phantom",
    "boneage.datasets.phantoms:write_phantoms",
    "boneage.error_analysis.analysis:analyze",
    "boneage.explain.gradcam:gradcam",
    "boneage.comparison.statistics:compare",
    "boneage.inference.conformal:calibrate",
    "boneage.inference.conformal:coverage_table",
    "boneage.inference.ensemble:ensemble_table",
    "boneage.inference.ensemble:ensemble_weights",
    "boneage.inference.ensemble:with_ensemble",
    "boneage.inference.runtime:Runtime",
    "boneage.comparison.head_to_head:head_to_head",
    "boneage.growth.adult_height:predict_adult_height",
    "boneage.growth.adult_height:target_height",
    "boneage.growth.deviation:deviation",
    "boneage.growth.follow_up:maturation_rate",
    "boneage.evaluation.intervals:bootstrap",
    "boneage.evaluation.limits:is_large",
    "boneage.evaluation.limits:within",
    "boneage.evaluation.metrics:age_band",
    "boneage.evaluation.metrics:error_metrics",
    "boneage.evaluation.metrics:metrics_table",
    "boneage.evaluation.metrics:summarize",
    "boneage.evaluation.readers:icc_agreement",
    "boneage.evaluation.residuals:agreement",
    "boneage.comparison.significance:holm",
    "boneage.comparison.significance:paired_t",
    "boneage.sanity_checks.occlusion:occlude",
    "boneage.sanity_checks.occlusion:occlusion_shifts",
    "boneage.quality.quality_check:load_quality_check",
    "boneage.models.registry:find_model",
    "boneage.radiographs.both_hands:split_film",
    "boneage.radiographs.borders:find_film",
    "boneage.radiographs.file_info:FileInfo",
    "boneage.radiographs.hand:find_hand",
    "boneage.radiographs.limits:check_size",
    "boneage.radiographs.preprocessing:prepare",
    "boneage.radiographs.reading:read_radiograph",
    "boneage.inference.results:as_json",
    "boneage.inference.results:results_table",
)
ON_TINY_MODELS = (
    "boneage.artifacts:load_model",
    "boneage.atlas.building:build_atlas",
    "boneage.explain.reference:ReferenceGradCam",
    "boneage.sanity_checks.randomization:Randomization",
    "boneage.quality.quality_check:QualityCheck.judge",
    "boneage.models.registry:build_model",
    "boneage.inference.predictor:Predictor",
    "boneage.inference.predictor:Predictor.explain",
    "boneage.inference.predictor:Predictor.open",
    "boneage.inference.predictor:Predictor.open_all",
    "boneage.inference.predictor:Predictor.predict",
    "boneage.inference.predictor:Predictor.predict_all",
    "boneage.training.export:export_model",
    "boneage.training.fit:train",
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Examples write into the current folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ON_TABLES)
def test_the_example_is_right(name):
    run_example(name)


@pytest.mark.parametrize("name", ON_TINY_MODELS)
def test_the_example_is_right_on_tiny_models(name, tiny_artifacts):
    run_example(name)


@pytest.mark.parametrize("name", [*ON_TABLES, *ON_TINY_MODELS])
def test_the_docstring_names_every_parameter(name):
    entry = pkgutil.resolve_name(name)
    documented = inspect.getdoc(entry) or ""
    if inspect.isclass(entry):
        documented += inspect.getdoc(entry.__init__) or ""
    described = [p for p in inspect.signature(entry).parameters if p != "self"]
    assert [p for p in described if f"\n    {p}: " not in documented] == []


def run_example(name: str) -> None:
    entry = pkgutil.resolve_name(name)
    module = pkgutil.resolve_name(entry.__module__)
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(entry, name, module=module, globs=dict(vars(module)))
    assert example.examples, f"{name} has no example"
    complaints: list[str] = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=complaints.append)
    assert not results.failed, "".join(complaints)
