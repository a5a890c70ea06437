#!/usr/bin/env bash
# Folds a large generated journal, as `log`, `status` and `resume` do, and prints what that cost.
set -euo pipefail
journal="${TMPDIR:-/tmp}/self-journal.jsonl"
trap 'rm -f "$journal"' EXIT
target/release/examples/fold_journal generate "$journal" 2000
target/release/examples/fold_journal fold "$journal"
