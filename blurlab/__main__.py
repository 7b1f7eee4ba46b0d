"""``python -m blurlab``."""

from blurlab.cli import main

if __name__ == "__main__":
    main()
