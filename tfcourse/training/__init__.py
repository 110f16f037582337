"""Training: mini-batches, first weights, update rules, and many Keras models at once."""
