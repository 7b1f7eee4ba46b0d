#!/usr/bin/env bash
# Every record of experiments/williams2017/results/small. DRIVE and CHASE_DB1 lie under $1 (or $BLURLAB_DATA).
# Stopped half-way? Run it again: what has a record is not run twice. Remove a record to have it made anew.
set -euo pipefail
cd "$(dirname "$0")/../.."
export BLURLAB_DATA="${1:-${BLURLAB_DATA:?name the folder of photographs: run_small.sh FOLDER}}"
BLURLAB="${BIN:+$BIN/}python -m blurlab"
KEPT=experiments/williams2017/results/small
common=(budget=small run.keep=true)

once() { # once RECORD WORDS...: make the record unless it is there
  local record="$1"; shift
  [ -f "$KEPT/$record.json" ] || $BLURLAB "$@" "${common[@]}"
}

# DRIVE + CHASE_DB1, test quarter never seen
once messidor_hier.drive_chase +experiment=messidor_hier dataset=drive_chase
once messidor_strength5.drive_chase.sigma0.004 +experiment=messidor_strength5 dataset=drive_chase
for sigma in 0.002 0.01; do
  once "messidor_strength5.drive_chase.sigma$sigma" +experiment=messidor_strength5 dataset=drive_chase noise.sigma=$sigma
done
for taps in 20 10 3; do
  once "messidor_binary.drive_chase.taps$taps" +experiment=messidor_binary dataset=drive_chase blur.taps=$taps
done
# the paper's network beside it
once messidor_hier.drive_chase.lenet +experiment=messidor_hier dataset=drive_chase head=lenet run.variant=drive_chase.lenet
# trained on synthetic photographs only, tested on the same photographs as above
once messidor_hier.synthetic_to_drive_chase +experiment=messidor_hier dataset=synthetic_to_drive_chase
once messidor_strength5.synthetic_to_drive_chase.sigma0.004 +experiment=messidor_strength5 dataset=synthetic_to_drive_chase
$BLURLAB report
