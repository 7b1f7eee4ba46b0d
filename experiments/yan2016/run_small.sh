#!/usr/bin/env bash
# Every record of experiments/yan2016/results/small. bsds500 and imagenet_samples lie under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a record is not run twice. Remove a record to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_small.sh FOLDER}}"
BLURLAB="${BIN:+$BIN/}python -m blurlab"
KEPT=experiments/yan2016/results/small

once() { # once VARIANT WORDS...: make the record unless it is there
  local variant="$1"; shift
  [ -f "$KEPT/yan2016.$variant.json" ] || $BLURLAB +experiment=yan2016 budget=small run.keep=true run.variant="$variant" "$@"
}

# 32x32, the paper's size: 30 patches of each of 200 Berkeley photographs, 6,000 in all; networks trained on patches of other ones
small=(dataset.size=32 dataset.cut=anywhere budget.batch_size=256 budget.epochs=12 budget.steps_per_epoch=100
  budget.draws_val=12 budget.draws_test=30 budget.draws_restore=3 budget.patterns=12000)
once compact_refined.size32.bsnr40 "${small[@]}" pipeline=regression_refined head=compact_tapers budget.epochs=24
once dbn_grnn.size32.bsnr40 "${small[@]}" pipeline=grnn head=dbn budget.pretrain_epochs=4
once dbn_control_grnn.size32.bsnr40 "${small[@]}" pipeline=grnn head=dbn budget.pretrain_epochs=0
once resnet.size32.bsnr40 "${small[@]}" pipeline=regression head=resnet head.widen=.25 head.window=32 head.hop=16
once compact.size32.bsnr40 "${small[@]}" pipeline=regression head=compact head.window=32 head.hop=16
once lenet.size32.bsnr40 "${small[@]}" pipeline=regression head=lenet head.input_size=32 \
  optimizer=adamw optimizer.factory.lr=.0003
once likelihood.size32.bsnr40 "${small[@]}" pipeline=likelihood budget.draws_test=10 budget.draws_restore=1

# larger patches: the centre of each photograph, blurred three times
large=(budget.draws_val=8 budget.draws_test=3 budget.draws_restore=1)
head=(pipeline=regression_refined head=compact_tapers head.window=64 head.hop=32 budget.epochs=30)
once compact_refined.size64.bsnr40 "${large[@]}" "${head[@]}" dataset.size=64
# calibrated on the photographs of Berkeley that are not tested on
once compact_refined.size128.bsnr40 "${large[@]}" "${head[@]}" dataset.size=128 dataset=imagenet_to_bsds500_own \
  budget.draws_val=3

# nothing trained: the centre of each photograph
for kind in "128 40" "128 30" "128 20" "64 40"; do
  read -r size bsnr <<< "$kind"
  once likelihood.size$size.bsnr$bsnr dataset.size=$size noise.bsnr_db=$bsnr budget.draws_test=3 budget.draws_restore=1
done
once likelihood.size256.bsnr40 dataset.size=256 budget.draws_test=1 budget.draws_restore=1
$BLURLAB report
