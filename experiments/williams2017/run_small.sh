#!/usr/bin/env bash
# Every record of experiments/williams2017/results. DRIVE and CHASE_DB1 lie under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a record is not run twice. Remove a record to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_small.sh FOLDER}}"
PYTHON="${BIN:+$BIN/}python"
BLURLAB="$PYTHON -m blurlab"
RESULTS=experiments/williams2017/results
KEPT=$RESULTS/small
common=(budget=small run.keep=true)

once() { # once RECORD WORDS...: make the record unless it is there
  local record="$1"; shift
  [ -f "$KEPT/$record.json" ] || $BLURLAB "$@" "${common[@]}"
}

whole() { # whole EXPERIMENT NAME WORDS...: the paper's own method at 128x128, trained on drawn photographs, tested on
  # drawn and on real ones
  local experiment="$1" name="$2" run; shift 2
  run="${BLURLAB_RUNS:-runs}/paper128/$experiment$name"
  local words=("+experiment=$experiment" "$@" budget=paper128 dataset.size=128 head=lenet head.standardise=true
    stage=classify trainer.precision=bf16-mixed +optimizer.factory.fused=true run.keep=true)
  [ -f "$RESULTS/paper128/$experiment.paper128.drawn$name.json" ] || $BLURLAB "${words[@]}" dataset=fundus_synthetic \
    "run.variant=paper128.drawn$name" "hydra.run.dir=$run"
  [ -f "$RESULTS/paper128/$experiment.paper128.real$name.json" ] || $BLURLAB "${words[@]}" \
    dataset=synthetic_to_drive_chase "run.variant=paper128.real$name" stage.train=null "stage.classify.run=$run" \
    budget.draws_test=60
}

hier=(+experiment=messidor_hier)
taps=(+experiment=messidor_strength5 budget.epochs=10) # a few taps are told apart long before the sixteenth epoch
binary=(+experiment=messidor_binary budget.epochs=4 budget.draws_restore=1 budget.draws_test=30)

# DRIVE + CHASE_DB1, test quarter never seen
once messidor_hier.drive_chase "${hier[@]}" dataset=drive_chase
once messidor_hier.drive_chase.sigma0.002 "${hier[@]}" dataset=drive_chase noise.sigma=0.002 \
  run.variant=drive_chase.sigma0.002
once messidor_strength5.drive_chase.sigma0.004 "${taps[@]}" dataset=drive_chase noise.sigma=0.004
once messidor_strength5.drive_chase.sigma0.002 "${taps[@]}" dataset=drive_chase noise.sigma=0.002
once messidor_strength5.drive_chase.sigma0.01 "${taps[@]}" dataset=drive_chase noise.sigma=0.01
for n in 20 10 3; do
  once messidor_binary.drive_chase.taps$n "${binary[@]}" dataset=drive_chase blur.taps=$n
done
# the paper's network beside it, by the paper's SGD and by AdamW, on trainings far shorter than the paper's
lenet=("${hier[@]}" dataset=drive_chase head=lenet budget.epochs=5 budget.steps_per_epoch=400 budget.batch_size=16
  budget.draws_val=6 budget.draws_test=30 budget.draws_restore=2 budget.risk_photos=1)
once messidor_hier.drive_chase.lenet "${lenet[@]}" run.variant=drive_chase.lenet
once messidor_hier.drive_chase.lenet_adamw "${lenet[@]}" run.variant=drive_chase.lenet_adamw \
  optimizer=adamw optimizer.factory.lr=0.0003
# the paper's own method: whole images, each degraded once in each class, SGD to the plateau
whole messidor_hier "" pipeline.weak_share=0
whole messidor_binary .taps3 blur.taps=3 blur.size=11
whole messidor_binary .taps10 blur.taps=10 blur.size=11 budget.epochs=4
whole messidor_strength5 ""
$PYTHON experiments/williams2017/learning.py --half # what decides whether that learning rate learns
$PYTHON experiments/williams2017/learning.py --small # the same, and more variants, on smaller images
# five seeds of the smallest run, a record each, and the table over them
compgen -G "$RESULTS/smoke/seeds/messidor_binary.*taps3*.json" > /dev/null ||
  $BLURLAB +experiment=messidor_binary blur.taps=3 budget=smoke seeds=5 run.keep=true
# no network: the spectral likelihood on the same photographs
once messidor_hier.drive_chase.likelihood "${hier[@]}" dataset=drive_chase pipeline=likelihood \
  run.variant=drive_chase.likelihood budget.draws_test=30
# trained on one camera, tested on the other, and tried on other conditions
for cameras in drive_to_chase chase_to_drive; do
  other=("${hier[@]}" dataset=$cameras pipeline=regression stage=robust
    budget.draws_test=24 budget.draws_restore=2 budget.draws_robust=6)
  once messidor_hier.$cameras.compact_varied "${other[@]}" augment=varied run.variant=$cameras.compact_varied
  once messidor_hier.$cameras.compact "${other[@]}" run.variant=$cameras.compact
  once messidor_hier.$cameras.lenet "${hier[@]}" dataset=$cameras pipeline=regression head=lenet optimizer=adamw \
    optimizer.factory.lr=.0003 budget.epochs=4 budget.draws_val=8 budget.draws_test=12 budget.draws_restore=1 \
    run.variant=$cameras.lenet
done
# trained on drawn photographs only, tested on the same real ones as above
once messidor_hier.synthetic_to_drive_chase "${hier[@]}" dataset=synthetic_to_drive_chase budget.draws_restore=4
# every deconvolver on the same items, true kernel and the likelihood's
for file in conf/deconvolver/*.yaml; do
  name="$(basename "$file" .yaml)"
  once restoration.drive_chase."$name" +experiment=restoration dataset=drive_chase deconvolver="$name" \
    budget.draws_restore=4
done
$BLURLAB report
