"""What limits an API, judged from which requests it admitted: rate, burst, and how they are kept.

`judge.judge_bucket` takes an `observation.Observation` and gives a `finding.BucketFinding`.
`models` has limits to simulate, for plans that are tried before they run.
"""
