"""Files of weights from the web, which are used only where their SHA-256 is the one that was asked for."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.error import URLError

ADDRESS = re.compile(r"(?P<url>https?://[^#]+)(?:#(?P<sha256>.*))?", re.DOTALL)


def fetched(weights: str) -> Path | None:
    """The file that an address names, fetched once and then kept; None where this is no address.

    It is kept in torch's folder of downloads (``$TORCH_HOME/hub/checkpoints``), under its SHA-256, and read as
    safetensors whatever its name is, so that nothing in it can run.

    Args:
        weights: ``https://HOST/FILE.safetensors#SHA256``, 64 hexadecimal digits.

    Raises:
        ValueError: If the SHA-256 is lacking, or the file has another.
        OSError: If the file cannot be fetched, or not be kept.

    Example:
        >>> fetched("photograph") is None
        True
    """
    named = ADDRESS.fullmatch(weights)
    if named is None:
        return None
    digest = (named["sha256"] or "").lower()
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(
            f"weights={weights}: weights from the web need their SHA-256 behind the address, as "
            "https://host/file.safetensors#<64 hexadecimal digits>"
        )
    from torch import hub

    path = Path(hub.get_dir()) / "checkpoints" / f"{digest}.safetensors"
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        hub.download_url_to_file(named["url"], str(path), hash_prefix=digest, progress=False)
    except URLError as error:  # HTTPError is one, too
        raise OSError(f"{named['url']} cannot be fetched ({error}); check the address and the network") from error
    except RuntimeError as error:  # torch's word for another hash
        raise ValueError(f"{named['url']} is not the file of SHA-256 {digest}, so it is not used") from error
    return path
