"""A change of cost and duration in words that claim no more than its interval allows."""

from __future__ import annotations

from reports.document import Interval, Saving
from reports.figures import percent, percent_range

# Up to here on both sides of zero a change is called "about the same": hardly anybody would move
# a production function for less. A wider interval around zero is an open question, not equality.
SAME_SHARE = 0.05


def saving_sentence(saving: Saving) -> str:
    """Cost and time against the current size: costs 23 % less (90 % interval 19 to 27 %) and ..."""
    return changes(
        saving.cost_share, saving.cost_interval, saving.duration_share, saving.duration_interval
    )


def changes(
    cost_share: float, cost_interval: Interval, duration_share: float, duration_interval: Interval
) -> str:
    """Cost and time of one size against another: costs 23 % less (...) and takes 5 % more ..."""
    cost = _change(cost_share, cost_interval, interval_name="90 % interval ")
    time = _change(duration_share, duration_interval, noun=" time")
    return f"costs {cost} and takes {time}"


def saving_cell(share: float, interval: Interval) -> str:
    """A change for a table: 23 % less (19 to 27 %)."""
    return _change(share, interval)


def _change(share: float, interval: Interval, *, noun: str = "", interval_name: str = "") -> str:
    low, high = interval
    if low <= 0 <= high:
        either_way = f"{percent(high)} less and {percent(-low)} more"
        if max(high, -low) <= SAME_SHARE:
            return f"about the same{noun} (between {either_way})"
        return f"somewhere between {either_way}{noun}"
    # The interval decides, for it is what the data allow.
    if low > 0:
        return f"{percent(share)} less{noun} ({interval_name}{percent_range(low, high)})"
    return f"{percent(-share)} more{noun} ({interval_name}{percent_range(-high, -low)})"
