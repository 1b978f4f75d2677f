#!/bin/sh
# Open PathoView, setting it up first where needed.
#
#   sh installer/run.sh            on the demo slide
#   sh installer/run.sh my.svs     on mine
#
# Without a display it does the job without a window: it finds the nuclei and writes them, and a
# picture with them drawn on it, into the current folder.

set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/installer/common.sh"

case ${1:-} in
-*)
    say "usage: sh installer/run.sh [SLIDE...]"
    say "The command line has more: $venv/bin/pathoview --help"
    [ "$1" = --help ] || [ "$1" = -h ] || exit 2
    exit 0 ;;
esac

# -P: a folder "pathoview" in the current directory must not be taken for the program.
pathoview() {
    "$python" -P -m pathoview "$@"
}

# Usage: analyze SLIDE NAME; the results are NAME.geojson and NAME.png.
analyze() {
    say "No display is here: analyzing $(basename "$1") without a window."
    pathoview analyze "$1" --output "$2.geojson" --overview "$2.png"
    say "The nuclei (GeoJSON, for QuPath among others): $PWD/$2.geojson"
    say "A picture with the nuclei drawn on it:         $PWD/$2.png"
}

# The results of someone's own slide never replace what is there.
refuse_to_replace() {
    for file in "$1.geojson" "$1.png"; do
        [ ! -e "$file" ] || fail "$file is in this folder already." \
            "Move it, start in another folder, or choose names: $venv/bin/pathoview analyze --help"
    done
}

# shellcheck disable=SC2119 # its argument is --dev, not a slide
is_ready "$(wanted_step)" || sh "$root/installer/setup.sh"

demo=$root/resources/demo/CMU-1-Small-Region.svs
if has_display; then
    [ $# -gt 0 ] || set -- "$demo"
    exec "$python" -P -m pathoview "$@"
elif [ $# -eq 0 ]; then
    analyze "$demo" demo
else
    for slide in "$@"; do
        name=$(basename "$slide")
        refuse_to_replace "${name%.*}"
        analyze "$slide" "${name%.*}"
    done
fi
