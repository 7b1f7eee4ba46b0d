"""The deep belief network of Yan & Shao 2016 on a fixed measurement of the image."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from blurlab.head.feature import Feature, LogSpectrum
from blurlab.head.rbm import RBM, Pretrainable

LEAST_VARIANCE = 1e-6


class Standardise(nn.Module):
    """Each of ``size`` inputs less its mean, by its deviation, over all samples seen in training so far.

    Unlike batch normalisation it does in training what it does afterwards, once some batches were seen.
    """

    count: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        """(B, size) of (B, size)."""
        if self.training:
            self._see(x.detach())
        return (x - self.mean) / self.variance.clamp_min(LEAST_VARIANCE).sqrt()

    def _see(self, x: Tensor) -> None:
        """Join the batch's moments to those of the samples before it."""
        share = len(x) / (self.count + len(x))
        step = x.mean(0) - self.mean
        variance = torch.lerp(self.variance, x.var(0, correction=0), share) + share * (1 - share) * step.square()
        self.variance.copy_(variance)
        self.mean.add_(share * step)
        self.count.add_(len(x))


class DBN(Pretrainable):
    """Layers of sigmoid units, each a restricted Boltzmann machine that can be pre-trained, and a linear layer.

    With the feature's 1024 numbers and three kinds of blur the paper's 1024-500-30-10-3. What the 1024 numbers are is
    this library's choice: of its features the log spectrum named most patches rightly after a short training. The
    lowest machine's visible units are Gaussian, the others' binary. What only pre-training learns, the visible biases,
    has no gradient afterwards.

    Args:
        num_classes: Length of the output.
        in_channels: Channels of the images (any; the features are averages over them).
        feature: What the network is shown of an image; ``LogSpectrum(32)`` if None.
        layers: Units of the layers.

    Raises:
        ValueError: If there is no layer or one without units.

    Example:
        >>> net = DBN(3)
        >>> [tuple(machine.weight.shape) for machine in net.rbms], net(torch.rand(2, 1, 32, 32)).shape
        ([(500, 1024), (30, 500), (10, 30)], torch.Size([2, 3]))

    [YanShao2016], [HintonSalakhutdinov2006]
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        feature: Feature | None = None,
        layers: Sequence[int] = (500, 30, 10),
    ) -> None:
        super().__init__()
        if not layers or min(layers) < 1:
            raise ValueError(f"layers must be one or more numbers of units, got {list(layers)}")
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.feature = LogSpectrum(32) if feature is None else feature
        self.standardise = Standardise(self.feature.size)
        sizes = [self.feature.size, *layers]
        self.layers = nn.ModuleList(
            RBM(below, above, gaussian_visible=place == 0) for place, (below, above) in enumerate(pairwise(sizes))
        )
        for machine in self.rbms:
            machine.visible_bias.requires_grad_(False)
        self.classify = nn.Linear(sizes[-1], num_classes)

    @property
    def rbms(self) -> list[RBM]:
        """The machines, lowest first."""
        return list(self.layers)  # type: ignore[arg-type]  # a ModuleList does not say of what

    def forward(self, y: Tensor) -> Tensor:
        """Logits (B, num_classes) of images (B, C, H, W) in [0, 1], H and W at least the feature's side."""
        return self.classify(self.visible(y, len(self.rbms)))

    def visible(self, y: Tensor, layer: int) -> Tensor:
        """What the machine ``layer`` sees: the standardised feature, or the probabilities of the units below."""
        v = self.standardise(self.feature(y))
        for machine in self.rbms[:layer]:
            v = machine.hidden_probability(v)
        return v

    def filters(self) -> Tensor:
        """The first layer's weights (hidden, rows, columns), laid out as the feature."""
        return self.rbms[0].weight.detach().unflatten(1, self.feature.shape)
