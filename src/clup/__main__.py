"""`python -m clup`, which the launcher runs."""

from clup.cli import main

if __name__ == "__main__":
    main()
