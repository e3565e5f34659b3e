# SPDX-License-Identifier: GPL-2.0-or-later
# The rules and the catalogue are compiled in with .incbin, which -MMD does not see.
IMPORT_RULES := $(wildcard src/import/rules/*)
$(BUILD)/obj/import/builtin.o: $(IMPORT_RULES)

.PHONY: install-rules
install: install-rules
install-rules:
	install -d $(DESTDIR)$(PREFIX)/share/vfiotrace/rules
	install -m 644 $(IMPORT_RULES) $(DESTDIR)$(PREFIX)/share/vfiotrace/rules
