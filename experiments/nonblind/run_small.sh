#!/usr/bin/env bash
# Every record of experiments/nonblind/results/small. levin09 and bsds500 lie under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a record is not run twice. Remove a record to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_small.sh FOLDER}}"
BLURLAB="${BIN:+$BIN/}python -m blurlab"
KEPT=experiments/nonblind/results/small

once() { # once EXPERIMENT VARIANT WORDS...: make the record unless it is there
  local experiment="$1" variant="$2"; shift 2
  [ -f "$KEPT/$experiment.$variant.json" ] ||
    $BLURLAB +experiment=$experiment budget=small run.keep=true run.variant="$variant" "$@"
}

# kernel known, nothing tuned per image: every deconvolver with its defaults
for file in conf/deconvolver/*.yaml; do
  name="$(basename "$file" .yaml)"
  once levin32 "$name" deconvolver="$name"
  once bsds_levin "$name" deconvolver="$name"
  once levin_synthetic "$name" deconvolver="$name"
done
# the average over turned and reflected images
once levin32 unrolled_dr.views8 deconvolver=unrolled_dr deconvolver.views=8
once bsds_levin unrolled_dr.views8 deconvolver=unrolled_dr deconvolver.views=8
once levin_synthetic unrolled_dr.views8 deconvolver=unrolled_dr deconvolver.views=8
# the authors' MATLAB files in the place of the PNG files
for name in tv unrolled_dr; do
  once levin32 "$name.mat" deconvolver="$name" dataset=levin09_mat blur=levin_mat
  once levin_synthetic "$name.mat" deconvolver="$name" dataset=levin09_mat blur=levin_mat dataset.size=229
done
# other borders beside the default
once bsds_levin wiener.padded deconvolver=wiener deconvolver.boundary=padded
once levin32 wiener.padded deconvolver=wiener deconvolver.boundary=padded
for border in circular edgetaper liu_jia; do
  once bsds_levin tv."$border" deconvolver=tv deconvolver.boundary="$border"
done
# which kernels of Levin et al. are stored turned
[ -f experiments/nonblind/results/orientation.json ] ||
  "${BIN:+$BIN/}python" experiments/nonblind/orientation.py "$BLURLAB_DATA" > experiments/nonblind/results/orientation.json
# what those kernels do not explain, and what is assumed of that
for script in unexplained kernel_error; do
  [ -f experiments/nonblind/results/$script.json ] ||
    "${BIN:+$BIN/}python" experiments/nonblind/$script.py "$BLURLAB_DATA"
done
$BLURLAB report
