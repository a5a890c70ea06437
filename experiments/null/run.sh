#!/usr/bin/env bash
# A whole session in which nothing can be won: N candidates (200) that change a note and nothing that runs, on a real
# bench of some tens of milliseconds. Whatever is kept is kept by mistake; exits 1 when something is.
#   experiments/null/run.sh [N] [METRIC]     METRIC: auto.wall_s (default), auto.cpu_s
set -euo pipefail
count="${1:-200}"
metric="${2:-auto.wall_s}"
program="${AUTORESEARCH:-$(cd "$(dirname "$0")/../.." && pwd)/target/release/autoresearch}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder/home" XDG_CACHE_HOME="$folder/cache" GIT_CONFIG_GLOBAL=/dev/null
mkdir -p home project/candidates
cd project
git init -q -b main
git config user.name null
git config user.email null@example.invalid
cat > autoresearch.config.json <<EOF
{
  "name": "null",
  "bench": { "command": "./bench.sh" },
  "metrics": { "primary": { "name": "$metric" } },
  "candidates": [{ "patches": "candidates" }],
  "stop": { "maxIterations": $count }
}
EOF
cat > bench.sh <<'EOF'
#!/bin/sh
exec awk 'BEGIN { for (i = 0; i < 300000; i++) sum += (i * 7919) % 104729; print sum }'
EOF
chmod +x bench.sh
printf 'nothing\n' > note
git add -A
git commit -q -m 'a bench and a note'
for number in $(seq 1 "$count"); do
  cat > "candidates/$(printf '%04d' "$number").patch" <<EOF
--- a/note
+++ b/note
@@ -1 +1 @@
-nothing
+nothing, $number
EOF
done
"$program" run > run.log 2>&1 || { tail -5 run.log; exit 1; }
"$program" log --json > log.json
kept="$(git rev-list --count main..autoresearch/null)"
"$program" status
printf '%s of %s candidates that change nothing were kept\n' "$kept" "$count"
[ "$kept" -eq 0 ]
