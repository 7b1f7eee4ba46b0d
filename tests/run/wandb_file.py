"""Reads an offline run file of Weights & Biases: a LevelDB log of protobuf records."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = 32768
HEADER = struct.Struct("<IHB")  # checksum, length, type: 1 whole, 2 first, 3 middle, 4 last
FILE_HEADER = 7  # ":W&B", a magic number, a version


def payloads(path: Path) -> Iterator[bytes]:
    """The records of the log, joined where they were split."""
    data = path.read_bytes()
    assert data[:4] == b":W&B", data[:8]
    place, parts = FILE_HEADER, b""
    while place + HEADER.size <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEADER.size:
            place += left
            continue
        _, length, kind = HEADER.unpack_from(data, place)
        place += HEADER.size
        parts += data[place : place + length]
        place += length
        if kind in (1, 4):
            yield parts
            parts = b""


def history(path: Path) -> dict[str, list[Any]]:
    """Every value that the run logged, by name, in order."""
    from wandb.proto import wandb_internal_pb2

    found: dict[str, list[Any]] = {}
    for payload in payloads(path):
        entry = wandb_internal_pb2.Record()
        entry.ParseFromString(payload)
        for item in entry.history.item:
            found.setdefault(item.key or "/".join(item.nested_key), []).append(json.loads(item.value_json))
    return found
