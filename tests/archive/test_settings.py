import json

import pytest
from stub_readers import rows_in, stub

from boneage.archive.record import RUNS, Record
from boneage.archive.run import Progress, run, tidy
from boneage.archive.settings import SETTINGS, ArchiveError, Settings, claim
from boneage.archive.stores import Store, StoreError
from boneage.archive.summary import in_words, summarize


def test_a_folder_belongs_to_the_settings_that_came_first(tmp_path):
    store = Store(str(tmp_path))
    settings = Settings("images", models={"densenet121": "aa"})
    claim(store, settings)
    claim(store, Settings("images", models={"densenet121": "aa"}))
    other = Settings("images", sex="male", models={"densenet121": "bb"})
    with pytest.raises(
        ArchiveError, match=r"--sex was None, now male; densenet121 has changed\): give the same"
    ):
        claim(store, other)
    store.write(SETTINGS, b"{}[")
    with pytest.raises(ArchiveError, match="damaged"):
        claim(store, settings)


def test_parts_of_unknown_settings_are_not_touched(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "part-0.parquet").touch()
    with pytest.raises(ArchiveError, match="choose another folder"):
        claim(Store(str(tmp_path)), Settings("images"))


def test_results_go_where_writes_are_atomic():
    with pytest.raises(StoreError, match="no atomic writes"):
        Store("http://somewhere/out")


def test_each_run_is_recorded(tmp_path):
    store, progress = Store(str(tmp_path)), Progress(5, kept=2, done=3, statuses={"ok": 3})
    Record(store, Settings("images"), None, 2).end("complete", progress)
    Record(store, Settings("images"), None, 2)
    records = [json.loads(store.read(f"{RUNS}/{name}")) for name in store.names(RUNS)]
    assert sorted(str(record["outcome"]) for record in records) == ["None", "complete"]
    (ended,) = [record for record in records if record["ended"]]
    assert (ended["files_kept"], ended["files_done"]) == (2, 3)
    assert ended["settings"]["source"] == "images"
    assert ended["versions"]["dask"]


def test_the_summary_counts_rows_and_names_duplicates(client, pieces):
    listing, settings, store = pieces
    run(client, listing, settings, store, twice)
    names, _ = tidy(listing, settings, store)
    summary = summarize(store, names, len(listing) + 1)
    assert summary["statuses"] == {"ok": 49, "unreadable": 1}
    assert (summary["files"], summary["missing"], summary["rows"]) == (51, 1, 50)
    assert summary["reasons"] == {"damaged": 1}
    assert summary["duplicates"] == 1
    files = [row["file"] for row in rows_in(store)]
    assert store.read("duplicates.csv").decode().splitlines() == [
        "file,duplicate_of",
        f"{files[30]},{files[0]}",
    ]
    text = in_words(summary)
    assert "51 files, 50 rows: 49 ok, 1 unreadable." in text
    assert "1 file without a result so far." in text


def twice(settings):
    """Finds the same content in the files 00 and 30."""
    read = stub(settings)

    def alike(entries):
        for rows in read(entries):
            if rows[0]["file"].endswith(("/00.png", "/30.png")):
                rows[0]["content_sha256"] = "same"
            yield rows

    return alike
