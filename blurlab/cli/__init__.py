"""The command ``blurlab``: an experiment by Hydra's words, or one of a few verbs, each in a file of its own."""

from blurlab.cli.entry import main

__all__ = ["main"]
