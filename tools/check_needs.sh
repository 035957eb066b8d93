#!/bin/sh
# Say in one sentence which Debian packages are missing before anything is built.
# $1: the Python to use. $CXX: the C++ compiler, c++ by default.
python=${1:-python3}
cxx=${CXX:-c++}
missing=

if ! command -v "$python" >/dev/null 2>&1; then
  missing="python3 python3-venv python3-dev"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
  echo "$python is $("$python" -c 'import platform; print(platform.python_version())'); it must be 3.10 or newer (set PYTHON=... to choose another)." >&2
  exit 1
else
  "$python" -c 'import venv, ensurepip' 2>/dev/null || missing="python3-venv"
  "$python" -c 'import os, sysconfig, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
    missing="$missing python3-dev"
fi

if ! command -v "$cxx" >/dev/null 2>&1; then
  missing="$missing g++"
elif ! printf '#include <concepts>\n#include <span>\nconstinit int x = 1;\nint main() { return std::span<int>(&x, 1)[0] - 1; }\n' |
  "$cxx" -std=c++20 -x c++ -fsyntax-only - 2>/dev/null; then
  echo "$cxx cannot compile C++20; it must be g++ 11 or newer, or clang++ 15 or newer (set CXX=... to choose another)." >&2
  exit 1
fi

if [ -n "$missing" ]; then
  echo "Missing on this machine: $(echo $missing); on Debian or Ubuntu run 'sudo apt-get install $(echo $missing)'." >&2
  exit 1
fi
