#!/usr/bin/env bash
# The records levin32_blind.* and bsds_blind.* of experiments/schuler2016/results/small. levin09 and bsds500 lie under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a record is not run twice. Remove a record to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_blind.sh FOLDER}}"
BLURLAB="${BIN:+$BIN/}python -m blurlab"
KEPT=experiments/schuler2016/results/small

for experiment in levin32_blind bsds_blind; do
  for deconvolver in tv hyper_laplacian epll; do
    [ -f "$KEPT/$experiment.blind.$deconvolver.json" ] ||
      $BLURLAB +experiment=$experiment budget=small run.keep=true deconvolver=$deconvolver
  done
  for pipeline in union quotient quotient17; do # with the network, and the network alone
    [ -f "$KEPT/$experiment.$pipeline.tv.json" ] ||
      $BLURLAB +experiment=$experiment budget=small run.keep=true deconvolver=tv pipeline=$pipeline run.variant=$pipeline.tv
  done
done
[ -f "$KEPT/levin32_blind.size27.json" ] ||
  $BLURLAB +experiment=levin32_blind budget=small run.keep=true deconvolver=tv pipeline.size=27 run.variant=size27
$BLURLAB report
