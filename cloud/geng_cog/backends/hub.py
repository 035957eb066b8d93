"""The transformers backend: any causal LM from a local folder or a hub, within the same grammar.

A LoRA adapter (extra ``lora``) and 4-bit weights (extra ``4bit``, needs a GPU) are brought in where they
are asked for. Models that this project did not tune are shown the rules and examples from the seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geng_cog import instructions
from geng_cog.backends.causal import Writer
from geng_cog.backends.protocol import Written
from geng_cog.grammar.statements import begin
from geng_cog.lm.texts import prompt
from geng_cog.stated import Stated
from geng_edge.errors import ArgumentError, MissingExtraError, ModelFileError


class TransformersBackend:
    """Writes with a causal LM.

    Args:
        model: A folder, or the name of a model on the hub; code that comes with it is never run.
        adapter: Folder of a LoRA adapter, if any.
        four_bit: Load the weights in 4 bits.
        device: Where it runs, such as ``cpu`` or ``cuda``; by default a GPU where there is one.
        examples: Show rules and examples before the task; off for a model tuned on seed pairs.
        batch: Tasks written at once.

    Raises:
        ArgumentError: No model is named.
        MissingExtraError: peft or bitsandbytes is not installed and needed.
        ModelFileError: The model cannot be loaded.
    """

    name = "transformers"

    def __init__(
        self, model: str = "", adapter: str | None = None, four_bit: bool = False,
        device: str | None = None, examples: bool = True, batch: int = 8,
    ) -> None:  # fmt: skip
        if not model:
            raise ArgumentError(
                "model is empty; it must be a folder or the name of a model", name="model"
            )
        self.examples = examples
        network, tokenizer = _load(model, four_bit, device)
        if adapter is not None:
            network = _adapted(network, adapter)
        network.eval()
        self.writer = Writer(network, tokenizer, batch)

    def write(
        self, tasks: Sequence[str], stated: Sequence[Stated], seed: int, temperature: float
    ) -> list[Written]:
        """One statement for each task."""
        prompts = [instructions.as_text(t) if self.examples else prompt(t) for t in tasks]
        return self.writer.write(prompts, [begin(s) for s in stated], seed, temperature)


def _load(name: str, four_bit: bool, device: str | None) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    settings: dict[str, Any] = {"dtype": torch.float32 if device == "cpu" else torch.bfloat16}
    if four_bit:
        settings["quantization_config"] = _four_bits()
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, padding_side="left")
        model = AutoModelForCausalLM.from_pretrained(name, use_safetensors=True, **settings)
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{name}: {str(error)[:300]}; it must be a causal LM of transformers", path=Path(name)
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return (model if four_bit else model.to(device)), tokenizer


def _four_bits() -> Any:
    try:
        import bitsandbytes  # noqa: F401  what the setting below needs
    except ImportError as error:
        raise MissingExtraError(
            "bitsandbytes is not installed; 4-bit weights need it: pip install 'geng-cog[4bit]'"
        ) from error
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
    )


def _adapted(model: Any, adapter: str) -> Any:
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtraError(
            "peft is not installed; an adapter needs it: pip install 'geng-cog[lora]'"
        ) from error
    try:
        return PeftModel.from_pretrained(model, adapter)
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{adapter}: {str(error)[:300]}; it must be a LoRA adapter", path=Path(adapter)
        ) from error
