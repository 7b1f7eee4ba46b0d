"""What was changed on purpose since the goldens were made, with the reason; see make_house.py."""

CHANGED: dict[str, str] = {}
"""Member (``*`` stands for any letters) -> why its values are others now, for instance ``"camera.tikhonov": "..."``."""
