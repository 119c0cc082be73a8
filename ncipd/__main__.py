"""`python -m ncipd`."""

from ncipd.cli import main

if __name__ == "__main__":
    main()
