"""Contract of the heads: shapes, sizes, gradients, and that each can learn."""

from __future__ import annotations

import pytest
import torch

from blurlab.head import DBN, Compact, KernelQuotient, LearningToDeblur, LeNet, LogSpectrum, RepeatedStage, ResNet
from blurlab.head.lenet import cut_tiles

SMALL = {
    "compact": lambda classes, channels: Compact(classes, channels, width=4, hidden=16, window=32, hop=16),
    "dbn": lambda classes, channels: DBN(classes, channels, LogSpectrum(32), layers=(20, 6)),
    "compact_tapers": lambda classes, channels: Compact(classes, channels, 4, 16, 32, 16, tapers=2),
    "resnet": lambda classes, channels: ResNet(classes, channels, widen=0.0625, window=32, hop=16),
    "resnet_pixels": lambda classes, channels: ResNet(classes, channels, widen=0.0625, window=0),
    "resnet_paper": lambda classes, channels: ResNet(classes, channels, widen=0.0625, window=0, stem="paper"),
    "kernel_quotient": lambda classes, channels: KernelQuotient(classes, channels, (4, 8), refine=4),
    "learning_to_deblur": lambda classes, channels: LearningToDeblur(classes, channels, (1, 2), 6, 6, filter_px=5),
    "repeated_stage": lambda classes, channels: RepeatedStage(classes, channels, 1, 6, 6, filter_px=5, repeats=2),
    "lenet": lambda classes, channels: LeNet(classes, channels, input_size=24),
}


def image(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(5))


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("classes", "channels", "size"), [(9, 1, (32, 49)), (49, 3, (51, 32))])
def test_logits_for_odd_sizes_and_colours(name: str, classes: int, channels: int, size: tuple[int, int]) -> None:
    net = SMALL[name](classes, channels).eval()
    y = image(3, channels, *size)
    logits = net(y)
    assert logits.shape == (3, classes) and bool(logits.isfinite().all())
    torch.testing.assert_close(torch.cat([net(one[None]) for one in y]), logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_every_weight_gets_a_finite_gradient(name: str) -> None:
    net = SMALL[name](9, 1)
    net(image(4, 1, 48, 48)).square().sum().backward()
    for label, weight in net.named_parameters():
        if not weight.requires_grad:
            continue
        assert weight.grad is not None and bool(weight.grad.isfinite().all()) and bool(weight.grad.any()), label


@pytest.mark.parametrize("name", SMALL)
def test_a_fresh_copy_with_the_saved_weights_is_the_same_net(name: str) -> None:
    net = SMALL[name](9, 1)
    net(image(4, 1, 48, 48))
    copy = SMALL[name](9, 1)
    copy.load_state_dict(net.state_dict())
    y = image(2, 1, 40, 40)
    torch.testing.assert_close(copy.eval()(y), net.eval()(y), rtol=0, atol=0)


def test_compact_tells_horizontal_from_vertical_smoothing() -> None:
    y = image(16, 1, 48, 48)
    wide = torch.cat([torch.nn.functional.avg_pool2d(y[:8], (1, 3), 1), y[8:, ..., :46]])
    high = torch.cat([torch.nn.functional.avg_pool2d(y[:8], (3, 1), 1).mT, y[8:, ..., :46, :].mT]).mT
    images = torch.cat([wide[:8, ..., :46, :46], high[:8, ..., :46, :46]])
    target = torch.arange(2).repeat_interleave(8)
    net = SMALL["compact"](2, 1)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(net(images), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (net.eval()(images).argmax(1) == target).all()


def test_compact_has_fewer_than_a_million_weights() -> None:
    assert sum(weight.numel() for weight in Compact(37).parameters()) < 1_000_000


def test_lenet_is_the_network_of_the_paper() -> None:
    net = LeNet(5, input_size=64)
    shapes = [tuple(weight.shape) for weight in net.parameters() if weight.ndim > 1]
    assert shapes == [(32, 1, 3, 3), (32, 32, 3, 3), (64, 32, 3, 3), (64, 64, 3, 3), (512, 64 * 14 * 14), (5, 512)]
    bound = (6 / (64 * 14 * 14 + 512)) ** 0.5
    first = net.classify[0].weight.detach()
    assert float(first.abs().max()) <= bound and float(first.std()) == pytest.approx(bound / 3**0.5, rel=0.01)
    assert all(not weight.any() for label, weight in net.named_parameters() if label.endswith("bias"))


def test_lenet_averages_the_logits_of_its_tiles() -> None:
    net = LeNet(4, input_size=24).eval()
    y = image(2, 1, 48, 50)
    tiles = [y[..., top : top + 24, left : left + 24] for top in (0, 24) for left in (0, 24)]
    torch.testing.assert_close(net(y), torch.stack([net(tile) for tile in tiles]).mean(0), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(cut_tiles(y, 24, 1)[:, 2], tiles[2], rtol=0, atol=0)


def test_lenet_drops_only_in_training() -> None:
    net, y = LeNet(3, input_size=24), image(2, 1, 24, 24)
    assert not torch.equal(net(y), net(y))
    net.eval()
    assert torch.equal(net(y), net(y))


def test_a_standardising_lenet_sees_neither_brightness_nor_contrast() -> None:
    net = LeNet(3, input_size=24, standardise=True).eval()
    y = image(2, 1, 24, 24)
    torch.testing.assert_close(net(0.2 * y + 0.5), net(y), rtol=1e-4, atol=1e-5)
    assert bool(net(torch.full((1, 1, 24, 24), 0.5)).isfinite().all())


def test_errors_say_what_to_do() -> None:
    with pytest.raises(ValueError, match="input_size=24"):
        LeNet(3, input_size=24)(torch.zeros(1, 1, 20, 30))
    with pytest.raises(ValueError, match="at least 10"):
        LeNet(3, input_size=8)
    with pytest.raises(ValueError, match="multiple of 16"):
        Compact(3, window=40)
