#!/usr/bin/env bash
# Every record of experiments/yan2016/results/small. bsds500 and imagenet_samples lie under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a record is not run twice. Remove a record to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_small.sh FOLDER}}"
BLURLAB="${BIN:+$BIN/}python -m blurlab"
KEPT=experiments/yan2016/results/small

once() { # once SIZE BSNR WORDS...: make the record unless it is there
  local size="$1" bsnr="$2"; shift 2
  [ -f "$KEPT/yan2016.likelihood.size$size.bsnr$bsnr.json" ] || $BLURLAB +experiment=yan2016 budget=small run.keep=true \
    dataset.size="$size" noise.bsnr_db="$bsnr" budget.draws_test=3 budget.draws_restore=1 "$@"
}

once 128 40
once 128 30
once 128 20
once 64 40
# a small network says the kind, trained on patches of imagenet_samples; the likelihood fits its parameters
[ -f "$KEPT/yan2016.compact_refined.size128.bsnr40.json" ] || $BLURLAB +experiment=yan2016 budget=small run.keep=true \
  pipeline=refined run.variant=compact_refined.size128.bsnr40 \
  budget.epochs=32 budget.draws_val=3 budget.draws_test=3 budget.draws_restore=1
$BLURLAB report
