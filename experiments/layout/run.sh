#!/usr/bin/env bash
# What the confirmation of a keep is worth against the luck of where code lies: SESSIONS scratch sessions, each on a base
# laid out otherwise, of COUNT candidates that only move code or data and three that truly gain 2, 3 and 10 %. Each session is
# run without and with the confirmation, on the same candidates and coins; every win is then judged apart from it.
#   experiments/layout/run.sh [SESSIONS] [COUNT] [MIN_EFFECT] [METRIC] [BENCH]
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
sessions="${1:-6}" count="${2:-20}" min_effect="${3:-0.01}" metric="${4:-round_ms}" bench="${5:-./program}"
program="${AUTORESEARCH:-$(cd "$here/../.." && pwd)/target/release/autoresearch}"
layouts="${LAYOUTS:-5}" first="${FIRST:-1}"
if [ "${WORK:-}" ]; then
  folder="$WORK"
  mkdir -p "$folder"
else
  folder="$(mktemp -d)"
  trap 'rm -rf "$folder"' EXIT
fi
results="$folder/results.tsv"
export HOME="$folder/home" XDG_CACHE_HOME="$folder/cache" GIT_CONFIG_GLOBAL=/dev/null
mkdir -p "$HOME"

make_project() { # FOLDER SEED CONFIRM
  mkdir -p "$1"
  cp "$here"/program/* "$1"
  mkdir "$1/candidates"
  "$here/candidates.sh" "$1/candidates" "$count" "$2"
  RANDOM="$2"
  for place in 18 38 58; do
    printf '__asm__(".text\\n.skip %d, 0x90");\n' "$((16 + RANDOM % 64 * 16))" > "$1/$place-base.c"
  done
  cat > "$1/autoresearch.config.json" <<JSON
{
  "name": "layout",
  "build": { "command": "./build.sh" },
  "bench": { "command": "$bench" },
  "metrics": { "primary": { "name": "$metric", "minEffect": $min_effect } },
  "candidates": [{ "patches": "candidates" }],
  "decision": { "confirm": "$3", "seed": $2 },
  "host": { "maxWaitSeconds": 0 }
}
JSON
  printf '/candidates/\n/program\n*.log\n*.json\n' > "$1/.gitignore"
  (cd "$1" && git init -q -b main && git config user.name layout && git config user.email layout@example.invalid \
    && git add -A && git commit -q -m 'a program and its build')
}

# Prints one line for each win of a session, judged: what wins.jq says, then what judge.sh says.
judged_wins() { # FOLDER
  jq -s -r -f "$here/wins.jq" "$1/.git/autoresearch/layout/journal.jsonl" | while IFS=$'\t' read -r patch base outcome rest; do
    rm -rf "$folder/base" "$folder/with"
    mkdir "$folder/base"
    git -C "$1" archive "$base" | tar -x -C "$folder/base"
    cp -r "$folder/base" "$folder/with"
    (cd "$folder/with" && git init -q && git apply "$1/candidates/$patch" && rm -rf .git)
    printf '%s\t%s\t%s\t%s\n' "$patch" "$outcome" "$rest" "$("$here/judge.sh" "$folder/base" "$folder/with" "$layouts")"
  done
}

# Prints what a session cost: its seconds, and the candidates and bench runs in it.
session_cost() { # FOLDER
  jq -s -r '[(last.at | sub("\\..*"; "Z") | fromdateiso8601) - (.[1].at | sub("\\..*"; "Z") | fromdateiso8601),
    ([.[] | select(.type == "run" and .run > 0)] | length), 2 * ([.[] | select(.type == "pair")] | length)] | @tsv' \
    "$1/.git/autoresearch/layout/journal.jsonl"
}

run_sessions() {
  for session in $numbers; do
    for confirm in off on; do
      project="$folder/$session-$confirm"
      make_project "$project" "$session" "$confirm"
      (cd "$project" && "$program" run > run.log 2>&1) || { tail -5 "$project/run.log"; exit 1; }
      printf 'session\t%s\t%s\t%s\n' "$session" "$confirm" "$(session_cost "$project")" | tee -a "$results"
    done
  done
}

judge_sessions() {
  for session in $numbers; do
    for confirm in off on; do
      judged_wins "$folder/$session-$confirm" | sed "s/^/win\t$session\t$confirm\t/" | tee -a "$results"
    done
  done
  awk -v min_effect="$min_effect" -f "$here/table.awk" "$results"
}

numbers="$(seq "$first" $((first + sessions - 1)))"
case "${STAGE:-both}" in
  sessions) run_sessions ;;
  judge) judge_sessions ;;
  both) run_sessions && judge_sessions ;;
esac
