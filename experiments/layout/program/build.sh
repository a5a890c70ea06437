#!/bin/sh
# Builds the program; the files' names are the link order.
set -eu
cd "$(dirname "$0")"
LC_ALL=C
export LC_ALL
cc -O2 ${LAYOUT_PADS:-} -o program *.c
