"""A whole run from one S3 bucket into another, on a server in this process."""

import os

import numpy as np
import pandas as pd
import pytest

from boneage.archive import command
from boneage.datasets.phantoms import write_phantoms
from boneage.errors import BoneAgeError

REQUIRED = os.environ.get("BONEAGE_REQUIRE_BROWSER") == "1"  # set where every test must run


@pytest.fixture
def bucket(monkeypatch):
    """An empty bucket, and its file system."""
    if not REQUIRED:
        pytest.importorskip("s3fs", reason="s3:// needs s3fs")
        pytest.importorskip("moto.server", reason="the local object store is of moto[s3] and flask")
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem(use_listings_cache=False)
    files.mkdir("radiographs")
    yield files
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_an_archive_in_an_object_store(client, bucket, tiny_artifacts, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "connect", lambda scheduler, workers: _Open(client))
    folder = write_phantoms(tmp_path / "phantoms", n_train=3, n_test=0)
    images = sorted((folder / "boneage-training-dataset").glob("*.png"))
    for image in images:
        bucket.put_file(str(image), f"radiographs/in/{image.name}")
    bucket.pipe_file("radiographs/in/empty.png", b"")
    bucket.pipe_file("radiographs/in/.hidden.png", b"x")
    bucket.pipe_file("radiographs/in/sub/copy.png", images[0].read_bytes())
    told: list[str] = []

    def run(source, **options):
        return command.predict_archive(
            source, "s3://radiographs/out", sex="male", part_size=2, tell=told.append, **options
        )

    summary = run("s3://radiographs/in")
    assert summary["files"] == 5
    assert summary["statuses"].pop("unreadable") == 1
    assert sum(summary["statuses"].values()) == 4
    assert summary["duplicates"] == 1
    assert bucket.ls("radiographs/out/runs")
    rows = _rows(bucket)
    assert rows["file"].tolist()[-1] == "s3://radiographs/in/sub/copy.png"
    assert "empty" in rows.set_index("file").loc["s3://radiographs/in/empty.png", "reason"]

    # The same from files on disk, and from a manifest in the bucket that names one more.
    here = command.predict_archive(
        str(folder / "boneage-training-dataset"), str(tmp_path / "out"), sex="male",
        tell=told.append,
    )  # fmt: skip
    local = pd.read_parquet(tmp_path / "out" / "parts")
    assert here["rows"] == 3
    np.testing.assert_array_equal(local["content_sha256"], rows["content_sha256"][:3])
    np.testing.assert_array_equal(local["bone_age_months"], rows["bone_age_months"][:3])

    # Again: nothing is read, and after a part was lost, its files alone.
    lost = bucket.ls("radiographs/out/parts")[1]
    bucket.rm_file(lost)
    assert run("s3://radiographs/in") == {**summary, "statuses": here_statuses(rows)}
    pd.testing.assert_frame_equal(_rows(bucket), rows)
    with pytest.raises(BoneAgeError, match="holds results of other settings"):
        run("s3://radiographs/in", force=True)

    bucket.pipe_file("radiographs/list.csv", b"path\nin/empty.png\nin/missing.png\n")
    lists = command.predict_archive(
        "s3://radiographs/list.csv", "s3://radiographs/listed", tell=told.append
    )
    assert lists["statuses"] == {"unreadable": 2}
    assert any("There is no file in/missing.png" in reason for reason in lists["reasons"])


def here_statuses(rows: pd.DataFrame) -> dict[str, int]:
    return {status: int(n) for status, n in rows["status"].value_counts().items()}


def _rows(bucket) -> pd.DataFrame:
    parts = [pd.read_parquet(bucket.open(path)) for path in bucket.ls("radiographs/out/parts")]
    return pd.concat(parts, ignore_index=True)


class _Open:
    """A cluster that stays."""

    def __init__(self, client):
        self.client = client

    def __enter__(self):
        return self.client

    def __exit__(self, *exception):
        pass
