"""ncnn on the CPU, float32; the network goes there through pnnx."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from geng_edge.bench.peers import Floats, Step
from geng_export.errors import ExportError
from geng_export.peers.lean import Lean
from geng_export.targets.networks import norm


class OneBranch(torch.nn.Module):
    """One branch of a guided step: ncnn knows no batch, so that both are run one after the other.

    Every input has the batch axis, which pnnx takes away, and the blocks' parts side by side in the
    next one.
    """

    def __init__(self, lean: Lean) -> None:
        super().__init__()
        self.lean = lean.module

    def forward(
        self,
        x: torch.Tensor,
        mod: torch.Tensor,
        fin: torch.Tensor,
        keys: torch.Tensor,
        values: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """v ``[1, tokens, width]``; mod ``[1, 6 depth, dim]``, keys ``[1, depth heads, d, n]``.

        Slices only: pnnx takes an index of the first axis for one of the batch.
        """
        lean, heads = self.lean, self.lean.heads
        h = lean.bridge.input(x) + lean.bridge.position
        for i, block in enumerate(lean.blocks):
            sh1, sc1, g1, sh2, sc2, g2 = (mod[:, j : j + 1] for j in range(6 * i, 6 * i + 6))
            own = slice(i * heads, (i + 1) * heads)
            q, k, v = block.qkv(norm(h) * (1 + sc1) + sh1).chunk(3, dim=-1)
            h = h + g1 * block.o(lean.mix(q, lean.split(k).transpose(2, 3), lean.split(v), None))
            h = h + block.co(lean.mix(block.cq(norm(h)), keys[:, own], values[:, own], mask))
            up = block.up(norm(h) * (1 + sc2) + sh2)
            h = h + g2 * block.down(functional.gelu(up, approximate="tanh"))
        return lean.bridge.output(norm(h) * (1 + fin[:, 1:]) + fin[:, :1])


class Ncnn:
    """Float32."""

    name = "ncnn"
    variant = "fp32"

    def why_not(self) -> str | None:
        """Missing packages, or what pnnx makes of this network."""
        missing = [m for m in ("ncnn", "pnnx") if not importlib.util.find_spec(m)]
        if missing:
            return f"{', '.join(missing)} not installed"
        return None

    def prepare(self, model: Path, condition: Floats, threads: int, folder: Path) -> Step:
        """A converted network.

        Raises:
            ExportError: pnnx converts this network to something that ncnn cannot run.
        """
        import ncnn
        import pnnx

        lean = Lean.of(model, condition)
        work = folder / f"{model.stem}-ncnn"
        work.mkdir(exist_ok=True)
        branches = [
            self._branch(lean.feed(np.zeros(lean.shape, np.float32), 0), row) for row in (0, 1)
        ]
        example = tuple(torch.from_numpy(a[None].copy()) for a in branches[0])
        pnnx.export(OneBranch(lean).eval(), str(work / "step.pt"), example, fp16=False)
        net = ncnn.Net()
        net.opt.num_threads = threads
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        broken = net.load_param(str(work / "step.ncnn.param")) or net.load_model(
            str(work / "step.ncnn.bin")
        )
        if broken:
            raise ExportError("ncnn cannot load what pnnx made of the bridge; it must be able to")

        def step(x: Floats, t: int) -> Floats:
            answers = []
            for row in (0, 1):
                extractor = net.create_extractor()
                # A Mat borrows its array: they must live until the answer is there.
                arrays = [np.ascontiguousarray(a) for a in self._branch(lean.feed(x, t), row)]
                for i, array in enumerate(arrays):
                    extractor.input(f"in{i}", ncnn.Mat(array))
                status, v = extractor.extract("out0")
                if status:
                    raise ExportError("ncnn cannot run the bridge; it must be able to")
                answers.append(np.array(v, dtype=np.float32).reshape(lean.shape))
            return np.stack(answers)

        return step

    @staticmethod
    def _branch(feed: dict[str, Floats], row: int) -> list[Floats]:
        """The inputs of one branch, without the batch axis."""
        keys, values = feed["keys"][:, row], feed["values"][:, row]
        return [
            feed["x"][row],
            feed["modulation"].reshape(-1, feed["modulation"].shape[-1]),
            feed["fin"].reshape(2, -1),
            keys.reshape(-1, *keys.shape[2:]),
            values.reshape(-1, *values.shape[2:]),
            feed["mask"][row],
        ]


def fp32() -> Ncnn:
    """Entry point."""
    return Ncnn()
