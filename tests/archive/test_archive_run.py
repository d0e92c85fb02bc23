import errno
import os
from pathlib import Path

import pytest
from stub_readers import failing, flaky, row, rows_in, stub, without_models

from boneage.archive import run as run_module
from boneage.archive.parts import Entry, parts_of
from boneage.archive.run import run, tidy
from boneage.archive.settings import ArchiveError
from boneage.archive.sources import list_source
from boneage.archive.stores import Store


def test_every_file_has_a_row_in_the_order_of_the_listing(client, pieces, archive):
    listing, settings, store = pieces
    progress = run(client, listing, settings, store, stub)
    names = sorted(str(path) for path in archive.iterdir())
    rows = rows_in(store)
    assert [each["file"] for each in rows] == names
    assert rows[0]["bone_age_months"] == row(Entry(names[0], names[0]))["bone_age_months"]
    assert (progress.files, progress.done, progress.kept) == (50, 50, 0)
    assert progress.statuses == {"ok": 49, "unreadable": 1}
    assert rows[-1]["reason"] == "damaged"


def test_parts_that_are_there_are_kept(client, pieces):
    listing, settings, store = pieces
    run(client, listing, settings, store, stub)
    folder = Path(store.url, "parts")
    before = rows_in(store)
    written = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    lost = [folder / name for name in store.names("parts")[3:5]]
    for path in lost:
        path.unlink()
    progress = run(client, listing, settings, store, stub)
    assert (progress.kept, progress.done) == (42, 8)
    assert rows_in(store) == before
    kept = [path for path in written if path not in lost]
    assert {path: path.stat().st_mtime_ns for path in kept} == {p: written[p] for p in kept}


def test_a_changed_file_is_read_again_and_its_former_part_removed(client, pieces, archive):
    listing, settings, store = pieces
    run(client, listing, settings, store, stub)
    (archive / "05.png").write_bytes(b"another")
    (Path(store.url, "parts") / ".part-000001-0123.parquet.abcd.new").write_bytes(b"half")
    listing = list_source(str(archive))
    progress = run(client, listing, settings, store, stub)
    assert (progress.kept, progress.done) == (46, 4)
    names, removed = tidy(listing, settings, store)
    assert removed == 2
    assert names == store.names("parts") == [part.name for part in parts_of(listing, settings)]
    assert len(rows_in(store)) == 50


def test_a_full_disk_stops_the_run_and_what_is_written_stays(client, pieces, tmp_path, monkeypatch):
    listing, settings, store = pieces
    undisturbed = Store(str(tmp_path / "undisturbed"))
    run(client, listing, settings, undisturbed, stub)
    written, fsync = [], os.fsync

    def full_after_five(descriptor):
        if len(written) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(descriptor)
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_after_five)
        with pytest.raises(ArchiveError, match=r"free some disk space .* What is done is kept"):
            run(client, listing, settings, store, stub)
    assert 0 < len(rows_in(store)) < 50
    progress = run(client, listing, settings, store, stub)
    assert progress.kept > 0 and progress.done > 0
    assert rows_in(store) == rows_in(undisturbed)


def test_models_that_do_not_load_stop_the_run(client, pieces):
    listing, settings, store = pieces
    with pytest.raises(ArchiveError, match=r"The models are missing\. What is done is kept"):
        run(client, listing, settings, store, without_models)


def test_a_part_that_fails_is_missing_and_named_while_the_others_are_done(client, pieces, archive):
    _, settings, store = pieces
    (archive / "07.png").rename(archive / "07-far.png")
    listing = list_source(str(archive))
    progress = run(client, listing, settings, store, failing)
    assert progress.failed == {1: "ConnectionError: no route"}
    assert len(rows_in(store)) == progress.done == 46
    again = run(client, listing, settings, store, stub)
    assert (again.kept, again.done, again.failed) == (46, 4, {})


def test_many_parts_that_fail_stop_the_run(client, pieces, archive, monkeypatch):
    _, settings, store = pieces
    monkeypatch.setattr(run_module, "_MOST_FAILED", 2)
    for number in (1, 20, 40):
        (archive / f"{number:02}.png").rename(archive / f"{number:02}-far.png")
    with pytest.raises(ArchiveError, match="2 parts could not be done, the last because of Conn"):
        run(client, list_source(str(archive)), settings, store, failing)


def test_an_error_that_passes_is_tried_again(client, pieces, archive):
    _, settings, store = pieces
    (archive / "07.png").rename(archive / "07-once.png")
    listing = list_source(str(archive))
    assert run(client, listing, settings, store, flaky).failed == {}
    assert len(rows_in(store)) == 50


def test_few_parts_are_given_ahead(client, pieces, monkeypatch):
    listing, settings, store = pieces
    monkeypatch.setattr(run_module, "_MIN_AHEAD", 1)
    monkeypatch.setattr(run_module, "_AHEAD_PER_THREAD", 1)
    running, submit = [], client.submit

    def counted(*arguments, **options):
        future = submit(*arguments, **options)
        running.append(future)
        return future

    monkeypatch.setattr(client, "submit", counted)
    most = []
    run(
        client, listing, settings, store, stub,
        lambda progress: most.append(len(running) * 4 - progress.done),
    )  # fmt: skip
    assert len(running) == 13
    assert max(most) <= 2 * 4
