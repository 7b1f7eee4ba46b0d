#!/usr/bin/env bash
# The record of the network's training and both tables. imagenet_samples lies under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a result is not made twice. Remove a result to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_small.sh FOLDER}}"
PYTHON="${BIN:+$BIN/}python"
HERE=experiments/gilbert2019

[ -f $HERE/results/small/gilbert2019.corrected.json ] ||
  "$PYTHON" -m blurlab +experiment=gilbert2019 budget=small run.keep=true
[ -f $HERE/results/as_coded.json ] || "$PYTHON" $HERE/as_coded.py "$BLURLAB_DATA"
# with the weights that come with the package; --weights FILE for those of another training
[ -f $HERE/results/corrected.json ] || "$PYTHON" $HERE/corrected.py "$BLURLAB_DATA" --count 24 --val 12
"$PYTHON" -m blurlab report
