"""Batch normalisation by the statistics of the whole batch where several processes share it, on any device.

torch's own (``SyncBatchNorm``) needs CUDA.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from pytorch_lightning.plugins.layer_sync import LayerSync
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        whole = value.clone()
        dist.all_reduce(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        whole = grads[0].clone()
        dist.all_reduce(whole)
        return whole


def summed(value: Tensor) -> Tensor:
    """The sum of a tensor over all processes, which autograd records."""
    whole: Tensor = _Sum.apply(value)
    return whole


class SharedBatchNorm(_BatchNorm):
    """Batch normalisation whose mean and variance in training are those over all processes."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch normalisation needs (B, C, ...), got {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        """Images or features (B, C, ...), normalised."""
        if not (self.training and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(input)
        over = [axis for axis in range(input.dim()) if axis != 1]
        shape = [1, -1, *[1] * (input.dim() - 2)]
        count = torch.full((1,), input.numel() / input.shape[1], device=input.device)
        dist.all_reduce(count)
        mean = summed(input.sum(over)) / count
        centred = input - mean.view(shape)
        variance = summed(centred.square().sum(over)) / count
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            with torch.no_grad():
                self.num_batches_tracked.add_(1)
                share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
                self.running_mean.lerp_(mean.to(self.running_mean), share)
                self.running_var.lerp_((variance * count / (count - 1)).to(self.running_var), share)
        normal = centred * (variance + self.eps).rsqrt().view(shape)
        return normal if self.weight is None else normal * self.weight.view(shape) + self.bias.view(shape)


class SharedNorm(LayerSync):
    """Lightning plugin: gives a network :class:`SharedBatchNorm` in place of batch normalisation, weights kept."""

    def apply(self, model: nn.Module) -> nn.Module:
        """Replace every such layer below a module."""
        for name, child in model.named_children():
            if isinstance(child, _BatchNorm) and not isinstance(child, SharedBatchNorm):
                shared = SharedBatchNorm(
                    child.num_features, child.eps, child.momentum, child.affine, child.track_running_stats
                )
                shared.train(child.training)
                for key in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                    setattr(shared, key, getattr(child, key))
                setattr(model, name, shared)
            else:
                self.apply(child)
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        """Nothing: one process computes with it as with its own kind."""
        return model
