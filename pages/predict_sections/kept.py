"""Uploaded files, kept in the session until they are cleared: other pages may be opened meanwhile.

Streamlit drops the files of an uploader as soon as its page is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from boneage.formatting import as_plain_markdown, counted
from boneage.radiographs.raster import ACCEPTED_TYPES

MAX_KEPT = 256  # megabytes of a session's files that are kept when the page is left
NAMED = 5  # files of an earlier visit that are named


@dataclass(frozen=True)
class KeptFile:
    """What is read of Streamlit's UploadedFile."""

    file_id: str
    name: str
    content: bytes

    def getvalue(self) -> bytes:
        return self.content


def ask_for_files() -> list[KeptFile]:
    """The files uploaded now and on earlier visits of the page."""
    state = st.session_state
    key = f"uploads-{state.setdefault('uploader', 0)}"
    if key not in state:  # the page was opened, or opened again: its uploader is empty
        _keep(files())
    uploads = st.file_uploader(
        "Radiographs of the hand: image or DICOM files",
        accept_multiple_files=True,
        key=key,
        help=f"{ACCEPTED_TYPES}. A CSV file of labels (id, reference bone age, sex; chronological "
        "age if known) beside them gives the errors. Kept in memory until you clear them or close "
        "the app; never stored.",
    )
    state["uploaded"] = [KeptFile(one.file_id, one.name, one.getvalue()) for one in uploads]
    _tell_of_earlier(state["kept"], state["too_many"])
    return files()


def files() -> list[KeptFile]:
    state = st.session_state
    return [*state.get("kept", ()), *state.get("uploaded", ())]


def clear_files() -> None:
    st.session_state.update(kept=[], uploaded=[], too_many=0)
    st.session_state.uploader += 1  # a new uploader is an empty one


def within_limit(found: Sequence[KeptFile], megabytes: float = MAX_KEPT) -> list[KeptFile]:
    """The first files that fit together into so many megabytes."""
    kept, free = [], megabytes * 2**20
    for file in found:
        free -= len(file.content)
        if free < 0:
            break
        kept.append(file)
    return kept


def _keep(found: Sequence[KeptFile]) -> None:
    kept = within_limit(found)
    st.session_state.update(kept=kept, uploaded=[], too_many=len(found) - len(kept))


def _tell_of_earlier(kept: Sequence[KeptFile], too_many: int) -> None:
    if kept:
        names = ", ".join(as_plain_markdown(file.name) for file in kept[:NAMED])
        more = f" and {len(kept) - NAMED} more" if len(kept) > NAMED else ""
        st.caption(f"Uploaded earlier: {names}{more}.")
    if too_many:
        st.warning(
            f"{counted(too_many, 'file')} not kept: up to {MAX_KEPT} MB are kept when you leave "
            "this page. Upload the rest again.",
            icon=":material/upload_file:",
        )
