#!/usr/bin/env bash
# Makes .venv hold what a target of the Makefile needs. Usage: tools/set_up.sh default|dev
#   default  what `pip install firstsight` brings, at the versions of requirements/default.txt
#   dev      the same, the tools of the checks and the extras that tests use (requirements/dev.txt), a C++ compiler
#            and Chromium
# It does nothing when that was done before and neither pyproject.toml nor the requirements changed.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=$1
exec 9<tools/set_up.sh
if command -v flock >/dev/null; then flock 9; fi # two targets at once wait for each other

say() { printf '%s\n' "$*" >&2; }

key() {
    { printf '%s\n' "$PWD"; cat pyproject.toml CMakeLists.txt native/* src/firstsight/_version.py tools/set_up.sh \
        "requirements/$1.txt"; } | sha256sum | cut -c 1-64
}

is_done() { [ "$(cat ".venv/set-up-$1" 2>/dev/null)" = "$(key "$1")" ] && .venv/bin/python -c '' 2>/dev/null; }

is_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

install_debian() { # PACKAGE... ; as root
    say "Installing Debian packages: $*"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed; going on with the lists that are there"
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() { # the first interpreter that can make environments, else the first one that is recent enough
    local name recent=
    for name in ${PYTHON:-} python3.11 python3 python3.12 python3.13 python3.14; do
        is_recent "$name" || continue
        if "$name" -c 'import ensurepip, venv' 2>/dev/null; then printf '%s' "$name"; return; fi
        recent=${recent:-$name}
    done
    printf '%s' "$recent"
}

make_environment() {
    if [ -e .venv/bin/python ] && is_recent .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    local python package
    python=$(find_python)
    if [ -z "$python" ]; then
        say "firstsight needs Python 3.11 or later; none of python3.11, python3, python3.12, python3.13, python3.14 is."
        say "Install one (Debian: apt-get install python3.11 python3.11-venv) or say which: make demo PYTHON=/path/to/python3"
        exit 1
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        if is_root; then
            install_debian "$package"
        else
            say "$python cannot make environments: the Debian package $package is missing. Run: sudo apt-get install $package"
            exit 1
        fi
    fi
    say "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
}

has_compiler() { command -v "${CXX:-c++}" g++ clang++ >/dev/null; }

find_compiler() { # for the native core; without one the Python core computes the same, slower
    if has_compiler; then return; fi
    if is_root && [ "$1" = dev ]; then
        install_debian g++
    else
        say "No C++ compiler: scores are computed by the Python core, slower. For the native one: apt-get install g++"
    fi
}

check_core() { # an installation does without the native core when it cannot be compiled, and says nothing
    if ! has_compiler || [ "${FIRSTSIGHT_CORE:-}" = python ]; then return; fi
    if [ "$(env -u FIRSTSIGHT_CORE .venv/bin/python -c 'from firstsight import _core; print(_core.core_name())')" = native ]
    then return; fi
    say "There is a C++ compiler, but the native core was not compiled. To see why, run:"
    say "    .venv/bin/python -m pip install -v --no-deps --no-build-isolation --editable ."
    say "To go on with the Python core alone, set FIRSTSIGHT_CORE=python."
    exit 1
}

find_browser() { # Chromium and a font with Hangul, for the tests that look at pages
    local fonts missing=()
    if ! command -v chromium chromium-browser google-chrome >/dev/null; then missing+=(chromium); fi
    fonts=$(dpkg-query -W -f '${Status}\n' fonts-nanum fonts-noto-cjk 2>/dev/null || true)
    if command -v dpkg-query >/dev/null && [[ $fonts != *'install ok installed'* ]]; then
        missing+=(fonts-nanum)
    fi
    if [ ${#missing[@]} = 0 ]; then return; fi
    if is_root; then
        install_debian "${missing[@]}"
    else
        say "Missing for the tests in a browser, which are skipped: ${missing[*]}. Run: sudo apt-get install ${missing[*]}"
    fi
}

if is_done "$kind" || { [ "$kind" = default ] && is_done dev; }; then exit 0; fi
make_environment
pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet --quiet "$@"; }
say "Installing the packages of requirements/$kind.txt into .venv; this is done once"
pip install --requirement "requirements/$kind.txt"
find_compiler "$kind"
pip install --no-deps --no-build-isolation --editable .
if [ "$kind" = dev ]; then
    check_core
    find_browser
fi
key "$kind" >".venv/set-up-$kind"
