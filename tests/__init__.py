"""The tests; the builders they share are in `tests.support.build`."""
