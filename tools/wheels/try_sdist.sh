#!/bin/sh
# try_sdist.sh SDIST PYTHON: install an sdist as piwheels would, with the distribution's compiler and no network,
# and let it draw the golden series of this machine. PYTHON has the build tools of requirements/build.txt.
set -eu
sdist=$1 python=$2 site=build/try_sdist/site
rm -rf "$site"
# A proxy that nobody is at: what asks the network fails.
https_proxy=http://127.0.0.1:9 http_proxy=http://127.0.0.1:9 "$python" -m pip install -qq --no-index --no-deps \
  --no-build-isolation --disable-pip-version-check --target "$site" -Cbuild-dir=build/try_sdist/objects "$sdist"
test -z "$(find "$site" -name '*.gguf')" || { echo "the sdist holds a model; geng-edge-model does" >&2; exit 1; }
PYTHONPATH="$site:tests" "$python" -P tests/support/make_golden_series.py >build/try_sdist/golden.txt ||
  { cat build/try_sdist/golden.txt; exit 1; }
echo "sdist: built without a network; $(wc -l <build/try_sdist/golden.txt) golden series by their bytes"
