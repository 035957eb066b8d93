"""Units of measurement as people write them, and conversion between those of one dimension.

A value in the dimension's base is ``scale * value + offset``. Units of time are left out: a task states
span and interval in them, which :mod:`geng_cog.stated` reads.
"""

from __future__ import annotations

import functools
import re

from geng_cog.durations import UNITS as TIMES
from geng_cog.knowledge import kinds

#: Of each dimension the scale and the offset of its units.
_DIMENSIONS: tuple[dict[str, tuple[float, float]], ...] = (
    {"degC": (1.0, 0.0), "degF": (5.0 / 9.0, -160.0 / 9.0), "K": (1.0, -273.15)},
    {
        unit: (scale, 0.0)
        for unit, scale in {
            "Pa": 1.0, "hPa": 1e2, "mbar": 1e2, "kPa": 1e3, "MPa": 1e6, "bar": 1e5,
            "mmHg": 133.322387, "psi": 6894.757293, "inHg": 3386.389, "atm": 101325.0,
        }.items()
    },
    {
        unit: (scale, 0.0)
        for unit, scale in {
            "m/s": 1.0, "km/h": 1.0 / 3.6, "mm/s": 1e-3, "mph": 0.44704, "kn": 1852.0 / 3600.0,
        }.items()
    },
    {
        unit: (scale, 0.0)
        for unit, scale in {
            "L/min": 1.0, "L/s": 60.0, "L/h": 1.0 / 60.0, "mL/min": 1e-3, "mL/h": 1e-3 / 60.0,
            "m3/h": 1e3 / 60.0, "m3/s": 6e4,
        }.items()
    },
    {"W": (1.0, 0.0), "mW": (1e-3, 0.0), "kW": (1e3, 0.0), "MW": (1e6, 0.0), "GW": (1e9, 0.0)},
    {"V": (1.0, 0.0), "uV": (1e-6, 0.0), "mV": (1e-3, 0.0), "kV": (1e3, 0.0)},
    {"A": (1.0, 0.0), "mA": (1e-3, 0.0), "kA": (1e3, 0.0)},
    {
        "m": (1.0, 0.0), "um": (1e-6, 0.0), "mm": (1e-3, 0.0), "cm": (1e-2, 0.0), "km": (1e3, 0.0),
        "ft": (0.3048, 0.0),
    },
    {"g": (9.80665, 0.0), "m/s2": (1.0, 0.0)},
    {"kg": (1.0, 0.0), "t": (1e3, 0.0), "mg": (1e-6, 0.0)},
    {"kN": (1.0, 0.0), "N": (1e-3, 0.0)},
    {"Hz": (1.0, 0.0), "mHz": (1e-3, 0.0), "kHz": (1e3, 0.0)},
    {"Mbit/s": (1.0, 0.0), "kbit/s": (1e-3, 0.0), "Gbit/s": (1e3, 0.0), "MB/s": (8.0, 0.0)},
    {"ppm": (1.0, 0.0), "ppb": (1e-3, 0.0)},
    {"ug/m3": (1.0, 0.0), "mg/m3": (1e3, 0.0)},
    {"mg/L": (1.0, 0.0), "ug/L": (1e-3, 0.0), "g/L": (1e3, 0.0)},
)  # fmt: skip
_SAID = {
    "degC": ("°C", "C", "deg C", "degrees C", "degree C", "celsius", "degrees celsius", "degree celsius"),
    "degF": ("°F", "F", "deg F", "degrees F", "fahrenheit", "degrees fahrenheit", "degree fahrenheit"),
    "K": ("kelvin",),
    "%": ("percent", "per cent", "%RH", "% RH", "%rH"),
    "m/s2": ("m/s²", "m/s^2"),
    "m3/h": ("m³/h",),
    "m3/s": ("m³/s",),
    "ug/m3": ("µg/m³", "μg/m³", "µg/m3", "ug/m³", "μg/m3"),
    "mg/m3": ("mg/m³",),
    "W/m2": ("W/m²", "W/m^2"),
    "lx": ("lux",),
    "dB": ("dBA", "dB(A)", "decibel", "decibels"),
    "bpm": ("beats per minute", "beats/min"),
    "breaths/min": ("breaths per minute",),
    "kn": ("knots", "knot", "kt"),
    "km/h": ("kmh", "kph"),
    "L/min": ("l/min", "litres per minute", "liters per minute"),
    "um": ("µm", "μm"),
    "uV": ("µV", "μV"),
    "bar": ("bars",),
    "V": ("volt", "volts"),
    "A": ("amps", "ampere", "amperes"),
    "W": ("watt", "watts"),
    "kW": ("kilowatts", "kilowatt"),
    "m": ("metres", "meters", "metre", "meter"),
}  # fmt: skip
#: "20 to 25 degrees" are of temperature or of an angle, as the quantity is.
DEGREES = ("degC", "deg")
#: Names that are longer are words, in small letters or not.
_SHORT = 5
_DEGREES_SAID = ("degrees", "degree", "deg", "°")


@functools.cache
def _names() -> dict[str, tuple[str, ...]]:
    """Every way to write a unit, and the units that it may mean."""
    known = {kind.unit for kind in kinds().values()}.union(*_DIMENSIONS) - {"", *TIMES}
    found: dict[str, tuple[str, ...]] = {unit: (unit,) for unit in known}
    for unit, said in _SAID.items():
        found.update(dict.fromkeys(said, (unit,)))
    found.update(dict.fromkeys(_DEGREES_SAID, DEGREES))
    # MW is no mW: small letters stand for the others only where that is not ambiguous.
    for name in list(found):
        small = name.lower()
        alike = {units for other, units in found.items() if other.lower() == small}
        if len(small) > 1 and len(alike) == 1:
            found.setdefault(small, found[name])
    return found


@functools.cache
def pattern() -> re.Pattern[str]:
    """A unit where it stands alone, as any of its names."""
    names = sorted(_names(), key=len, reverse=True)
    told = "|".join(f"(?i:{re.escape(n)})" if len(n) > _SHORT else re.escape(n) for n in names)
    return re.compile(rf"(?:{told})(?![\w/²³^])")


def meant(name: str) -> tuple[str, ...]:
    """The units that a name may mean; empty where it is none that is known."""
    return _names().get(name) or _names().get(name.lower(), ())


def converted(value: float, unit: str, into: str) -> float | None:
    """``value`` of ``unit`` in another one; None where there is no way from one to the other."""
    if unit == into:
        return value
    for dimension in _DIMENSIONS:
        if unit in dimension and into in dimension:
            (scale, offset), (size, shift) = dimension[unit], dimension[into]
            return (scale * value + offset - shift) / size
    return None
