# SPDX-License-Identifier: GPL-2.0-or-later
# What `make install` puts beside the binary. Staging with DESTDIR; nothing is started or enabled.
#   UNITDIR     systemd units (PREFIX=/usr: where Debian 12 has them)
#   SYSCONFDIR  configuration; a file that is there is kept
UNITDIR    ?= $(if $(filter /usr,$(PREFIX)),/lib/systemd/system,$(PREFIX)/lib/systemd/system)
CATALOGDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib/systemd/catalog,$(PREFIX)/lib/systemd/catalog)
ZSHDIR     ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
SYSCONFDIR ?= /etc
DATADIR    := $(PREFIX)/share/vfiotrace
DOCDIR     := $(PREFIX)/share/doc/vfiotrace

.PHONY: install-data install-config uninstall deb
install: install-data install-config
install-data: $(BUILD)/vfiotrace.service
	install -d $(addprefix $(DESTDIR),$(PREFIX)/share/man/man7 $(PREFIX)/share/man/man8 $(UNITDIR) \
		$(CATALOGDIR) $(ZSHDIR) $(PREFIX)/share/bash-completion/completions $(DATADIR) $(DOCDIR)/examples)
	install -m 644 $(sort $(wildcard src/man/*.7)) $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 644 $(sort $(wildcard src/man/*.8)) $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 src/completion/vfiotrace.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/vfiotrace
	install -m 644 src/completion/vfiotrace.zsh $(DESTDIR)$(ZSHDIR)/_vfiotrace
	install -m 644 $(BUILD)/vfiotrace.service $(DESTDIR)$(UNITDIR)
	install -m 644 src/systemd/vfiotrace.catalog $(DESTDIR)$(CATALOGDIR)
	install -m 644 src/metrics/dashboard.json src/metrics/vfiotrace.rules.yml $(DESTDIR)$(DATADIR)
	install -m 644 src/systemd/vfiotrace.default src/systemd/rules.example src/systemd/suppress.example \
		$(sort $(wildcard src/man/examples/*)) $(DESTDIR)$(DOCDIR)/examples
CONFIG     := $(DESTDIR)$(SYSCONFDIR)
keep_or    = test -e $(2) || install -m 644 $(1) $(2)
install-config:
	install -d $(CONFIG)/default $(CONFIG)/vfiotrace
	$(call keep_or,src/systemd/vfiotrace.default,$(CONFIG)/default/vfiotrace)
	$(call keep_or,src/systemd/rules.example,$(CONFIG)/vfiotrace/rules)
	$(call keep_or,src/systemd/suppress.example,$(CONFIG)/vfiotrace/suppress)
## make uninstall   remove what `make install` with the same PREFIX and DESTDIR put there; configuration stays
uninstall: STAGE := $(abspath $(BUILD))/uninstall
uninstall: $(BUILD)/vfiotrace
	rm -rf $(STAGE)
	$(MAKE) -s install DESTDIR=$(STAGE)
	cd $(STAGE) && find . -type f ! -path '.$(SYSCONFDIR)/*' -printf '$(DESTDIR)/%P\0' | xargs -0 rm -f
	rm -rf $(STAGE)
	-rmdir $(addprefix $(DESTDIR),$(DATADIR)/rules $(DATADIR) $(DOCDIR)/examples $(DOCDIR))
$(BUILD)/vfiotrace.service: src/systemd/vfiotrace.service.in
	@mkdir -p $(@D)
	sed 's,@SBINDIR@,$(PREFIX)/sbin,' $< > $@

## make deb         the Debian package, in build/deb (ARCH=arm64: in build-arm64/deb)
deb: $(BUILD)/deb/.made
$(BUILD)/deb/.made: Makefile README.md $(wildcard bpf/* include/*) $(shell find src -type f) | $(DEPS) $(DEPS_TEST)
	src/debian/build-deb $(VERSION) $(BUILD)/deb $(CROSS)
	@touch $@
