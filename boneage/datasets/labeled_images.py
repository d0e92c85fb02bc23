"""One loop over radiographs: read in order, reading ahead where asked, what cannot be read named.

`rsna.labeled_cases` finds the image of each labeled case, `labeled_images` reads them one after the
other, and `in_batches` groups them for the models.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from tqdm.auto import tqdm

from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

logger = logging.getLogger(__name__)

BATCH = 32  # radiographs predicted in one pass; more is hardly faster and takes more memory
WORKERS = 2  # threads that read ahead of the models
_AHEAD_PER_WORKER = 2
_MOST_NAMED = 10

Item = TypeVar("Item")
Source = TypeVar("Source")
Image = TypeVar("Image")


def labeled_images(
    cases: pd.DataFrame,
    read: Callable[[Path], Any] = read_radiograph,
    title: str | None = None,
    workers: int = 1,
) -> Iterator[tuple[Any, Any]]:
    """Read the radiographs of cases, in their order.

    Cases without a readable image are left out; at the end they are counted and the first ones
    named, with the reasons, in a logged warning.

    Args:
        cases: columns id and path (None where there is no image), and any others.
        read: makes of a path what is wanted, such as `read_radiograph` or `Predictor.open`.
        title: of the progress bar; None for none.
        workers: see `read_in_order`.

    Yields:
        A row of `cases`, as `itertuples` gives it, with what was read.
    """
    present = cases["path"].notna()
    left_out = [f"{id_} (no image file)" for id_ in cases.loc[~present, "id"]]
    rows = list(cases[present].itertuples())
    found = read_in_order([row.path for row in rows], read, workers)
    with tqdm(total=len(rows), desc=title, unit="image", disable=title is None) as bar:
        for row, image in zip(rows, found, strict=True):
            if isinstance(image, UnreadableRadiograph):
                left_out.append(f"{row.id} ({image})")
            else:
                yield row, image
            bar.update()
    if left_out:
        more = len(left_out) - _MOST_NAMED
        logger.warning(
            "%d of %d radiographs left out: %s%s",
            len(left_out),
            len(cases),
            "; ".join(left_out[:_MOST_NAMED]),
            f"; and {more:,} more" if more > 0 else "",
        )


def read_in_order(
    sources: Iterable[Source], read: Callable[[Source], Image], workers: int = 1
) -> Iterator[Image | UnreadableRadiograph]:
    """Read files one after the other; memory does not grow with their number.

    Args:
        sources: paths or contents.
        read: makes of one what is wanted; with several workers, callable from several threads.
        workers: threads that read ahead while what was yielded is used; with 1, nothing is read
            before it is asked for.

    Yields:
        What `read` returned, or the `UnreadableRadiograph` that it raised.
    """

    def outcome(source: Source) -> Image | UnreadableRadiograph:
        try:
            return read(source)
        except UnreadableRadiograph as error:
            return error

    if workers == 1:
        yield from map(outcome, sources)
        return
    pool = ThreadPoolExecutor(workers)
    todo = iter(sources)
    try:
        waiting = deque(
            pool.submit(outcome, source) for source in islice(todo, workers * _AHEAD_PER_WORKER)
        )
        while waiting:
            image = waiting.popleft().result()
            waiting.extend(pool.submit(outcome, source) for source in islice(todo, 1))
            yield image
    finally:  # also when whoever asks has had enough
        pool.shutdown(cancel_futures=True)


def in_batches(items: Iterable[Item], size: int = BATCH) -> Iterator[list[Item]]:
    """Group items, the last group smaller where it must be.

    Args:
        items: any.
        size: of a group.

    Yields:
        Lists of `size` items, in their order.

    Example:
        >>> list(in_batches("abcde", 2))
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch
