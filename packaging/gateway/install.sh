#!/bin/sh
# Make this machine a gateway of geng-edge, or take that away again. As root:
#
#   install.sh                     from the package index
#   install.sh --from FOLDER       from the wheels of a folder, without a network
#   install.sh --uninstall         keeps /etc/geng-edge and /var/lib/geng-edge
#   install.sh --uninstall --purge removes these and the user too
#
# It may be run again: what is there is brought up to date, and no file of /etc/geng-edge is overwritten.
# DESTDIR=FOLDER works below a folder, touches no user and no running system, and needs no root.
set -eu

name=geng-edge
root=${DESTDIR:-}
app=$root/opt/$name
etc=$root/etc/$name
state=$root/var/lib/$name
unit=$root/etc/systemd/system/$name.service
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}
from='' remove='' purge=''

say() { echo "$name: $*" >&2; }
refuse() { say "$*"; exit 2; }

while [ $# -gt 0 ]; do
  case $1 in
    --from) [ $# -gt 1 ] || refuse "--from names no folder; it must name one"; from=$2; shift ;;
    --uninstall) remove=yes ;;
    --purge) purge=yes ;;
    -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p;}' "$0"; exit 0 ;;
    *) refuse "$1 is unknown; it must be --from, --uninstall or --purge" ;;
  esac
  shift
done
[ -z "$purge" ] || [ -n "$remove" ] || refuse "--purge is given without --uninstall; it must be given with it"
[ -z "$from" ] || [ -d "$from" ] || refuse "$from is no folder; it must hold wheels"
[ -n "$root" ] || [ "$(id -u)" = 0 ] || refuse "this needs root; run it with sudo"

runs() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

uninstall() {
  if runs && [ -f "$unit" ]; then systemctl disable --now "$name" >/dev/null 2>&1 || true; fi
  rm -rf "$app" "$unit"
  if runs; then systemctl daemon-reload; fi
  if [ -n "$purge" ]; then
    rm -rf "$etc" "$state" "$root/var/cache/$name"
    if [ -z "$root" ] && id "$name" >/dev/null 2>&1; then userdel "$name"; fi
    say "removed, with its settings and its ledger"
  else
    say "removed; $etc and $state are kept (--purge removes them)"
  fi
}

# Python is looked at before anything is written.
check_python() {
  command -v "$python" >/dev/null || refuse "$python is not installed; apt-get install python3 python3-venv"
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || refuse "$python is too old; it must be 3.10 or newer"
  "$python" -c 'import ensurepip, venv' 2>/dev/null || refuse "$python has no venv; apt-get install python3-venv"
  case $(uname -m) in
    armv7l | armv8l)  # no index has numpy for 32-bit Arm: Debian's is taken
      "$python" -c 'import numpy' 2>/dev/null || refuse "numpy is not installed; apt-get install python3-numpy" ;;
  esac
}

install_program() {
  if [ ! -x "$app/bin/python" ]; then
    mkdir -p "$root/opt"
    case $(uname -m) in
      armv7l | armv8l) "$python" -m venv --system-site-packages "$app" ;;
      *) "$python" -m venv "$app" ;;
    esac
  fi
  set -- -m pip install --quiet --upgrade --disable-pip-version-check
  [ -z "$from" ] || set -- "$@" --no-index --find-links "$from"
  "$app/bin/python" "$@" "${name}[text,mqtt,cbor]"
}

install_settings() {
  umask 022
  mkdir -p "$etc" "$(dirname "$unit")"
  if [ ! -e "$etc/environment" ]; then
    cat >"$etc/environment" <<'END'
# How this gateway reaches its broker. Beside this file lie password (one line, mode 0600) and ca.pem.
#GENG_BROKER=mqtts://broker.local:8883
#GENG_GATEWAY=pi-7
#GENG_MQTT_USERNAME=pi-7
END
  fi
  cp "$here/geng-edge.service" "$unit.new"
  mv "$unit.new" "$unit"
}

# systemd makes /var/lib/geng-edge and /var/cache/geng-edge and gives them to this user.
make_user() {
  [ -z "$root" ] || return 0
  id "$name" >/dev/null 2>&1 ||
    useradd --system --user-group --no-create-home --home-dir "/var/lib/$name" --shell /usr/sbin/nologin "$name"
}

start() {
  runs || return 0
  systemctl daemon-reload
  if grep -q '^GENG_BROKER=' "$etc/environment" && [ -f "$etc/password" ] && [ -f "$etc/ca.pem" ]; then
    systemctl enable --quiet "$name"
    systemctl restart "$name"
    say "runs; journalctl -u $name says what it does"
  else
    say "installed; fill in $etc/environment, password and ca.pem, then run this again"
  fi
}

if [ -n "$remove" ]; then
  uninstall
else
  check_python
  make_user
  install_program
  install_settings
  start
  say "$("$app/bin/python" -m geng_edge --version 2>/dev/null || echo "$name") is in $app"
fi
