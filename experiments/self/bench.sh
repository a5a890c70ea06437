#!/usr/bin/env bash
# Folds a large generated journal, as `log`, `status` and `resume` do, and prints what that cost.
set -euo pipefail
journal="${TMPDIR:-/tmp}/self-journal.jsonl"
program="${CARGO_TARGET_DIR:-target}/release/examples/fold_journal"
trap 'rm -f "$journal"' EXIT
"$program" generate "$journal" 2000
"$program" fold "$journal"
