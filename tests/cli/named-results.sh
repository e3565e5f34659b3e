# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# TAP for a suite that names its tests beforehand, in `names`, so that the rest can be skipped by name.
# shellcheck disable=SC2154 # names is the suite's
echo "1..${#names[@]}"
n=0
result() { # 0 or not, detail
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - ${names[n - 1]}"
	else
		echo "not ok $n - ${names[n - 1]}"
		[ -z "${2:-}" ] || printf '# %s\n' "${2//$'\n'/$'\n# '}"
	fi
}
skip_rest() {
	while [ $n -lt ${#names[@]} ]; do
		n=$((n + 1))
		echo "ok $n - ${names[n - 1]} # SKIP $1"
	done
	exit 0
}
