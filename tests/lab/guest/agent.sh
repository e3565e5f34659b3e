# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What the agent's scenarios share, beside lib.sh. Sourced: . /lab/agent.sh

metrics() { # file
	wget -qO "$1" http://127.0.0.1:9756/metrics
}

# until the value of a series is at least this; publishing takes five seconds
until_metric() { # pattern, value, seconds
	n=0
	while [ $n -lt "$3" ]; do
		v=$(wget -qO- http://127.0.0.1:9756/metrics 2>/dev/null | grep "^$1" | head -n 1 | sed 's/.* //; s/\..*//')
		[ "${v:-0}" -ge "$2" ] && return 0
		sleep 1
		n=$((n + 1))
	done
	echo "scenario: $1 never reached $2" >&2
	return 1
}

# Every program, map and link there is but systemd's own, which filter the sockets and devices of units.
bpf_objects() { # file
	for kind in prog map link; do /lab/bin/bpftool $kind show; done 2>/dev/null |
		awk '/^[0-9]+:/ {mine = !/name sd_|lpm_trie|  cgroup /} mine' >"$1"
}

# The same until nothing is in it that was not there before: the kernel frees maps a moment after
# their last user is gone.
bpf_objects_after() { # file, file before
	n=0
	while bpf_objects "$1"; [ $n -lt 20 ] && [ "$(wc -l <"$1")" -gt "$(wc -l <"$2")" ]; do sleep 1; n=$((n + 1)); done
	cat /sys/kernel/tracing/kprobe_events >kprobes.after 2>/dev/null
	find /sys/fs/bpf -mindepth 1 >pins.after 2>/dev/null
}
