"""Loops over images on a Dask cluster, in order: what other verbs use of the archive's engine."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

from distributed import Client, KilledWorker
from distributed.client import FutureCancelledError

from boneage.archive.cluster import connect, threads_of
from boneage.archive.parts import once
from boneage.archive.reading import load
from boneage.archive.run import ahead
from boneage.archive.settings import ArchiveError, Settings, fingerprints
from boneage.datasets.labeled_images import InOrder
from boneage.inference.predictor import Predictor


@contextmanager
def in_order_on(scheduler: str | None, workers: int) -> Iterator[InOrder]:
    """Connect to a cluster, see `boneage.archive.cluster.connect`.

    Args:
        scheduler: address of a Dask scheduler, or None to start processes here.
        workers: processes to start here.

    Yields:
        What works on sources in their order as `boneage.datasets.labeled_images.in_order` does, but
        on the cluster. The function, the sources and what is returned pass through the scheduler;
        a file is a path, which the workers open.

    Raises:
        ArchiveError: there is no scheduler at this address; or, of the loop, a worker has ended
            unexpectedly several times or the connection was lost.
    """
    with connect(scheduler, workers) as client:
        yield partial(_in_order, client)


def with_predictor(model: str, work: Callable[[Predictor, Any], Any]) -> Callable[[Any], Any]:
    """What calls a function with the predictor of a worker, loaded once in each process.

    Args:
        model: name of a model, or "ensemble".
        work: takes the predictor and a source; imported by name on the workers.

    Returns:
        A function of the source; it raises OtherInstallation on workers with other models.
    """
    return partial(_with_predictor, Settings("", model=model, models=fingerprints(model)), work)


def _with_predictor(settings: Settings, work: Callable[[Predictor, Any], Any], source: Any) -> Any:
    return work(once(load, settings), source)


def _in_order(
    client: Client, sources: Iterable[Any], work: Callable[[Any], Any]
) -> Generator[Any, None, None]:
    tasks = (client.submit(work, source, pure=False) for source in sources)
    waiting = deque(islice(tasks, ahead(threads_of(client))))
    try:
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(islice(tasks, 1))
            yield done
    except KilledWorker as error:
        raise ArchiveError(
            "A worker ended unexpectedly several times, most often for lack of memory; run the "
            "same command again with fewer workers."
        ) from error
    except FutureCancelledError as error:
        raise ArchiveError(
            "The connection to the Dask scheduler was lost; run the same command again."
        ) from error
    finally:  # also when whoever asks has had enough
        client.cancel(list(waiting))
