#!/usr/bin/env bash
# A Slurm cluster of this machine alone, for tests and measurements: `slurm_node.sh start FOLDER`, `... stop FOLDER`.
# Needs Debian's slurm-wlm and munge, and root. Everything lies in FOLDER; `start` prints the line that points commands
# to it (SLURM_CONF), and `stop` ends the processes that `start` started, by their ids.
set -euo pipefail
what=${1:?start or stop}
folder=$(realpath -m "${2:?a folder}")
conf=$folder/slurm.conf

ended() { # wait until the process of a pid file has ended
    local pid
    [ -f "$1" ] && pid=$(cat "$1") || return 0
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
}

start() {
    for program in munged slurmctld slurmd sbatch srun; do
        command -v "$program" >/dev/null || PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
            { echo "slurm_node.sh needs $program: apt-get install slurm-wlm munge" >&2; exit 3; }
    done
    [ "$(id -u)" = 0 ] || { echo "slurm_node.sh needs root" >&2; exit 3; }
    export PATH=$PATH:/usr/sbin:/sbin
    mkdir -p "$folder"/{state,spool,munge}
    chmod 700 "$folder/munge"; chmod 755 "$folder"
    head -c 64 /dev/urandom > "$folder/munge/key"; chmod 600 "$folder/munge/key"
    mkdir -p "$folder/socket"; chmod 755 "$folder/socket"
    munged --force --key-file="$folder/munge/key" --socket="$folder/socket/munge" --pid-file="$folder/munge/pid" \
        --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
    local host cores ports
    host=$(hostname -s); cores=$(nproc)
    ports=$((20000 + RANDOM % 20000))
    cat > "$conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ports
SlurmdPort=$((ports + 1))
AuthType=auth/munge
AuthInfo=socket=$folder/socket/munge
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,batch_sched_delay=0
MinJobAge=600
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cores State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF=$conf
    slurmctld -f "$conf"
    slurmd -f "$conf" -N "$host"
    for _ in $(seq 150); do
        if sinfo -h -o %T 2>/dev/null | grep -Eq '^(idle|mixed|allocated)'; then
            echo "SLURM_CONF=$conf"
            return
        fi
        sleep 0.2
    done
    tail -n 5 "$folder"/*.log >&2
    stop
    echo "slurm_node.sh: the node did not come up; its logs stand above" >&2
    exit 3
}

stop() {
    export SLURM_CONF=$conf
    if [ -f "$folder/slurmctld.pid" ]; then # jobs would outlive the node
        timeout 10 scancel --user="$(id -un)" 2>/dev/null || true
        for _ in $(seq 50); do [ -z "$(timeout 5 squeue -h 2>/dev/null)" ] && break; sleep 0.2; done
    fi
    for pid in "$folder/slurmd.pid" "$folder/slurmctld.pid" "$folder/munge/pid"; do ended "$pid"; done
}

case $what in start) start ;; stop) stop ;; *) echo "start or stop, got $what" >&2; exit 2 ;; esac
