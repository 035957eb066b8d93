"""The bridge: a diffusion transformer from noise to a latent, guided by the condition.

Blocks are conditioned on the timestep by adaLN (Peebles and Xie 2023) with one shared modulation and
a small table a block (PixArt-alpha, Chen et al. 2023), and on the text by cross-attention. It predicts
v (Salimans and Ho 2022); with the condition replaced by one learned token it is the unconditional
model of classifier-free guidance (Ho and Salimans 2022; GenG, equation 4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from geng_export.models.frame import FRAME_FEATURES
from geng_export.models.number_reader import bounded

TIME_WIDTH = 256


@dataclass(frozen=True)
class BridgeConfig:
    """Sizes of a bridge.

    Attributes:
        tokens, width: The latent's.
        condition_width: The condition's, number channels included.
        dim, depth, heads: The transformer's.
        answers: Of the claims reader, told to the bridge in a token of their own; 0 for none.
    """

    tokens: int = 10
    width: int = 32
    condition_width: int = 416
    dim: int = 256
    depth: int = 6
    heads: int = 4
    answers: int = 0


def _norm(x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class Block(torch.nn.Module):
    """Self-attention, cross-attention to the condition, and a feed-forward layer."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = torch.nn.Linear(dim, 3 * dim)
        self.o = torch.nn.Linear(dim, dim)
        self.cq = torch.nn.Linear(dim, dim)
        self.ckv = torch.nn.Linear(dim, 2 * dim)
        self.co = torch.nn.Linear(dim, dim)
        self.up = torch.nn.Linear(dim, 4 * dim)
        self.down = torch.nn.Linear(4 * dim, dim)
        self.table = torch.nn.Parameter(torch.randn(6 * dim) / math.sqrt(dim))
        torch.nn.init.zeros_(self.co.weight)
        torch.nn.init.zeros_(self.co.bias)

    def _attend(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        def split(x: torch.Tensor) -> torch.Tensor:
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        out = F.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=mask)
        return out.transpose(1, 2).flatten(2)

    def forward(
        self, h: torch.Tensor, mod: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """One block: ``h`` [batch, tokens, dim], ``mod`` [batch, 6 dim], ``memory`` [batch, n, dim]."""
        sh1, sc1, g1, sh2, sc2, g2 = (mod + self.table)[:, None].chunk(6, dim=-1)
        q, k, v = self.qkv(_norm(h) * (1 + sc1) + sh1).chunk(3, dim=-1)
        h = h + g1 * self.o(self._attend(q, k, v, None))
        k, v = self.ckv(memory).chunk(2, dim=-1)
        h = h + self.co(self._attend(self.cq(_norm(h)), k, v, mask))
        up = self.up(_norm(h) * (1 + sc2) + sh2)
        return h + g2 * self.down(F.gelu(up, approximate="tanh"))


class Bridge(torch.nn.Module):
    """Predicts v of a noised latent at timestep t, with or without a condition."""

    def __init__(self, config: BridgeConfig) -> None:
        super().__init__()
        self.config = config
        d = config.dim
        self.condition = torch.nn.Linear(config.condition_width, d)
        self.frame = torch.nn.Linear(FRAME_FEATURES, d)
        self.claims = torch.nn.Linear(config.answers, d) if config.answers else None
        self.null = torch.nn.Parameter(torch.randn(d) * 0.02)
        self.position = torch.nn.Parameter(torch.randn(config.tokens, d) * 0.02)
        self.input = torch.nn.Linear(config.width, d)
        self.time1 = torch.nn.Linear(TIME_WIDTH, d)
        self.time2 = torch.nn.Linear(d, d)
        self.mod = torch.nn.Linear(d, 6 * d)
        self.fin = torch.nn.Linear(d, 2 * d)
        self.blocks = torch.nn.ModuleList(Block(d, config.heads) for _ in range(config.depth))
        self.output = torch.nn.Linear(d, config.width)
        for layer in (self.mod, self.fin, self.output):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    @property
    def extra_tokens(self) -> int:
        """Memory tokens beside the word pieces': the frame's and, where there is one, the claims'."""
        return 1 if self.claims is None else 2

    def memory(
        self, condition: torch.Tensor, frame: torch.Tensor, answers: torch.Tensor
    ) -> torch.Tensor:
        """What cross-attention reads: ``[batch, tokens + extra_tokens, dim]``.

        Args:
            condition: Z_x, ``[batch, tokens, width]``.
            frame: Features of the frame, ``[batch, FRAME_FEATURES]``.
            answers: Shares of the claims reader's answers, ``[batch, answers]``.
        """
        rows = [self.condition(bounded(condition)), self.frame(frame)[:, None]]
        if self.claims is not None:
            rows.append(self.claims(answers)[:, None])
        return _norm(torch.cat(rows, dim=1))

    def null_memory(self, batch: int) -> torch.Tensor:
        """What it reads without a condition: ``[batch, 1, dim]``."""
        return _norm(self.null).expand(batch, 1, -1)

    def modulation(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Timesteps ``[batch]`` -> shared block modulation ``[batch, 6 dim]`` and the final one."""
        half = TIME_WIDTH // 2
        rate = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32) / half)
        angle = t[:, None].float() * rate.to(t.device)
        wave = torch.cat([angle.cos(), angle.sin()], dim=-1)
        c = F.silu(self.time2(F.silu(self.time1(wave))))
        return self.mod(c), self.fin(c)

    def forward(
        self,
        x: torch.Tensor,
        t: torch.Tensor,
        memory: torch.Tensor,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """v at ``x`` [batch, tokens, width].

        Args:
            x: Noised latent.
            t: Timesteps, int64 ``[batch]``, 0 .. 499.
            memory: From :meth:`memory` or :meth:`null_memory`.
            mask: Bool ``[batch, n]``, true where memory is real; None when all of it is.
        """
        mod, fin = self.modulation(t)
        h = self.input(x) + self.position
        attend = None if mask is None else mask[:, None, None, :]
        for block in self.blocks:
            h = block(h, mod, memory, attend)
        shift, scale = fin[:, None].chunk(2, dim=-1)
        return self.output(_norm(h) * (1 + scale) + shift)


def cosine_alpha_bar(steps: int = 500) -> torch.Tensor:
    """The cosine schedule of Nichol and Dhariwal (2021): float32 ``[steps]``, decreasing."""
    u = torch.arange(steps + 1, dtype=torch.float64) / steps
    f = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
    beta = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    return torch.cumprod(1 - beta, dim=0).float()
