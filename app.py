"""The app: streamlit run app.py"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from threading import Thread

import streamlit as st


def load() -> None:
    """Import what most pages need, the charts first, and load the models."""
    import_module("boneage.error_analysis.report")
    import_module("pages.radiographs").preload()


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """As soon as the server starts, while browsers are still opening a page."""
    # Not in the thread: Plotly takes pandas as it is, half imported too, and fails elsewhere.
    import_module("pandas")
    Thread(target=load, daemon=True).start()
    yield


app = st.App("pages/navigation.py", lifespan=lifespan)
