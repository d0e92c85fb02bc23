"""The tiny networks without their later stages: what is trained learns in a fraction of the time.

The first stage has every kind of layer; a test of training does not depend on how many there are.
For the attention maps of the later stages, which `predict` asks for, the whole network is needed.
"""

import pytest

FROM_COMMAND_LINE = """
import pytest
from boneage.cli import main
from short_networks import shorten

with pytest.MonkeyPatch.context() as patch:
    shorten(patch)
    raise SystemExit(main())
"""


def shorten(patch: pytest.MonkeyPatch) -> None:
    """Until `patch` ends, `tiny_resnet_cbam` is built with its first stage alone."""
    from boneage.models import resnet

    body = resnet._body
    patch.setattr(resnet, "_body", lambda image, **_: body(image, (1,), (8,)))
