"""The highest arrival rate that holds an SLO: a sequential search, its curve and its knee."""
