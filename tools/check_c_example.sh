#!/bin/sh
# check_c_example.sh BUILD PYTHON: installs the library of BUILD, builds examples/c against it with CMake
# and with pkg-config, and compares what both print with what Python gives.
set -eu
build=$1 python=$2
cmake --install "$build" --prefix build/install >/dev/null
cmake -S examples/c -B build/example -DCMAKE_PREFIX_PATH="$PWD/build/install" >/dev/null
cmake --build build/example >/dev/null
model=tests/data/golden/tiny.gguf latent=tests/data/golden/tiny_condition.npy
build/example/sample $model $latent >build/example/static.csv
if command -v pkg-config >/dev/null; then
  flags=$(PKG_CONFIG_PATH=build/install/lib/pkgconfig pkg-config --cflags --libs geng)
else
  flags="-Ibuild/install/include -Lbuild/install/lib -lgeng"
fi
# shellcheck disable=SC2086
cc examples/c/sample.c $flags -Wl,-rpath,"$PWD/build/install/lib" -o build/example/shared
build/example/shared $model $latent >build/example/shared.csv
cmp build/example/static.csv build/example/shared.csv
"$python" - <<'END'
import numpy as np

from geng_edge import Condition, Generator

generator = Generator.load("tests/data/golden/tiny.gguf")
condition = Condition.load("tests/data/golden/tiny_condition.npy")
series = generator.generate(condition, 2, steps=8, guidance=1.5, seed=7).values
printed = np.loadtxt("build/example/static.csv", delimiter=",", dtype=np.float32)[:, 1:].T
np.testing.assert_array_equal(printed, series)
END
echo "C example: same series from CMake, pkg-config and Python"
