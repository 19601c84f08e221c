#!/bin/sh
# Installs Debian packages and leaves none of their daemons enabled or running; those that were there before stay as they are.
# usage, as root: install.sh PACKAGE…
set -u

root=${CENTRALA_INSTALL_ROOT-}  # where tests put the files below
policy=$root/usr/sbin/policy-rc.d
mark='# Centrala: no daemon starts while packages are being installed'
home=$root/var/lib/centrala-install
unfinished=$home/unfinished
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

mkdir -p -m 700 "$home"
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
is_ours() { grep -qsF "$mark" "$policy"; }
get() { apt-get -o DPkg::Lock::Timeout=300 "$@" </dev/null; }

# One installation at a time, whichever checkout asks.
if [ -z "${CENTRALA_INSTALL_LOCKED-}" ]; then
    export CENTRALA_INSTALL_LOCKED=1
    exec flock "$home/lock" sh "$0" "$@"
fi

# What an installation that was broken off had begun is ours to finish.
fresh=$(cat "$unfinished" 2>/dev/null)
for package; do
    is_installed "$package" || fresh="$fresh $package"
done
# shellcheck disable=SC2086  # a list of names
set -- $fresh
if [ $# = 0 ]; then exit 0; fi
printf '%s\n' "$*" >"$unfinished"

if [ ! -e "$policy" ] || is_ours; then
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
    chmod 755 "$policy"
fi
dpkg --configure -a >/dev/null 2>&1
get install -y -qq --no-install-recommends "$@" || { get update -qq; get install -y -qq --no-install-recommends "$@"; }
result=$?

for package; do
    for unit in $(dpkg -L "$package" 2>/dev/null | sed -n 's,.*/systemd/system/\([^/]*\.service\)$,\1,p'); do
        command -v systemctl >/dev/null 2>&1 && systemctl disable --quiet "$unit" >/dev/null 2>&1
    done
    for script in $(dpkg -L "$package" 2>/dev/null | sed -n 's,^/etc/init\.d/\(.*\)$,\1,p'); do
        update-rc.d "$script" disable >/dev/null 2>&1
    done
done
if is_ours; then rm -f "$policy"; fi
rm -f "$unfinished"
exit "$result"
