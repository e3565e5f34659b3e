# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# vfiotrace in a scenario's background. Sourced by lib.sh and run-scenarios.
#
# Attaching and detaching costs more guest time than most loads, so a list entry "one+two" runs its scenarios
# under one tracer. Nothing changes for a scenario: the first trace_start starts the tracer, a further one with
# the same options joins it. OUTPUT then has the start record and what was recorded from the scenario before to
# trace_stop; when the last one is through, the summary of them all follows, with OUTPUT.exit and OUTPUT.err. What
# the summary counts is therefore no claim about one of them; OUTPUT.shared says so to the host.
# LAB_TRACER: the tracer's directory (all, err, pid, options, end: last line handed out, outputs), unset for one alone

trace_wait_start() { # FILE: until everything is attached
	n=0
	while ! grep -q '"type": *"start"' "$1" 2>/dev/null; do
		n=$((n + 1))
		if [ $n -gt 900 ] || ! kill -0 $TRACE 2>/dev/null; then
			cat "$trace_errors" >&2
			echo "scenario: vfiotrace did not start" >&2
			return 1
		fi
		usleep 100000
	done
}

# Start vfiotrace in the background with --json and wait until everything is attached.
# usage: trace_start OUTPUT OPTIONS...   sets TRACE to its pid
trace_start() {
	trace_output=$1
	shift
	if [ -n "${LAB_TRACER:-}" ]; then
		trace_join "$@"
		return
	fi
	trace_errors=$trace_output.err
	vfiotrace "$@" --json >"$trace_output" 2>"$trace_errors" &
	TRACE=$!
	trace_wait_start "$trace_output"
}

trace_join() { # OPTIONS...
	trace_errors=$LAB_TRACER/err
	if [ ! -d "$LAB_TRACER" ]; then
		mkdir -p "$LAB_TRACER"
		echo "$*" >"$LAB_TRACER/options"
		echo 1 >"$LAB_TRACER/end"
		# in a session of its own, for it outlives this scenario
		# shellcheck disable=SC2016
		setsid sh -c 'vfiotrace "$@" --json & echo $! >"$0/pid"; wait $!; echo $? >"$0/exit"' "$LAB_TRACER" "$@" \
			>"$LAB_TRACER/all" 2>"$trace_errors" &
		while [ ! -s "$LAB_TRACER/pid" ]; do usleep 50000; done
	fi
	[ "$(cat "$LAB_TRACER/options")" = "$*" ] || { echo "scenario: cannot share a tracer of other options" >&2; return 1; }
	TRACE=$(cat "$LAB_TRACER/pid")
	trace_wait_start "$LAB_TRACER/all" || return
	trace_from=$(($(cat "$LAB_TRACER/end") + 1))
	{ head -n 1 "$LAB_TRACER/all"; exec tail -n "+$trace_from" -f "$LAB_TRACER/all"; } >"$trace_output" 2>/dev/null &
	trace_copy=$!
}

# Until what happened before is recorded: so is then a VM that is made after it.
trace_drain() {
	made=$(grep -c '"kvm_client"' "$LAB_TRACER/all")
	if ! kvm_client vms 1 >/dev/null 2>&1; then
		sleep 2
		return
	fi
	n=0
	while [ "$(grep -c '"kvm_client"' "$LAB_TRACER/all")" -le "$made" ] && [ $n -lt 300 ]; do
		usleep 100000
		n=$((n + 1))
	done
}

# Stop it as an operator would, and leave its exit code in OUTPUT.exit.
trace_stop() {
	if [ -n "${LAB_TRACER:-}" ]; then
		trace_drain
		kill $trace_copy
		trace_end=$(wc -l <"$LAB_TRACER/all")
		{ head -n 1 "$LAB_TRACER/all"; sed -n "$trace_from,${trace_end}p" "$LAB_TRACER/all"; } >"$trace_output"
		echo "$trace_end" >"$LAB_TRACER/end"
		echo "$PWD/$trace_output" >>"$LAB_TRACER/outputs"
		return
	fi
	kill -TERM $TRACE 2>/dev/null
	wait $TRACE
	echo $? >"$trace_output.exit"
}

# All scenarios of the tracer are through. Records that came late are the last one's.
tracer_end() {
	kill -TERM "$(cat "$LAB_TRACER/pid")"
	n=0
	while [ ! -s "$LAB_TRACER/exit" ] && [ $n -lt 1200 ]; do
		usleep 100000
		n=$((n + 1))
	done
	last=$(tail -n 1 "$LAB_TRACER/outputs")
	while read -r output; do
		if [ "$output" = "$last" ]; then
			tail -n "+$(($(cat "$LAB_TRACER/end") + 1))" "$LAB_TRACER/all" >>"$output"
		else
			grep '"type": *"summary"' "$LAB_TRACER/all" >>"$output"
		fi
		cp "$LAB_TRACER/exit" "$output.exit"
		cp "$LAB_TRACER/err" "$output.err"
		cp "$LAB_TRACER/options" "$output.shared"
	done <"$LAB_TRACER/outputs"
	rm -r "$LAB_TRACER"
}
