"""The stages of a run, one file each; what they share is in :mod:`blurlab.run.stage.base`."""
