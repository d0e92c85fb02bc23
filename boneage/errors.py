"""The one base class of errors that people can act on."""


class BoneAgeError(Exception):
    """Something the user can put right; `str(error)` is one sentence that says what and how.

    The command line and the pages show its text. Any other exception is a bug and keeps its
    traceback.
    """
