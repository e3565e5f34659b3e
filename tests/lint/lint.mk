# SPDX-License-Identifier: GPL-2.0-or-later
.PHONY: format
## make lint        shellcheck, clang-format, clang-tidy, house rules, sanitizers
lint: | $(DEPS_TEST)
	BUILD=$(BUILD) tests/run lint
## make format      apply .clang-format to every file of the project
format:
	find . \( -name .git -o -name 'build*' -o -name node_modules -o -path ./vmlinux -o \
		-path ./src/debian/sysroot \) -prune -o -type f -name '*.[ch]' -print | xargs clang-format -i
