#!/bin/sh
# usage: kernel_symbols.sh NM OBJECT...
# Fails when a kernel object exports a weak symbol, or anything but exactly one strong one.
nm=$1
shift
for object in "$@"; do
  "$nm" --defined-only "$object" | awk -v object="$object" '
    $2 ~ /^[WVu]$/ { weak = 1; print object ": weak " $3 }
    $2 ~ /^[A-Z]$/ && $2 !~ /^[WV]$/ { strong++ }
    END { if (strong != 1) print object ": " strong + 0 " exported symbols; it must be 1"
          exit (weak || strong != 1) }' || exit 1
done
