#!/usr/bin/env bash
# Judges a kept candidate apart from its session: prints its gain in percent as built, at a place of its own, then at LAYOUTS
# random layouts that are the same for both arms, and whether both retire the same number of instructions.
#   judge.sh BASELINE CANDIDATE LAYOUTS      folders with the two sources
set -euo pipefail
baseline="$(cd "$1" && pwd)" candidate="$(cd "$2" && pwd)" layouts="$3"
pairs="${PAIRS:-9}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

value() { (cd "$1" && ./program) | sed -n 's/^METRIC round_ms=//p'; }

# Prints the median gain of some pairs, in percent.
gain() {
  for pair in $(seq 1 "$pairs"); do
    if [ $((pair % 2)) = 0 ]; then b="$(value "$work/b")"; c="$(value "$work/c")"; else c="$(value "$work/c")"; b="$(value "$work/b")"; fi
    echo "$b $c"
  done | awk '{ printf "%.4f\n", 100 * log($1 / $2) }' | sort -g | awk '{ d[NR] = $1 } END { printf "%.2f ", d[int((NR + 1) / 2)] }'
}

lay() {
  rm -rf "$work/b" "$work/c"
  cp -r "$baseline" "$work/b"
  cp -r "$candidate" "$work/c"
}

build() { (cd "$work/b" && ./build.sh) && (cd "$work/c" && ./build.sh); }

instructions() { (cd "$1" && valgrind --tool=none --log-file=/dev/null true 2>/dev/null && valgrind --tool=callgrind --callgrind-out-file=/dev/null ./program 2>&1) | sed -n 's/.*refs: *//p' | tr -d ,; }

lay
build
gain
if [ "${COUNT_INSTRUCTIONS:-}" ]; then
  awk -v b="$(instructions "$work/b")" -v c="$(instructions "$work/c")" 'BEGIN { printf "(instructions %+.2f %%) ", 100 * (c - b) / b }'
fi
seed="$(cat "$candidate"/*.c | cksum | cut -d ' ' -f 1)"
for layout in $(seq 1 "$layouts"); do
  lay
  RANDOM="$((seed % 30000 + layout))"
  # Before each kernel come as many bytes again, other ones in each layout.
  for place in 19 29 39 49 59 69 79; do
    line="__asm__(\".text\\n.skip $((RANDOM % 256 * 16)), 0x90\");"
    printf '%s\n' "$line" | tee "$work/b/$place-layout.c" > "$work/c/$place-layout.c"
  done
  build 2> /dev/null
  gain
done
echo
