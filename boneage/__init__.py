"""Bone age from hand radiographs: prepare, train, predict, explain, evaluate."""

import os

__version__ = "1.0.0"

# TensorFlow and MediaPipe print start-up notes that mean nothing to a user; errors still show.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("GLOG_minloglevel", "2")
