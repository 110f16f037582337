"""The TensorFlow 2 companion to one lecture.

Hyperparameter tuning, Batch Normalization and Programming Frameworks
(Deep Learning, course 2, week 3).
"""

import os

# TensorFlow logs to stderr from the moment it is loaded, before anyone can configure it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
