"""Writing under a grammar with a causal LM of transformers, many tasks at a time.

Every token of a statement is drawn among those that the grammar allows, so each text parses by
construction. The loop is ours and not ``generate``'s, because rows that are done leave the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from geng_cog.backends.protocol import Written
from geng_cog.grammar.nodes import State
from geng_cog.grammar.tokens import Guide, Trie, token_texts
from geng_cog.statement import CHANNEL, VALUES

if TYPE_CHECKING:
    import torch

MOST_TOKENS = 800


class Writer:
    """A model, its tokenizer, and the trie of its vocabulary.

    Args:
        model: A causal LM of transformers, in evaluation mode.
        tokenizer: Its tokenizer; must pad on the left.
        batch: Texts written at once.
    """

    def __init__(self, model: Any, tokenizer: Any, batch: int = 64) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.batch = batch
        self.trie = Trie(token_texts(tokenizer))

    def write(
        self,
        prompts: Sequence[str],
        states: Sequence[State],
        seed: int = 0,
        temperature: float = 0.0,
        draws: Sequence[int] | None = None,
    ) -> list[Written]:
        """Continue each prompt within its grammar; rows are independent of one another's draws.

        Args:
            prompts: What is continued.
            states: The grammar of each.
            seed, temperature: Of the draws.
            draws: Which draw of the seed each row takes; its place by default.
        """
        draws = range(len(prompts)) if draws is None else draws
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        found: dict[int, Written] = {}
        for at in range(0, len(order), self.batch):
            rows = order[at : at + self.batch]
            texts = self._write(
                [prompts[i] for i in rows], [states[i] for i in rows],
                [np.random.default_rng((seed, draws[i])) for i in rows], temperature,
            )  # fmt: skip
            found.update(zip(rows, texts, strict=True))
        return [found[i] for i in range(len(prompts))]

    def _write(
        self, prompts: Sequence[str], states: Sequence[State],
        dice: Sequence[np.random.Generator], temperature: float,
    ) -> list[Written]:  # fmt: skip
        import torch

        guides = [Guide(self.trie, state) for state in states]
        sure: list[list[float]] = [[] for _ in guides]
        encoded = self.tokenizer(
            list(prompts), return_tensors="pt", padding=True, add_special_tokens=self._special()
        )
        ids, mask = encoded["input_ids"], encoded["attention_mask"]
        cache, alive = None, list(range(len(guides)))
        with torch.inference_mode():
            for _ in range(MOST_TOKENS):
                places = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
                out = self.model(
                    input_ids=ids.to(self.model.device), attention_mask=mask.to(self.model.device),
                    position_ids=places.to(self.model.device), past_key_values=cache, use_cache=True,
                )  # fmt: skip
                cache = out.past_key_values
                logits = out.logits[:, -1].float().cpu().numpy()
                chosen = []
                for row, k in enumerate(alive):
                    token, chance = _draw(logits[row], guides[k].allowed(), dice[k], temperature)
                    if _in_label(guides[k].text):
                        sure[k].append(chance)
                    guides[k].take(token)
                    chosen.append(token)
                going = [row for row, k in enumerate(alive) if not guides[k].done]
                if not going:
                    break
                ids = torch.tensor([[chosen[row]] for row in going])
                if len(going) < len(alive):
                    alive = [alive[row] for row in going]
                    keep = torch.tensor(going)
                    mask = mask[keep]
                    cache.batch_select_indices(keep.to(self.model.device))
                mask = torch.cat([mask, torch.ones((len(alive), 1), dtype=mask.dtype)], dim=1)
        return [
            Written(g.text, float(np.prod(s)) if s else None)
            for g, s in zip(guides, sure, strict=True)
        ]

    def _special(self) -> bool:
        """Whether prompts begin with the tokenizer's own first token."""
        return getattr(self.tokenizer, "bos_token_id", None) is not None

    def last_logits(self, texts: Sequence[str]) -> torch.Tensor:
        """Logits after the last token of each text, float32 ``(texts, vocabulary)``."""
        import torch

        rows = []
        with torch.inference_mode():
            for at in range(0, len(texts), self.batch):
                encoded = self.tokenizer(
                    list(texts[at : at + self.batch]), return_tensors="pt", padding=True,
                    add_special_tokens=self._special(),
                )  # fmt: skip
                mask = encoded["attention_mask"]
                places = (mask.cumsum(1) - 1).clamp(min=0)
                out = self.model(
                    input_ids=encoded["input_ids"].to(self.model.device),
                    attention_mask=mask.to(self.model.device),
                    position_ids=places.to(self.model.device),
                    logits_to_keep=1,
                )  # fmt: skip
                rows.append(out.logits[:, -1].float().cpu())
        return torch.cat(rows)


def _in_label(text: str) -> bool:
    """Whether what comes next belongs to the name of a quantity."""
    begin = text.rfind(CHANNEL)
    return begin >= 0 and VALUES not in text[begin:]


def _draw(
    logits: Any, allowed: Any, dice: np.random.Generator, temperature: float
) -> tuple[int, float]:
    """A token among the allowed ones, and its probability among them at temperature 1."""
    if len(allowed) == 1:
        return int(allowed[0]), 1.0
    scores = logits[allowed].astype(np.float64)
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    if temperature <= 0.0:
        pick = int(np.argmax(scores))
    else:
        heated = np.exp((scores - scores.max()) / temperature)
        pick = int(dice.choice(len(allowed), p=heated / heated.sum()))
    return int(allowed[pick]), float(shares[pick])
