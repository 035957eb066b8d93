"""Runs a peer's guided step in the emulated Python, on one thread, and writes v of the last.

peer_steps.py onnxruntime|litert MODEL INPUTS.npz STEPS OUT.npy
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def run_onnxruntime(model: str, inputs: dict[str, Any], steps: int) -> Any:
    """As geng_export.peers.onnxruntime does it: inputs bound, one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    known = {i.name for i in session.get_inputs()}
    for _ in range(steps):
        for name, value in inputs.items():
            if name in known:
                binding.bind_cpu_input(name, value)
        binding.bind_output("v")
        session.run_with_iobinding(binding)
    return binding.copy_outputs_to_cpu()[0]


def run_litert(model: str, inputs: dict[str, Any], steps: int) -> Any:
    """As geng_export.peers.litert does it: XNNPACK, one thread."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    ports = {
        str(port["name"]).partition(":")[0].removeprefix("serving_default_"): port["index"]
        for port in interpreter.get_input_details()
    }
    output = interpreter.get_output_details()[0]["index"]
    for _ in range(steps):
        for name, value in inputs.items():
            interpreter.set_tensor(ports[name], value)
        interpreter.invoke()
    return interpreter.get_tensor(output)


def main() -> None:
    """Entry point."""
    runtime, model, file, steps, out = sys.argv[1:]
    with np.load(file) as data:
        inputs = {name: np.ascontiguousarray(data[name]) for name in data.files}
    run = {"onnxruntime": run_onnxruntime, "litert": run_litert}[runtime]
    np.save(out, np.asarray(run(model, inputs, int(steps))))


if __name__ == "__main__":
    main()
