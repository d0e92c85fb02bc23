"""`boneage predict`, from the start of the process."""

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measuring import Row, Run, in_own_process, in_short, run


def cold(repeats: int) -> list[Row]:
    """One radiograph, in a new process each time."""
    runs = [_predict_phantoms(1) for _ in range(repeats)]
    return [
        {
            "": "`boneage predict FILE`",
            "start to JSON, s": in_short([each.first_line for each in runs], 2),
            "start to end, s": in_short([each.end for each in runs], 2),
            "peak memory, MB": f"{max(each.megabytes for each in runs):.0f}",
        }
    ]


def batch(n: int) -> list[Row]:
    """A folder of n radiographs, and n times both models alone."""
    whole = _predict_phantoms(n)
    seconds, megabytes = in_own_process("benchmarks.models:forwards", n)
    return [
        {
            "": what,
            "s": f"{seconds:.1f}",
            "images per s": f"{n / seconds:.1f}",
            "peak memory, MB": f"{megabytes:.0f}",
        }
        for what, seconds, megabytes in (
            (f"`boneage predict FOLDER` of {n} files, start to end", whole.end, whole.megabytes),
            (f"both models alone, {n} images, once loaded", seconds, megabytes),
        )
    ]


def _predict_phantoms(n: int) -> Run:
    with TemporaryDirectory() as folder:
        run("boneage", "phantoms", "--out", folder, "--train", str(n), "--test", "0")
        images = Path(folder, "boneage-training-dataset")
        predicted = run("boneage", "predict", str(images), "--sex", "female")
    if len(predicted.lines) != n:
        raise RuntimeError(f"{n} radiographs had {len(predicted.lines)} lines of JSON.")
    return predicted
