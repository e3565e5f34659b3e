#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's 6.1: the table in stock.sh.
. "$(dirname "$0")/stock.sh"
stock 6.1
