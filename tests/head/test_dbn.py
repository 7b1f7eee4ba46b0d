"""The deep belief network: the paper's sizes, shared weights, inputs of unit variance."""

from __future__ import annotations

import pytest
import torch

from blurlab.head import DBN, Cepstrum, LogSpectrum, Profiles
from blurlab.head.dbn import Standardise


def image(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(2))


def test_it_has_the_sizes_of_the_paper() -> None:
    net = DBN(3)
    assert [tuple(machine.weight.shape) for machine in net.rbms] == [(500, 1024), (30, 500), (10, 30)]
    assert tuple(net.classify.weight.shape) == (3, 10)
    assert [machine.gaussian_visible for machine in net.rbms] == [True, False, False]


def test_logits_are_sigmoid_layers_of_the_machines_own_weights() -> None:
    net, y = DBN(4, feature=Profiles(16, 2, 8), layers=(7, 5)).eval(), image(6, 1, 20, 24)
    h = net.standardise(net.feature(y))
    for layer, machine in enumerate(net.rbms):
        torch.testing.assert_close(net.visible(y, layer), h)
        h = torch.sigmoid(h @ machine.weight.T + machine.hidden_bias)
    torch.testing.assert_close(net(y), h @ net.classify.weight.T + net.classify.bias)
    assert not [name for name, weight in net.named_parameters() if weight.requires_grad and "visible_bias" in name]


def test_inputs_have_unit_variance_over_all_that_was_seen() -> None:
    scale, draw = torch.tensor([3.0, 0.1, 0.0]), torch.Generator().manual_seed(0)
    batches = [scale * torch.randn(n, 3, generator=draw) + torch.arange(3) for n in (40, 7, 1, 90)]
    layer = Standardise(3)
    for batch in batches:
        layer(batch)
    every = torch.cat(batches)
    torch.testing.assert_close(layer.mean, every.mean(0))
    torch.testing.assert_close(layer.variance, every.var(0, correction=0))
    before = layer.count.clone()
    out = layer.eval()(every)
    assert layer.count == before == 138
    torch.testing.assert_close(out.var(0, correction=0)[:2], torch.ones(2))
    assert not out[:, 2].any()


def test_filters_lie_as_the_feature_does() -> None:
    net = DBN(3, feature=Cepstrum(16), layers=[9])
    assert net.filters().shape == (9, 16, 8)
    assert torch.equal(net.filters()[4, 3], net.rbms[0].weight[4, 24:32])


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_built_without_memory(channels: int) -> None:
    with torch.device("meta"):
        net = DBN(5, channels, feature=LogSpectrum(32))
    assert all(weight.is_meta for weight in net.parameters())
    built = DBN(5, channels)
    assert sum(w.numel() for w in net.parameters()) == sum(w.numel() for w in built.parameters()) == 529_449


def test_layers_without_units_are_refused() -> None:
    for layers in ([], [30, 0]):
        with pytest.raises(ValueError, match="one or more numbers of units"):
            DBN(3, layers=layers)
