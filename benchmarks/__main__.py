"""`python -m benchmarks [VERB ...]`, from the root of the repository: tables in Markdown."""

import argparse
import os
import platform
import re
import sys
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks import app, archive, command_line
from benchmarks.measuring import Row, in_own_process, markdown

START, END = "<!-- benchmarks: start -->\n", "<!-- benchmarks: end -->\n"
LIBRARIES = ("onnxruntime", "numpy", "opencv-python", "mediapipe", "streamlit", "plotly")
TITLES = {
    "cold": "Cold start",
    "warm": "Warm latency",
    "batch": "Batch throughput",
    "archive": "Archives",
    "runtimes": "Exported models",
    "app": "The app in Chromium",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("verbs", nargs="*", metavar="VERB", help=f"of {', '.join(TITLES)}: all")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="default 5")
    parser.add_argument("--images", type=int, default=200, metavar="N", help="default 200")
    parser.add_argument("--out", metavar="FILE", help="also replace the tables in this file")
    options = parser.parse_args()
    if unknown := set(options.verbs) - set(TITLES):
        parser.error(f"There is no verb {', '.join(unknown)}; there are {', '.join(TITLES)}.")
    # This process imports nothing large, see `Run.megabytes`.
    measure: dict[str, Callable[[], list[Row]]] = {
        "cold": lambda: command_line.cold(options.repeats),
        "warm": lambda: in_own_process("benchmarks.models:warm", 4 * options.repeats),
        "batch": lambda: command_line.batch(options.images),
        "archive": lambda: archive.archive(options.images),
        "runtimes": lambda: in_own_process("benchmarks.models:runtimes", options.repeats),
        "app": lambda: app.app(options.repeats),
    }
    section = machine()
    print(section, end="")
    for verb in options.verbs or TITLES:
        if verb == "app" and not app.is_available():
            print("app is left out: install playwright and Chromium.", file=sys.stderr)
            continue
        table = f"\n### {TITLES[verb]}\n\n{markdown(measure[verb]())}"
        print(table, flush=True)
        section += table
        if options.out:  # after each, so that an interruption loses one table only
            replace_section(Path(options.out), section)


def machine() -> str:
    """Where and when this is measured, in a sentence."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{date.today():%d %B %Y}, {cpu[1] if cpu else platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} cores (load average {os.getloadavg()[0]:.1f} at the "
        f"start), Python {platform.python_version()}, {libraries}.\n"
    )


def replace_section(path: Path, section: str) -> None:
    """Replace what stands between the two markers of a file."""
    before, start, rest = path.read_text().partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        sys.exit(f"{path} lacks the lines {START.strip()} and {END.strip()}.")
    path.write_text(f"{before}{START}\n{section}\n{END}{after}")


if __name__ == "__main__":
    main()
