"""What libraries write while they load: noise is dropped, all else is not."""

import os

from boneage.quiet import quiet_libraries

# Of MediaPipe 1.2.2 and 1.2.3.
NOISE = b"""\
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
INFO: [environment.cc:36] Creating LiteRT environment with options
W0000 00:00:1795791133.565677   4242 inference_feedback_manager.cc:114] Feedback manager
"""


def test_noise_is_dropped_and_all_else_is_written(capfd):
    with quiet_libraries():
        os.write(2, NOISE + b"INFO: the disk is full\n")
    assert capfd.readouterr().err == "INFO: the disk is full\n"
