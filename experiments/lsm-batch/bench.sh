#!/usr/bin/env bash
# Runs the built benchmark once, with the size that the file `profile` names.
set -eu
cd "$(dirname "$0")"
./workload/target/release/bench "$(cat profile)"
