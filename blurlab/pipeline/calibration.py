"""Temperature of the kinds' probabilities and width of the intervals, fitted to images never trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from blurlab.pipeline.choice import conformal_halfwidth

STEPS = 60
MASS = 0.9
FEWEST = 10
"""Errors below which an interval's width is not fitted but a Gaussian's."""
GAUSSIAN90 = 1.645


class PosteriorCalibration(nn.Module):
    """What makes a head's answers mean what they say.

    The kinds' probabilities are ``softmax(logits / T + w evidence)``, evidence the log-evidence of each kind's fit
    where there is one; T and w minimise the cross-entropy ([Guo2017] for T alone). A parameter that was refined moves
    from the network's estimate by a share of the way to the refined one, the share of least median error: where the
    image's likelihood says less than the network, it is heard less. The 90 % interval is the estimate plus and minus
    ``multiple * spread``, the multiple that 90 % of the errors stay below.

    Args:
        multiple: Of each parameter (P,).
        share: Of each parameter (P,).
        temperature: T.
        evidence: w.
    """

    multiple: Tensor
    share: Tensor
    temperature: Tensor
    evidence: Tensor

    def __init__(self, multiple: Tensor, share: Tensor, temperature: float = 1.0, evidence: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("multiple", multiple)
        self.register_buffer("share", share)
        self.register_buffer("temperature", torch.tensor(float(temperature)))
        self.register_buffer("evidence", torch.tensor(float(evidence)))

    def forward(self, logits: Tensor, evidence: Tensor | None = None) -> Tensor:
        """Probabilities (B, K)."""
        score = logits / self.temperature
        return (score if evidence is None else score + self.evidence * evidence.to(score)).softmax(1)

    @staticmethod
    def fit(
        logits: Tensor, evidence: Tensor | None, kind: Tensor, spread: Sequence[Tensor], off: Sequence[Tensor]
    ) -> PosteriorCalibration:
        """Fit to items with known answers.

        Args:
            logits: (n, K).
            evidence: (n, K) or None.
            kind: True kinds (n,).
            spread: Standard deviations that the network claims (n, P) and, if it was refined, the fit.
            off: How far the network's parameters and the fit's are from the truth (n, P), NaN where there is none.

        Example:
            >>> sure = torch.tensor([[4.0, 0.0]]).repeat(10, 1)
            >>> truth = torch.tensor([0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
            >>> nothing = torch.full((10, 1), torch.nan)
            >>> found = PosteriorCalibration.fit(sure, None, truth, [torch.ones(10, 1)], [nothing])
            >>> [round(value, 2) for value in found(sure[:1])[0].tolist()]
            [0.8, 0.2]
        """
        temperature, weight = _temperature(logits.double(), evidence, kind)
        shares, multiples = [], []
        for column in range(off[0].shape[1]):
            known = torch.stack([one[:, column] for one in off]).isfinite().all(0)
            errors, claims = ([one[known, column] for one in parts] for parts in (off, spread))
            share = _share(errors[0], errors[-1]) if len(errors[0]) >= FEWEST else 1.0
            error, claim = (torch.lerp(parts[0], parts[-1], share) for parts in (errors, claims))
            claimed = claim > 0
            enough = int(claimed.sum()) >= FEWEST
            ratio = error[claimed].abs() / claim[claimed]
            multiples.append(conformal_halfwidth(ratio, MASS) if enough else GAUSSIAN90)
            shares.append(share)
        return PosteriorCalibration(torch.tensor(multiples), torch.tensor(shares), temperature, weight)


def _share(first: Tensor, second: Tensor) -> float:
    """The share of the way from the first estimate to the second of least median error; of equals the largest."""
    shares = torch.linspace(1, 0, 21).tolist()
    return min(shares, key=lambda share: float(torch.lerp(first, second, share).abs().median()))


def _temperature(logits: Tensor, evidence: Tensor | None, kind: Tensor) -> tuple[float, float]:
    """T and w of least cross-entropy, by L-BFGS over their logarithms; w is 0 without evidence."""
    columns = [logits] if evidence is None else [logits, evidence.to(logits)]
    log = torch.tensor([0.0, math.log(0.1)][: len(columns)], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([log], max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        score = sum(weight * column for weight, column in zip(log.exp(), columns, strict=True))
        loss = torch.nn.functional.cross_entropy(score, kind)
        loss.backward()
        return loss

    with torch.enable_grad():
        optimizer.step(closure)
    found = log.detach().clamp(-6, 6).exp().tolist()
    return 1 / found[0], found[1] if len(found) > 1 else 0.0
