#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's 7.2: the table in stock.sh.
. "$(dirname "$0")/stock.sh"
stock 7.2
