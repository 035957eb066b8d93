"""Trains, evaluates and writes the model files that geng-edge runs.

``data`` describes and composes series, ``models`` and ``train`` hold the networks and how
they learn, ``evaluate`` measures, ``quantize`` writes the model file and checks it against
the device's own core. Everything here may import torch; nothing here runs on a device.
"""

__version__ = "0.1.0"
