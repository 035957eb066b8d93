# exported_symbols.sh NM LIBRARY: fails when the library exports anything that is not geng_*, or nothing.
"$1" -D --defined-only "$2" | awk '$3 ~ /^geng_/ { ours++; next } { print "exports " $3; bad = 1 } END { exit bad || !ours }'
