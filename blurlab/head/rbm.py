"""Restricted Boltzmann machines: what a layer of a deep belief network is before the network is trained as a whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Divergence(NamedTuple):
    """What one step of contrastive divergence gives.

    Attributes:
        loss: A number whose gradient in the machine's weights is the step's; its value means nothing.
        error: Mean squared difference between the data and their reconstruction, per visible unit.
    """

    loss: Tensor
    error: Tensor


class RBM(nn.Module):
    r"""Visible units v and binary hidden units h, joined to each other but not among themselves: p(v, h) ~ exp(-E).

        binary v:     E(v, h) = - a'v - b'h - h'W v          p(v_i = 1 | h) = sigmoid(a_i + (W'h)_i)
        Gaussian v:   E(v, h) = |v - a|^2 / 2 - b'h - h'W v  p(v | h) = N(a + W'h, 1)
        both:         p(h_j = 1 | v) = sigmoid(b_j + (W v)_j)

    Gaussian units have unit variance, so data must be standardised. A binary unit also takes a probability. Weights
    begin Glorot uniform, biases at 0.

    Args:
        visible: Number of visible units.
        hidden: Number of hidden units.
        gaussian_visible: Are the visible units real numbers?

    Example:
        >>> machine = RBM(2, 3)
        >>> with torch.no_grad(): _ = machine.weight.zero_()
        >>> machine.free_energy(torch.ones(1, 2)) / torch.log(torch.tensor(2.0))  # F = - 3 log 2
        tensor([-3.], grad_fn=<DivBackward0>)

    [HintonSalakhutdinov2006], [Hinton2010]
    """

    def __init__(self, visible: int, hidden: int, gaussian_visible: bool = False) -> None:
        super().__init__()
        self.gaussian_visible = gaussian_visible
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(hidden, visible)))
        self.visible_bias = nn.Parameter(torch.zeros(visible))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))

    def hidden_probability(self, v: Tensor) -> Tensor:
        """p(h = 1 | v), (B, hidden), of (B, visible)."""
        return functional.linear(v, self.weight, self.hidden_bias).sigmoid()

    def visible_mean(self, h: Tensor) -> Tensor:
        """E(v | h), (B, visible), of (B, hidden)."""
        total = functional.linear(h, self.weight.T, self.visible_bias)
        return total if self.gaussian_visible else total.sigmoid()

    def free_energy(self, v: Tensor) -> Tensor:
        """F(v) = - log sum_h exp(-E(v, h)), (B,), of (B, visible): so p(v) ~ exp(-F(v))."""
        hidden = functional.softplus(functional.linear(v, self.weight, self.hidden_bias)).sum(1)
        if self.gaussian_visible:
            return (v - self.visible_bias).square().sum(1) / 2 - hidden
        return -v @ self.visible_bias - hidden

    def contrastive_divergence(self, v: Tensor, steps: int = 1, *, generator: torch.Generator) -> Divergence:
        """CD-k: the likelihood's gradient with k Gibbs steps from the data in place of the model's own samples.

            dW = <p(h | v) v'>_data - <p(h | v) v'>_after k steps

        Hidden units are drawn. Gaussian visible units are drawn too: their means alone have less than unit variance,
        and weights would grow on white noise. Binary ones are their probabilities, as the data of the upper layers are.

        Args:
            v: Data (B, visible).
            steps: k.
            generator: On the data's device.

        Returns:
            The loss mean F(v_data) - mean F(v_k) to be differentiated, and the error of the first reconstruction.

        Raises:
            ValueError: If there is no step.

        [Hinton2002]
        """
        if steps < 1:
            raise ValueError(f"contrastive divergence takes one step or more, got {steps}")
        with torch.autocast(v.device.type, enabled=False):
            v = v.float()
            first = sample = v
            with torch.no_grad():
                for step in range(steps):
                    mean = self.visible_mean(torch.bernoulli(self.hidden_probability(sample), generator=generator))
                    first = mean if step == 0 else first
                    noise = (
                        torch.randn(mean.shape, generator=generator, device=v.device) if self.gaussian_visible else 0
                    )
                    sample = mean + noise
            loss = (self.free_energy(v) - self.free_energy(sample)).mean()
        return Divergence(loss, (v - first).square().mean())


class Pretrainable(nn.Module, ABC):
    """A head whose first layers are trained one after another, without labels, before it is trained as a whole."""

    @property
    @abstractmethod
    def rbms(self) -> list[RBM]:
        """The machines, lowest first; their weights are the layers' own."""

    @abstractmethod
    def visible(self, y: Tensor, layer: int) -> Tensor:
        """What the machine ``layer`` sees of images (B, C, H, W): (B, visible)."""

    @abstractmethod
    def filters(self) -> Tensor:
        """Weights of the lowest machine as pictures (hidden, rows, columns)."""
