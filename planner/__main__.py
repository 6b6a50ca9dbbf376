"""`python -m planner` is `planner`."""

from planner.cli.app import main

if __name__ == "__main__":  # workers of a sweep import this module too
    main()
