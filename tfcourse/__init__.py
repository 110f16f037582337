"""The TensorFlow 2 companion to one lecture.

Hyperparameter tuning, Batch Normalization and Programming Frameworks
(Deep Learning, course 2, week 3).
"""
