#!/bin/sh
# Make everything ready: Python, system libraries, .venv, torch that fits the machine, PathoView.
#
#   sh installer/setup.sh          to use PathoView
#   sh installer/setup.sh --dev    to test and change it
#
# Safe to run again at any time: it does only what is missing. common.sh names the variables that
# change what it does. Read from the bottom: the order of things stands there.

set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/installer/common.sh"

cpu_torch_index=https://download.pytorch.org/whl/cpu
offline_hint="Without a network: PATHOVIEW_WHEELS=FOLDER installs from a folder of wheels; resources/guide/getting-started.md says how to fill it."

# ---- the machine: Python and system libraries -----------------------------------------------

is_linux() {
    [ "$(uname -s)" = Linux ]
}

# Print the first Python that fits and can make environments.
find_python() {
    for name in python3.11 python3.12 python3.13 python3; do
        found=$(command -v "$name") || continue
        if "$found" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            echo "$found"
            return 0
        fi
    done
    return 1
}

apt_knows() {
    [ -n "$(apt-cache show "$1" 2>/dev/null)" ]
}

# Debian keeps the part of Python that makes environments in a package of its own.
python_packages() {
    for version in 3.11 3.12 3.13; do
        if apt_knows "python$version-venv"; then
            echo "python$version python$version-venv"
            return 0
        fi
    done
    echo "python3 python3-venv"
}

# Ubuntu 24.04 and Debian 13 renamed it.
glib_package() {
    if apt_knows libglib2.0-0t64; then echo libglib2.0-0t64; else echo libglib2.0-0; fi
}

# Print "library package" for each system library that Qt loads to show a window.
qt_libraries() {
    cat <<LIBRARIES
libglib-2.0.so.0 $(glib_package)
libGL.so.1 libgl1
libEGL.so.1 libegl1
libxkbcommon.so.0 libxkbcommon0
libfontconfig.so.1 libfontconfig1
libdbus-1.so.3 libdbus-1-3
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-xkb.so.1 libxcb-xkb1
libxcb-shape.so.0 libxcb-shape0
libxkbcommon-x11.so.0 libxkbcommon-x11-0
LIBRARIES
}

missing_qt_packages() {
    is_linux || return 0
    present=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null) || return 0
    qt_libraries | while read -r library package; do
        case $present in
        *"$library"*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

missing_packages() {
    [ -n "$base_python" ] || printf '%s ' "$(python_packages)"
    [ "$step" -lt 2 ] || missing_qt_packages
    if is_linux && [ "$step" -ge 3 ]; then
        command -v Xvfb >/dev/null || printf 'xvfb '
        command -v xauth >/dev/null || printf 'xauth '
    fi
}

# Print what goes before a command to run it as root; fails where we may not.
root_prefix() {
    command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] || { sudo -n true 2>/dev/null && echo sudo; }
}

apt_get() {
    $prefix env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=120 \
        -o APT::Install-Recommends=false "$@" >>"$log" 2>&1 </dev/null
}

install_system_packages() {
    packages=$(missing_packages)
    if [ -z "$packages" ]; then
        return 0
    elif prefix=$(root_prefix); then
        say "Installing system packages: $packages"
        apt_get update || true # one dead source must not stop us; installing says what is missing
        packages=$(missing_packages) # again: now the names that this system uses are known
        # shellcheck disable=SC2086 # words on purpose
        apt_get install $packages || fail "the system packages could not be installed." \
            "$(grep '^E:' "$log" | tail -n 2)" "Everything apt-get said: $log"
        base_python=${base_python:-$(find_python || true)}
        [ -n "$base_python" ] || fail "apt-get has no Python from 3.11 to 3.13 here." \
            "Install one from https://www.python.org, then start again."
    elif command -v apt-get >/dev/null; then
        fail "system packages are missing, and installing them needs an administrator. Type this, then start again:" \
            "sudo apt-get update && sudo apt-get install $packages"
    elif [ -z "$base_python" ]; then
        fail "Python 3.11, 3.12 or 3.13 (with its venv module) was not found." \
            "Install one, from https://www.python.org or with your system's packages, then start again."
    else
        fail "system libraries of the window are missing." \
            "Install what your system calls these Debian packages, then start again: $packages"
    fi
}

note_what_a_window_needs() {
    [ "$step" -lt 2 ] || return 0
    packages=$(missing_qt_packages)
    [ -z "$packages" ] || say "No display is here. A window would also need: $packages"
}

# ---- the environment ------------------------------------------------------------------------

environment_works() {
    "$python" -c 'import sys, pip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null
}

# Only a folder that we made may be removed: PATHOVIEW_VENV could name anything.
is_ours() {
    [ "$venv" = "$root/.venv" ] || [ -e "$state/ours" ]
}

# One set-up at a time: two at once would spoil the environment.
take_lock() {
    lock=$venv.setting-up
    if ! mkdir -p "$(dirname "$venv")" 2>/dev/null; then
        fail "the folder for $venv cannot be made." "Name another one in PATHOVIEW_VENV."
    fi
    if ! mkdir "$lock" 2>/dev/null; then
        owner=$(cat "$lock/pid" 2>/dev/null || true)
        if [ -n "$owner" ] && kill -0 "$owner" 2>/dev/null; then
            fail "another set-up is at work in $venv." "Wait until it has finished, then start again."
        fi
        [ -d "$lock" ] || fail "$(dirname "$venv") cannot be written to." \
            "Name a folder elsewhere in PATHOVIEW_VENV."
    fi
    echo $$ >"$lock/pid"
    trap 'rm -rf "$lock"' EXIT
    trap 'say "Stopped. Start again to go on."; exit 130' INT TERM HUP
}

# Keep an environment that works; clear away one that an interrupted set-up left half made.
prepare_folder() {
    if environment_works && ! { is_ours && [ -e "$state/unfinished" ]; }; then
        mkdir -p "$state"
        return 0
    fi
    if [ -e "$venv" ] && ! is_ours && [ -n "$(ls -A "$venv")" ]; then
        fail "$venv is there already and is no working Python environment." \
            "Name another folder in PATHOVIEW_VENV, or remove this one yourself."
    fi
    if [ -e "$venv/pyvenv.cfg" ]; then
        say "The environment in $venv is incomplete (a set-up was interrupted); making it anew."
    fi
    rm -rf "$venv"
    mkdir -p "$state"
    : >"$state/ours"
    : >"$state/unfinished"
}

check_disk_space() {
    needed_gb=3
    [ "$torch_build" = cpu ] || needed_gb=9
    free_kb=$(df -Pk "$venv" | awk 'NR == 2 { print $4 }')
    [ "$free_kb" -ge $((needed_gb * 1000000)) ] || fail "the disk of $venv is too full." \
        "About $needed_gb GB are needed, $((free_kb / 1000000)) GB are free. Free some, or name a folder elsewhere in PATHOVIEW_VENV."
}

make_environment() {
    environment_works && return 0
    check_disk_space
    say "Making a Python environment in $venv"
    "$base_python" -m venv "$venv" >>"$log" 2>&1 || fail "the Python environment could not be made." \
        "$(tail -n 1 "$log")" "Everything Python said: $log"
}

# ---- Python packages ------------------------------------------------------------------------

pip_install() {
    [ -z "${PATHOVIEW_WHEELS:-}" ] || set -- --no-index --find-links "$wheels" "$@"
    "$python" -m pip --disable-pip-version-check --no-input install "$@" >>"$log" 2>&1 </dev/null
}

# Say what pip could not install, why, as far as its last words tell, and how to go on.
fail_pip() {
    rm -f "$state/unfinished" # pip ended in good order: what is installed can stay
    case $(tail -n 60 "$log") in
    *"No space left"*) hint="The disk is full: free some room, then start again." ;;
    *CERTIFICATE_VERIFY_FAILED*)
        hint="The network shows a certificate of its own: name its file in PIP_CERT, then start again." ;;
    *"name resolution"* | *NewConnection* | *ProxyError* | *"timed out"* | *"not known"*)
        hint="The package index was not reached: check the network (and HTTPS_PROXY, behind a proxy), then start again." ;;
    *) hint="Start again to try once more." ;;
    esac
    fail "$1 could not be installed." "$(grep -E '(ERROR|Error): ' "$log" | tail -n 1)" "$hint" \
        ${2:+"$2"} "$offline_hint" "Everything pip said: $log"
}

has_nvidia_gpu() {
    [ -n "$(ls -A /proc/driver/nvidia/gpus 2>/dev/null)" ] || nvidia-smi -L 2>/dev/null | grep -q '^GPU'
}

choose_torch_build() {
    torch_build=${PATHOVIEW_TORCH:-cpu}
    case $torch_build in
    cpu | cuda) ;;
    *) fail "PATHOVIEW_TORCH is $torch_build; it can be cpu or cuda." ;;
    esac
    if [ -z "${PATHOVIEW_TORCH:-}" ] && is_linux && has_nvidia_gpu; then torch_build=cuda; fi
}

# Ask pip what it would install for torch, without installing it.
plan_torch() {
    pip_install --quiet --dry-run --report "$state/plan.json" "$torch" || fail_pip PyTorch
}

plan_has() {
    grep -Eq "\"name\": *\"($1)" "$state/plan.json"
}

install_torch() {
    torch=$(sed -n 's/^ *"\(torch[<>=][^"]*\)".*/\1/p' "$root/pyproject.toml")
    if [ "$torch_build" = cuda ]; then remove_cpu_torch; fi
    plan_torch
    plan_has torch || return 0 # the one that is here will do
    if [ "$torch_build" = cuda ]; then
        say "Installing PyTorch for the NVIDIA GPU (several GB; this takes a while)"
        pip_install "$torch" || fail_pip PyTorch
        say_whether_gpu_works
        return 0
    fi
    say "Installing PyTorch for the CPU (about 200 MB)"
    if ! { is_linux && plan_has "nvidia|cuda|triton"; }; then
        pip_install "$torch" || fail_pip PyTorch
    elif [ -n "${PATHOVIEW_WHEELS:-}" ]; then
        fail "$wheels holds only the CUDA build of PyTorch, and no NVIDIA GPU is here." \
            "Add the CPU build (from $cpu_torch_index), or set PATHOVIEW_TORCH=cuda to take this one."
    else
        pip_install --no-deps --index-url "$cpu_torch_index" "$torch" || fail_pip \
            "PyTorch for the CPU (from $cpu_torch_index)" \
            "PATHOVIEW_TORCH=cuda takes the much larger build of the ordinary index; it works without a GPU too."
    fi
}

# A GPU may have been added since.
remove_cpu_torch() {
    case $("$python" -m pip list 2>>"$log") in
    *+cpu*)
        say "An NVIDIA GPU is here now: the CPU build of PyTorch makes room."
        "$python" -m pip uninstall -y torch >>"$log" 2>&1 ;;
    esac
}

say_whether_gpu_works() {
    "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>>"$log" || say \
        "PyTorch cannot use the NVIDIA GPU here (its driver may be too old: see nvidia-smi); PathoView will compute on the CPU."
}

install_packages() {
    : >"$state/unfinished"
    rm -f "$state/ready"
    # An old pip downloads whole packages only to ask what they need; where no new one is to be had, it will do.
    pip_install "pip>=24" || true
    install_torch
    say "Installing PathoView and the libraries it uses"
    project=$root
    [ "$step" -lt 3 ] || project="${root}[dev]"
    pip_install --editable "$project" || fail_pip PathoView
    "$python" -m compileall -q "$root/pathoview" >>"$log" 2>&1 || true # only for a quick first start
    printf '%s\n%s\n' "$step" "$(fingerprint)" >"$state/ready.new"
    mv "$state/ready.new" "$state/ready"
    rm -f "$state/unfinished"
}

# ---- the order of things --------------------------------------------------------------------

case $#${1:-} in
0 | 1--dev) step=$(wanted_step "${1:-}") ;;
*)
    say "usage: sh installer/setup.sh [--dev]"
    exit 2 ;;
esac
if is_ready "$step"; then exit 0; fi

if [ -n "${PATHOVIEW_WHEELS:-}" ]; then
    wheels=$(CDPATH='' cd -- "$PATHOVIEW_WHEELS" 2>/dev/null && pwd -P) ||
        fail "$PATHOVIEW_WHEELS, named in PATHOVIEW_WHEELS, is no folder."
fi
choose_torch_build
take_lock
prepare_folder
say "Setting up PathoView, once; the log is $log"
if environment_works; then base_python=$python; else base_python=$(find_python || true); fi
install_system_packages
note_what_a_window_needs
make_environment
install_packages
say "PathoView is ready."
