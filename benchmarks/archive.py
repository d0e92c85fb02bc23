"""`boneage predict-archive`: the rate of one and two processes, and what Dask itself takes."""

import json
import resource
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.measuring import Row, in_own_process, peak_megabytes, run

PART_SIZE = 64


def archive(n: int) -> list[Row]:
    """A folder of n phantoms with one process and with two; then stub files in a million rows."""
    rows = []
    with TemporaryDirectory() as folder:
        run("boneage", "phantoms", "--out", folder, "--train", str(n), "--test", "0")
        images = str(Path(folder, "boneage-training-dataset"))
        taken = run("boneage", "predict", images, "--sex", "female")
        rows.append(_row(f"`predict`, {n} phantoms", n, taken.end, taken.megabytes))
        for workers, title in ((1, "1 worker"), (2, "2 workers")):
            out = Path(folder, f"out{workers}")
            arguments = ("--sex", "female", "--part-size", "8", "--workers", str(workers))
            taken = run("boneage", "predict-archive", images, "--out", str(out), *arguments)
            seconds = _seconds_of_run(out)
            rows.append(_row(f"{title}, {n} phantoms", n, seconds, taken.megabytes))
    for files in (100_000, 1_000_000):
        seconds, megabytes = in_own_process("benchmarks.archive:overhead", files)
        title = f"2 workers, {files:,} files not read, {-(-files // PART_SIZE):,} tasks"
        rows.append(_row(title, files, seconds, megabytes))
    return rows


def _seconds_of_run(out: Path) -> float:
    """From when the workers were there to the last part, loading the models included."""
    (record,) = (json.loads(path.read_text()) for path in out.glob("runs/*.json"))
    started, ended = (datetime.fromisoformat(record[name]) for name in ("started", "ended"))
    return (ended - started).total_seconds()


def overhead(files: int) -> tuple[float, float]:
    """Seconds, and peak memory of all processes in MB, of a run whose reader does nothing."""
    import pyarrow as pa

    from boneage.archive.cluster import connect
    from boneage.archive.run import run as run_archive
    from boneage.archive.settings import Settings
    from boneage.archive.sources import FILES, Listing
    from boneage.archive.stores import Store

    names = [f"archive/{number:07}.dcm".encode() for number in range(files)]
    nothing = {name: pa.nulls(files, FILES.field(name).type) for name in FILES.names[1:]}
    table = pa.table({"file": pa.array(names, pa.large_binary()), **nothing}, schema=FILES)
    settings = Settings("archive", part_size=PART_SIZE)
    with TemporaryDirectory() as out, connect(None, 2) as client:
        started = perf_counter()
        progress = run_archive(client, Listing(table), settings, Store(out), nothing_read)
        seconds = perf_counter() - started
    if progress.done != files:
        raise RuntimeError(f"{progress.done} of {files} files were done.")
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    return seconds, peak_megabytes() + 2 * workers


def nothing_read(settings):
    """A reader that opens no file."""

    def read(entries):
        for entry in entries:
            yield [{"file": entry.file, "status": "ok", "bone_age_months": 100.0}]

    return read


def _row(title: str, files: int, seconds: float, megabytes: float) -> Row:
    return {
        "": title,
        "s": f"{seconds:.1f}",
        "files per s": f"{files / seconds:,.1f}",
        "ms a file": f"{1000 * seconds / files:.2f}",
        "peak memory, MB": f"{megabytes:,.0f}",
    }
