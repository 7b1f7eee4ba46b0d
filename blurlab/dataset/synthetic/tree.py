"""Grow the retinal arteries and veins as trees of tapering curves, in degrees about the optic disc.

Trunks follow guide curves (the arcades round the macula and the nasal vessels); at each fork the radii keep Murray's
law r0^3 = r1^3 + r2^3 (1926). Daughters are persistent walks steered to the fovea from inside the arcades and
to the periphery from outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FOVEA_DEG = (15.5, 1.2)
STEP_DEG = 0.35
THINNEST_DEG = 0.042
_CELL_DEG = 0.4

_GUIDES: tuple[tuple[float, tuple[tuple[float, float], ...]], ...] = (
    (1.0, ((0.0, 0.0), (0.7, -4.5), (4.5, -10.0), (12.5, -13.2), (24.0, -11.5), (36.0, -7.0))),
    (1.0, ((0.0, 0.0), (0.9, 5.0), (5.0, 10.6), (13.0, 13.8), (24.5, 12.3), (36.0, 8.5))),
    (0.72, ((0.0, 0.0), (-2.6, -4.4), (-7.5, -8.6), (-14.0, -12.0), (-21.5, -15.0), (-29.0, -18.0))),
    (0.72, ((0.0, 0.0), (-2.4, 4.6), (-7.0, 9.2), (-13.0, 13.2), (-20.0, 16.8), (-27.5, 20.0))),
)


@dataclass(frozen=True)
class Branch:
    """One vessel between two forks.

    Attributes:
        points: Centre line (n, 2) in eye coordinates, degrees.
        radius: Radius at each point (n,), degrees.
        artery: An artery (thinner and lighter) rather than a vein.
    """

    points: NDArray[np.float64]
    radius: NDArray[np.float64]
    artery: bool


@dataclass
class _Growth:
    """What one tree needs while it grows: its random stream, its limits, its branches and the cells they occupy."""

    rng: np.random.Generator
    centre: tuple[float, float]
    reach: float
    artery: bool
    wander: float
    density: float
    root_deg: tuple[float, float]
    taken: dict[tuple[int, int], int] = field(default_factory=dict)
    branches: list[Branch] = field(default_factory=list)

    def outside(self, u: float, v: float) -> bool:
        return math.hypot(u - self.centre[0], v - self.centre[1]) > self.reach

    def meets(self, u: float, v: float, owner: int) -> bool:
        return self.taken.get((round(u / _CELL_DEG), round(v / _CELL_DEG)), owner) != owner

    def occupy(self, points: NDArray[np.float64], owner: int) -> None:
        for u, v in np.rint(points / _CELL_DEG).astype(int):
            self.taken.setdefault((int(u), int(v)), owner)


def grow_vessels(
    rng: np.random.Generator, centre_deg: tuple[float, float], reach_deg: float, density: float = 1.0
) -> list[Branch]:
    """Grow an arterial and a venous tree over a disc of the retina.

    Args:
        rng: Source of randomness.
        centre_deg: (u, v) of the field's centre in eye coordinates, degrees.
        reach_deg: Radius of the field; growth stops beyond it.
        density: Side branches relative to the usual number.

    Returns:
        Branches of both trees, in no particular order.
    """
    jitter = rng.normal(0.0, 1.0, (len(_GUIDES), 6, 2)) * np.array([0.12, 0.6, 1.2, 1.5, 1.8, 2.2])[None, :, None]
    calibre = rng.normal(1.0, 0.09)
    wander = float(np.exp(rng.normal(0.0, 0.28)))
    branches: list[Branch] = []
    for artery in (False, True):
        root_deg = (float(rng.normal(-0.45, 0.25)), float(rng.normal(0.0, 0.3)))
        twist = wander * (1.25 if artery else 1.0)
        tree = _Growth(rng, centre_deg, reach_deg + 1.0, artery, twist, density, root_deg)
        root = calibre * rng.normal(0.19 if artery else 0.245, 0.014)
        trunks = [_trunk(tree, i, guide, jitter[i], root) for i, (_, guide) in enumerate(_GUIDES)]
        trunks += [_minor_trunk(tree, root) for _ in range(int(rng.integers(3, 7)))]
        for owner, (points, _) in enumerate(trunks):
            tree.occupy(points, owner)
        for owner, (points, radius) in enumerate(trunks):
            _fork_along(tree, points, radius, owner, depth=0)
        branches += tree.branches
    return branches


def _trunk(
    tree: _Growth, index: int, guide: tuple[tuple[float, float], ...], shift: NDArray[np.float64], root: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A main vessel along a guide curve; the artery and the vein of a pair share most of their course."""
    from scipy.interpolate import CubicSpline

    own = tree.rng.normal(0.0, 1.0, (6, 2)) * np.array([0.3, 0.6, 0.9, 1.2, 1.5, 1.8])[:, None]
    knots = np.array(guide) + shift + own
    knots[0] = tree.root_deg
    spacing = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(knots, axis=0).T))])
    n = int(spacing[-1] / STEP_DEG)
    line = CubicSpline(spacing, knots)(np.linspace(0.0, spacing[-1], n))
    line = _meander(tree, line)
    keep = np.hypot(line[:, 0] - tree.centre[0], line[:, 1] - tree.centre[1]) < tree.reach + 2.0
    end = int(np.argmin(keep)) if (not keep[-1] and keep[0]) else n
    taper = np.clip((n - np.arange(n)) * STEP_DEG / 14.0, 0.05, 1.0) ** 0.5
    line = line[: max(end, 4)]
    scale = _GUIDES[index][0] * tree.rng.normal(1.0, 0.07)
    return line, root * scale * taper[: len(line)]


def _minor_trunk(tree: _Growth, root: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A small vessel that leaves the disc straight towards the nasal side or the macula."""
    rng = tree.rng
    nasal = rng.random() < 0.55
    angle = rng.normal(math.pi, 0.8) if nasal else rng.normal(0.0, 0.8)
    out = rng.uniform(0.3, 2.0)
    start = (tree.root_deg[0] + out * math.cos(angle), tree.root_deg[1] + out * math.sin(angle))
    radius = root * rng.uniform(0.3, 0.68)
    points, radii = _walk(tree, start, angle, radius, owner=-1, length=rng.uniform(6.0, 9.0) + 80 * radius)
    surfacing = np.clip((np.arange(len(points)) + 1) / 6, 0.0, 1.0)
    return points, radii * surfacing


def _meander(tree: _Growth, line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift a curve sideways by a few sines: its tortuosity."""
    along = np.arange(len(line)) * STEP_DEG
    tangent = np.gradient(line, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1) / np.hypot(*tangent.T)[:, None]
    grow = np.clip(along / 4.0, 0.0, 1.0)
    total = np.zeros(len(line))
    for wavelength in tree.rng.uniform(2.2, 8.0, 4):
        amplitude = 0.0115 * wavelength**1.5 * tree.wander * np.clip(tree.rng.normal(), -1.5, 1.5)
        total += amplitude * np.sin(2 * np.pi * along / wavelength + tree.rng.uniform(0, 2 * np.pi))
    return line + (grow * total)[:, None] * normal


def _fork_along(
    tree: _Growth, points: NDArray[np.float64], radius: NDArray[np.float64], owner: int, depth: int
) -> None:
    """Put side branches on a vessel, thin it at each by Murray's law and record it; then the daughters' own forks."""
    rng = tree.rng
    radius = radius.copy()
    largest = 0.66 if depth == 0 else 0.9
    daughters: list[tuple[NDArray[np.float64], NDArray[np.float64], int]] = []
    hand = 1 if rng.random() < 0.5 else -1
    at = rng.exponential(1.6) + (2.6 if depth == 0 else 0.9)
    while (i := int(at / STEP_DEG)) < len(points) - 3:
        now = float(radius[i])
        small = now * float(rng.uniform(0.32, largest))
        if small > THINNEST_DEG and not tree.outside(*points[i]):
            ahead = math.atan2(*(points[i + 1] - points[i])[::-1])
            name = len(tree.taken) + 1000
            length = rng.uniform(0.7, 1.4) * (5.0 + 105.0 * small)
            start = (float(points[i, 0]), float(points[i, 1]))
            child = _longest_walk(tree, start, (ahead, hand), small, name, length)
            if len(child[0]) >= 7:
                tree.occupy(child[0][2:], name)
                daughters.append((*child, name))
                radius[i + 1 :] *= max((1.0 - (small / now) ** 3), 0.05) ** (1.0 / 3.0)
        hand = -hand if rng.random() < 0.75 else hand
        at += (1.0 + rng.exponential(2.1 if depth == 0 else 3.2)) / tree.density
    if len(points) > 1:  # one that leaves the photograph at its first step has no length
        tree.branches.append(Branch(points, _smooth(radius), tree.artery))
    for child_points, child_radius, name in daughters:
        _fork_along(tree, child_points, child_radius, name, depth + 1)


def _longest_walk(
    tree: _Growth, start: tuple[float, float], way: tuple[float, float], radius: float, owner: int, length: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The longest of three walks off a vessel that heads ``way[0]``, the first two to the side ``way[1]``."""
    ahead, hand = way
    best: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    for side in (hand, hand, -hand):
        turn = side * float(tree.rng.uniform(0.55, 1.25))
        child = _walk(tree, start, ahead + turn, radius, owner, length)
        if best is None or len(child[0]) > len(best[0]):
            best = child
        if len(best[0]) * STEP_DEG > 0.7 * length:
            break
    assert best is not None
    return best


def _walk(
    tree: _Growth, start: tuple[float, float], heading: float, radius: float, owner: int, length: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A persistent walk steered by :func:`_goal`, which tapers and ends at its length, at the fovea or at a vessel."""
    n = max(int(length / STEP_DEG), 4)
    kicks = tree.rng.normal(0.0, 0.24 * tree.wander, n)
    u, v = start
    bend = drift = 0.0
    path = [(u, v)]
    for i in range(n):
        goal = _goal(u, v)
        bend = 0.6 * bend + kicks[i] - 0.1 * drift
        drift = 0.8 * drift + bend
        heading += 0.055 * math.sin(goal - heading) + bend * 0.55
        u, v = u + STEP_DEG * math.cos(heading), v + STEP_DEG * math.sin(heading)
        near_fovea = math.hypot(u - FOVEA_DEG[0], v - FOVEA_DEG[1]) < 1.6
        if near_fovea or tree.outside(u, v) or (i > 3 and tree.meets(u, v, owner)):
            break
        path.append((u, v))
    points = np.array(path)
    left = 1.0 - np.arange(len(points)) / max(n, len(points))
    return points, np.maximum(radius * left**0.35, 0.7 * THINNEST_DEG)


def _goal(u: float, v: float) -> float:
    """Direction a free vessel drifts in: to the fovea inside the arcades, away from the disc elsewhere."""
    inside = u > 2.0 and ((u - FOVEA_DEG[0]) / 17.0) ** 2 + ((v - FOVEA_DEG[1]) / 12.0) ** 2 < 1.0
    return math.atan2(FOVEA_DEG[1] - v, FOVEA_DEG[0] - u) if inside else math.atan2(v, u)


def _smooth(radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average the radius over a few steps, so that a vessel narrows after a fork without a notch."""
    padded = np.pad(radius, 2, mode="edge")
    return np.convolve(padded, np.ones(5) / 5, mode="valid")
