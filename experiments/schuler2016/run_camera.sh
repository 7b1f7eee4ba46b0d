#!/usr/bin/env bash
# The records of camera-simulated photographs in experiments/schuler2016/results/small. bsds500 lies under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a record is not run twice. Remove a record to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_camera.sh FOLDER}}"
BLURLAB="${BIN:+$BIN/}python -m blurlab"

for experiment in camera_bsds camera_single; do
  [ -f "experiments/schuler2016/results/small/$experiment.likelihood.json" ] ||
    $BLURLAB "+experiment=$experiment" budget=small run.keep=true
done
[ -f experiments/schuler2016/results/small/camera_bsds.photograph.json ] ||
  $BLURLAB +experiment=camera_bsds pipeline=photograph pipeline.weights=photograph deconvolver=in_light run.variant=photograph \
    budget=small run.keep=true
for seed in 1 2; do # other blurs and noise of the same photographs
  [ -f "experiments/schuler2016/results/small/camera_bsds.photograph.seed$seed.json" ] ||
    $BLURLAB +experiment=camera_bsds pipeline=photograph pipeline.weights=photograph deconvolver=in_light run.variant=photograph \
      run.seed=$seed budget=small run.keep=true
done
[ -f experiments/schuler2016/results/small/camera_bsds.photograph.odd_shake.json ] ||
  $BLURLAB +experiment=camera_bsds pipeline=photograph pipeline.weights=photograph deconvolver=in_light \
    run.variant=photograph.odd_shake blur.members.shake._target_=blurlab.blur.OddShake 'blur.members.shake.length_px=[20,72]' \
    blur.members.shake.size=null 'blur.weights=[0,0,0,0,1]' dataset.test_source.count=40 budget=small run.keep=true

# Photographs of the back of the eye (CHASE_DB1 lies under the same folder): the network for them, and that for other photographs.
for seed in 0 1; do
  named=$([ $seed = 0 ] || echo ".seed$seed")
  [ -f "experiments/schuler2016/results/small/camera_fundus.fundus$named.json" ] ||
    $BLURLAB +experiment=camera_fundus run.seed=$seed budget=small run.keep=true
done
[ -f experiments/schuler2016/results/small/camera_fundus.photograph.json ] ||
  $BLURLAB +experiment=camera_fundus pipeline.weights=photograph pipeline.least_px=96 budget=small run.keep=true
