#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real deadlocks: seen the moment they close, and found afterwards without tracing. stock.sh has 6.12 and 7.2.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/deadlock-checks.sh"

boot_and_check 6.1 unfixed 'now-truth deadlock-recovery deadlock-killable+deadlock-locks+deadlock'
boot_name=6.12-multi
if boot 6.12 --multi -w "$here/../../${BUILD:-build}/soak/contention_soak" contention-soak; then check_contention_soak; fi
finish
