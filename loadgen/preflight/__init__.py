"""What a load will meet, before any of it is sent: limits on its path, refusals, concurrency, cost.

`path_reading` and `history` ask AWS; everything else is pure.
"""
