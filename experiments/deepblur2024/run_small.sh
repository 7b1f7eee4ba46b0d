#!/usr/bin/env bash
# Every record of experiments/deepblur2024/results/small. bsds500 and microscopy lie under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a record is not run twice. Remove a record to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_small.sh FOLDER}}"
BLURLAB="${BIN:+$BIN/}python -m blurlab"
RESULTS=experiments/deepblur2024/results/small

run() { # name of the record, words
  [ -f "$RESULTS/$1.json" ] || $BLURLAB +experiment=zernike budget=small run.keep=true "${@:2}"
}

for sigma in 0.001 0.01 0.05 0.24; do
  run "zernike.sigma$sigma" noise.sigma=$sigma dataset.test_source.count=24
done
for sigma in 0.01 0.001 0.05 0.24; do
  run "zernike.microscopy.sigma$sigma" noise.sigma=$sigma dataset=microscopy dataset.size=286 \
    dataset.test_source.least_side=316 budget.draws_test=4 run.variant=microscopy.sigma$sigma
done
if [ -n "${RESNET:-}" ]; then # weights that take_network.py wrote
  for sigma in 0.001 0.01 0.05 0.24; do
    run "zernike.resnet18.sigma$sigma" noise.sigma=$sigma dataset.test_source.count=24 pipeline=aberrations_alone \
      pipeline.weights="$(realpath "$RESNET")" run.variant=resnet18.sigma$sigma
  done
fi
for sigma in 0.01 0.05; do
  for deconvolver in wiener tv unrolled_dr; do
    variant=zernike.$deconvolver.sigma$sigma
    [ -f "$RESULTS/restoration.$variant.json" ] || $BLURLAB +experiment=restoration run.paper=deepblur2024 run.variant=$variant \
      budget=small run.keep=true dataset=bsds500_test dataset.size=288 dataset.test_source.count=24 \
        blur=zernike pipeline=aberrations_network \
      noise=gaussian noise.sigma=$sigma deconvolver=$deconvolver budget.draws_restore=1
  done
done
${BIN:+$BIN/}python experiments/deepblur2024/space_varying.py "$BLURLAB_DATA" --name bsds --draws 1 --count 16
${BIN:+$BIN/}python experiments/deepblur2024/space_varying.py "$BLURLAB_DATA"
$BLURLAB report
