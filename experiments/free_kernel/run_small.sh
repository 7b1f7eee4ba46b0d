#!/usr/bin/env bash
# Every record of experiments/free_kernel/results/small. bsds500 and imagenet_samples lie under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a record is not run twice. Remove a record to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_small.sh FOLDER}}"
BLURLAB="${BIN:+$BIN/}python -m blurlab"

[ -f experiments/free_kernel/results/small/free_kernel.size128.bsnr40.json ] ||
  $BLURLAB +experiment=free_kernel budget=small run.keep=true budget.steps_per_epoch=125
$BLURLAB report
