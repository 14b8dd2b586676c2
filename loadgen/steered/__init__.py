"""Load that is decided while it goes on: segments, each planned from what the ones before met."""
