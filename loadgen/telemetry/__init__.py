"""What AWS saw of a run: metrics, logs and traces of its window, joined to the records."""
