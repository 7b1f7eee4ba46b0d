"""Values of Zernike polynomials by prysm, an independent library; writes `zernike.csv` beside this.

Usage, in an environment of its own: pip install prysm numpy scipy; python tests/golden/make_zernike.py

Every polynomial of Noll 1 .. 28 and of OSA 0 .. 27, of unit root mean square, at eight points of the unit disk.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

POINTS = [(0.0, 0.0), (1.0, 0.0), (0.5, 0.3), (0.8, 2.0), (0.3, -1.1), (0.95, 3.0), (0.6, -2.5), (1.0, 1.5707)]
HEADER = ["order", "index", "n", "m", *[f"{rho}@{theta}" for rho, theta in POINTS]]


def main() -> None:
    from prysm.polynomials import ansi_j_to_nm, noll_to_nm, zernike_nm

    rho, theta = np.array(POINTS).T
    rows = []
    for order, read, first in (("noll", noll_to_nm, 1), ("osa", ansi_j_to_nm, 0)):
        for index in range(first, first + 28):
            n, m = (int(one) for one in read(index))
            values = zernike_nm(n, m, rho, theta, norm=True) * np.ones_like(rho)
            rows.append([order, index, n, m, *[f"{value:.12g}" for value in values]])
    with Path(__file__).with_name("zernike.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])


if __name__ == "__main__":
    main()
