from __future__ import annotations

import torch

from blurlab.blind.support import centred, enlarged, pruned


def test_faint_values_and_stray_parts_go_and_the_sum_is_one() -> None:
    psf = torch.zeros(9, 9)
    psf[4, 1:6], psf[5, 6] = 1.0, 0.5  # joined at a corner
    psf[0, 8], psf[8, 0] = 0.3, 0.02
    kept = pruned(psf, faint=0.05, stray=0.1)
    assert kept.nonzero().tolist() == [[4, 1], [4, 2], [4, 3], [4, 4], [4, 5], [5, 6]]
    assert float(kept.sum()) == 1 and float(kept[4, 1] / kept[5, 6]) == 2
    assert pruned(psf, faint=0.05, stray=0.05)[0, 8] > 0 and pruned(psf, faint=0.01, stray=0.0)[8, 0] > 0


def test_the_greatest_part_stays_where_all_are_small() -> None:
    psf = torch.zeros(9, 9)
    psf[::2, ::2] = 0.1
    psf[4, 4] = 0.2
    assert pruned(psf, faint=0.05, stray=0.3).nonzero().tolist() == [[4, 4]]


def test_a_long_tail_is_not_lost_at_the_border() -> None:
    psf = torch.zeros(9, 9)
    psf[8, 8] = 0.9  # the centre of mass
    psf.diagonal()[:8] = 0.0125
    assert torch.equal(centred(psf), psf)
    moved = centred(torch.nn.functional.pad(psf, (4, 4, 4, 4)).roll((3, -2), (0, 1)))
    assert torch.equal(moved, torch.nn.functional.pad(psf, (4, 4, 4, 4)))


def test_a_kernel_keeps_its_middle_and_grows() -> None:
    psf = torch.zeros(7, 7)
    psf[1, 3] = psf[5, 3] = psf[3, 1] = 1
    grown = enlarged(psf / 3, 11, 2**0.5)
    at = torch.arange(11.0) - 5
    assert abs(float(grown.sum()) - 1) < 1e-6
    assert abs(float((grown.sum(1) * at).sum())) < 1e-5
    spread = float((grown.sum(1) * at.square()).sum())
    assert 1.9 < spread / (8 / 3) < 2.4  # squared lengths double, and interpolation adds a little
