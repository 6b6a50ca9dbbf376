"""The tests; the builders they share are in `tests.build`."""
