"""The network of Learning to Deblur: stages in use, scales, and what it begins as."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import blurlab.head.edge_features as edge_features
from blurlab.head import LearningToDeblur
from blurlab.head.edge_features import EdgeFeatures, derivative


def image(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(5))


def net(side: int = 9, **options: object) -> LearningToDeblur:
    torch.manual_seed(0)
    return LearningToDeblur(side**2, pairs=(1, 2), filters=6, hidden=6, filter_px=5, **options)  # type: ignore[arg-type]


def test_the_answer_is_the_logarithm_of_a_kernel_of_any_image() -> None:
    made = net()
    for shape in [(2, 1, 18, 31), (2, 3, 40, 27)]:
        kernel = made(image(*shape)).exp().reshape(2, 9, 9)
        assert bool((kernel >= 0).all())
        torch.testing.assert_close(kernel.sum((1, 2)), torch.ones(2), rtol=0, atol=1e-4)
    y = image(1, 1, 30, 30)
    torch.testing.assert_close(made(y + 0.1), made(y), rtol=1e-3, atol=1e-2)  # brightness does not matter
    torch.testing.assert_close(made(y.expand(1, 3, 30, 30)), made(y), rtol=1e-4, atol=1e-3)


def test_the_papers_sizes() -> None:
    one = LearningToDeblur(17**2)
    assert one.sides == (17,) and one.stages == 3
    assert [stage.filters.shape for stage in one.scales[0]] == [(32, 1, 9, 9), (32, 2, 9, 9), (32, 2, 9, 9)]
    assert [len(stage.last) for stage in one.scales[0]] == [4, 4, 8]
    assert LearningToDeblur(25**2).sides == (17, 25) and LearningToDeblur(33**2).sides == (17, 25, 33)


def test_a_stage_that_is_not_in_use_has_no_say_and_a_new_one_is_learned_alone() -> None:
    made, y = net(), image(2, 1, 30, 30)
    both = made(y)
    made.use_stages(1)
    one = made(y)
    with torch.no_grad():
        made.scales[0][1].last.mul_(-2)
    assert torch.equal(made(y), one) and not torch.equal(one, both)
    made.use_stages(2, last_alone=True)
    made(y).square().sum().backward()
    learned = {name for name, weight in made.named_parameters() if weight.grad is not None}
    assert learned == {"log_beta", "scales.0.1.filters", "scales.0.1.mix", "scales.0.1.last"}
    made.use_stages(2)
    made(y).square().sum().backward()
    assert all(weight.grad is not None for weight in made.parameters())
    copy = net()
    copy.load_state_dict({**made.state_dict(), "in_use": torch.tensor([1])})
    assert torch.equal(copy(y), one)
    with pytest.raises(ValueError, match="1 to 2 stages, got 3"):
        made.use_stages(3)


def test_a_settled_copy_answers_the_same_and_keeps_its_stages() -> None:
    made, y = net(), image(2, 1, 30, 30)
    made.use_stages(1)
    copy, one = made.settled(), made(y)
    assert torch.equal(copy(y), one) and made.fixed is None
    made.use_stages(2)
    assert torch.equal(copy(y), one) and not torch.equal(made(y), one)


def test_a_larger_scale_goes_on_from_the_latent_image_of_the_smaller() -> None:
    made, y = net(15, sides_px=(9, 15)), image(1, 1, 40, 51)
    before = made(y)
    with torch.no_grad():
        made.scales[0][0].last.mul_(torch.tensor([[1.0], [-3.0]]))
    assert not torch.equal(made(y), before)
    made(y).square().sum().backward()
    assert all(bool(weight.grad.any()) for weight in made.parameters())


def test_every_stage_gives_a_kernel_that_can_be_trained() -> None:
    made, y = net(9, sides_px=(5, 9)), image(2, 1, 40, 40)
    kernels = made.kernels(y)
    assert [one.shape for one in kernels] == [(2, 1, 5, 5)] * 2 + [(2, 1, 9, 9)] * 2
    assert torch.equal(made.kernel(y), kernels[-1])
    for one in kernels:
        torch.testing.assert_close(one.sum((1, 2, 3)), torch.ones(2), rtol=0, atol=1e-5)
    kernels[1].square().sum().backward()
    learned = {
        name for name, value in made.named_parameters() if value.grad is not None and bool((value.grad != 0).any())
    }
    assert {name[:10] for name in learned} == {"scales.0.0", "scales.0.1", "log_beta"}
    made.use_stages(1)
    assert len(made.kernels(y)) == 3


def test_features_of_strips_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    features, y = EdgeFeatures(2, 2, 8, 8, 5), image(2, 2, 33, 20)
    whole = features(y)
    monkeypatch.setattr(edge_features, "STRIP_PX", 200)
    with torch.no_grad():
        strips = features(y)
    assert whole[0].shape == (2, 2, 29, 16)
    for one, other in zip(strips, whole, strict=True):
        torch.testing.assert_close(one, other.detach(), rtol=1e-5, atol=1e-6)


def test_it_begins_with_thin_edges_of_the_latent_image_and_derivatives_of_the_blurred(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edge_features, "AROUND", 0.0)
    features = EdgeFeatures(2, 2, 8, 8, 9)
    latent, blurred = torch.zeros(24, 24), torch.zeros(24, 24)
    latent[:] = 0.3 * torch.sigmoid((torch.arange(24) - 11.5) / 1.5)  # a soft edge between columns 11 and 12
    blurred[12:] = 0.1
    with torch.no_grad():
        sharp, soft = features(torch.stack([blurred, latent])[None])
    across = sharp[0, 0, 8]
    assert across.argmax().item() in (7, 8) and float(across.max()) > 0.05  # columns 4 on are seen
    assert int((across > 0.5 * across.max()).sum()) == 2  # thinner than the edge, whose slope is half over 5 px
    slope = latent[8].diff()
    assert int((slope > 0.5 * slope.max()).sum()) == 5
    assert float(sharp[0, 1].abs().max()) < 0.05 * float(across.max()) and float(soft[0, 0].abs().max()) < 1e-6
    assert float(soft[0, 1].abs().max()) == pytest.approx(0.1, abs=0.002)  # down
    assert float(derivative(0.5, 9).sum()) == pytest.approx(0, abs=1e-6)


def test_wrong_options_are_refused_with_the_remedy() -> None:
    for count in (10, 16):
        with pytest.raises(ValueError, match="use pipeline=kernel"):
            LearningToDeblur(count)
    with pytest.raises(ValueError, match="at least 18 for kernels of 9 px"):
        net()(image(1, 1, 17, 30))
    for sides in ((9, 8), (15, 9), (7,)):
        with pytest.raises(ValueError, match="end with the answer's side 9"):
            net(sides_px=sides)
    with pytest.raises(ValueError, match="3 filters and 3 hidden"):
        EdgeFeatures(1, 2, 5, 8)
