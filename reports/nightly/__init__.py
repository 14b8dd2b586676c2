"""A night: the steps of a plan run, recorded, judged, confirmed and told."""
