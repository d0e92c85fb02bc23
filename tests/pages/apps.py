"""Running pages without a browser."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

REPOSITORY = Path(__file__).resolve().parents[2]


def started(script: str = "app.py", **query: str) -> AppTest:
    """A script of the repository after its first run, opened with a query in its address."""
    app = AppTest.from_file(str(REPOSITORY / script), default_timeout=120)
    app.query_params.update(query)
    return run(app)


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    kinds = (app.title, app.header, app.markdown, app.caption, app.info, app.error, app.html)
    return "\n".join(str(getattr(e, "value", None) or e.proto.body) for kind in kinds for e in kind)
