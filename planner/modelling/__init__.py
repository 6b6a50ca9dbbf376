"""The language in which components write rows, and what realises it: arrays, or Pyomo."""
