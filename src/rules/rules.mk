# SPDX-License-Identifier: GPL-2.0-or-later
# The rules and the catalogue are compiled in with .incbin, which -MMD does not see.
BUILTIN_RULES := $(wildcard src/rules/builtin/*)
$(BUILD)/obj/rules/builtin.o: $(BUILTIN_RULES)

.PHONY: install-rules
install: install-rules
install-rules:
	install -d $(DESTDIR)$(PREFIX)/share/vfiotrace/rules
	install -m 644 $(BUILTIN_RULES) $(DESTDIR)$(PREFIX)/share/vfiotrace/rules
