# What setup.sh, run.sh and test.sh share: where things are, how to speak, and whether the set-up
# still holds. POSIX sh; read by the others with ".", after `root` is set.
#
#   PATHOVIEW_VENV     another folder than .venv
#   PATHOVIEW_WHEELS   a folder of wheels: install from it alone, without a network
#   PATHOVIEW_TORCH    "cpu" or "cuda": take this build of torch, whatever the machine looks like

venv=${PATHOVIEW_VENV:-$root/.venv}
case $venv in /*) ;; *) venv=$PWD/$venv ;; esac
python=$venv/bin/python
state=$venv/pathoview-setup # our notes: what is ready, what was interrupted, and the log
# shellcheck disable=SC2034 # used by setup.sh
log=$state/setup.log

# A user's settings for another Python would lead ours astray.
unset PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "PathoView: $1"
    shift
    for line in "$@"; do say "  $line"; done
    exit 1
}

has_display() {
    [ "$(uname -s)" = Darwin ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]
}

# Each step holds what the ones before it hold: 1 work without a window, 2 the window, 3 the tests.
wanted_step() {
    if [ "${1:-}" = --dev ]; then
        echo 3
    elif has_display; then
        echo 2
    else
        echo 1
    fi
}

# What the set-up depends on; when any of it changes, setting up starts again.
fingerprint() {
    driver=none
    [ -e /proc/driver/nvidia/version ] && driver=nvidia
    printf '%s %s %s %s' \
        "$(cat "$root/pyproject.toml" "$root/installer/common.sh" "$root/installer/setup.sh" | cksum)" \
        "$("$python" -I -S -c 'import sys; print(sys.version.split()[0])' 2>/dev/null)" \
        "$driver" "$root"
}

# Quick (a few hundredths of a second), because every start asks.
is_ready() {
    [ -x "$python" ] && [ -f "$state/ready" ] && [ ! -e "$state/unfinished" ] || return 1
    { read -r ready_step && read -r ready_fingerprint; } <"$state/ready" || return 1
    [ "$ready_step" -ge "$1" ] && [ "$ready_fingerprint" = "$(fingerprint)" ]
}
