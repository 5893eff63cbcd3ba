"""Lets ``python -m firstsight`` do what ``firstsight`` does."""

from __future__ import annotations

from firstsight.cli.main import main

if __name__ == "__main__":
    main()
