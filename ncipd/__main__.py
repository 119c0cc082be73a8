"""`python -m ncipd`."""

from __future__ import annotations

from ncipd.cli import main

if __name__ == "__main__":
    main()
