"""Where a kernel is not zero: faint values and stray parts are dropped, and it is put in the middle."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad


def pruned(psf: Tensor, faint: float, stray: float) -> Tensor:
    """A kernel without what is most likely noise, of sum 1.

    Args:
        psf: (k, k), with a positive value.
        faint: Values below this share of the greatest are 0.
        stray: Connected parts, diagonal neighbours included, that hold less than this share of the sum are 0;
            the greatest part always stays.

    Returns:
        (k, k), >= 0.

    Example:
        >>> psf = torch.zeros(5, 5); psf[2, 2:4] = 1; psf[0, 0] = 0.1; psf[4, 4] = 0.01
        >>> pruned(psf, faint=0.05, stray=0.1).nonzero().tolist()
        [[2, 2], [2, 3]]
    """
    psf = psf.clamp_min(0)
    psf = psf.where(psf >= faint * psf.max(), 0.0)
    label = components(psf > 0)
    share = torch.zeros(int(label.max()) + 1).to(psf).index_add_(0, label.flatten(), psf.flatten()) / psf.sum()
    stays = (share >= stray) | (share == share.max())
    psf = psf * stays[label]
    return psf / psf.sum()


def components(mask: Tensor) -> Tensor:
    """Labels (H, W) >= 1 of the connected parts of a mask, diagonal neighbours included; 0 where it is False."""
    from scipy.ndimage import label

    return torch.from_numpy(label(mask.cpu().numpy(), structure=torch.ones(3, 3).numpy())[0]).long().to(mask.device)


def centred(psf: Tensor) -> Tensor:
    """A kernel (k, k) moved by whole pixels so that the box of its values above 0 lies in the middle.

    The centre of mass would do for a symmetric kernel; a long tail then reaches beyond the border, and is lost.

    Example:
        >>> psf = torch.zeros(5, 5); psf[0, 0] = 0.9; psf[2, 0] = 0.1
        >>> centred(psf).nonzero().tolist()
        [[1, 2], [3, 2]]
    """
    places = psf.nonzero()
    middle = (places.amin(0) + places.amax(0)) // 2
    down, right = (psf.shape[0] // 2 - middle).tolist()
    return psf.roll((down, right), (0, 1))


def enlarged(psf: Tensor, size: int, factor: float) -> Tensor:
    """A kernel (k, k) of one scale on the grid (size, size) of the next, bilinear about the centre, sum 1.

    Example:
        >>> enlarged(torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]), 5, 2.0)[2]
        tensor([0.0000, 0.1250, 0.2500, 0.1250, 0.0000])
    """
    reach = (torch.arange(size) - size // 2).to(psf) / factor * (2 / psf.shape[0])
    place = torch.stack([reach.expand(size, size), reach[:, None].expand(size, size)], -1)
    large = grid_sample(psf[None, None], place[None], align_corners=False)[0, 0]
    return large / large.sum()


def with_side(psf: Tensor, size: int) -> Tensor:
    """A kernel (k, k) with zeros around it, or cut, to an odd side about its middle; the sum is 1."""
    margin = (size - psf.shape[0]) // 2
    psf = pad(psf, (margin,) * 4)
    return psf / psf.sum()
