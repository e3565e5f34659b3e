# vfiotrace: lock-order tracing for VFIO and KVM on stock kernels.
# `make help` lists the targets.

VERSION   := 0.1.0
PREFIX    ?= /usr/local
DESTDIR   ?=
CLANG     ?= clang
BPFTOOL   ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
PKGCONFIG ?= pkg-config
HOST_ARCH := $(shell uname -m)
ARCH      ?= $(HOST_ARCH)
BPF_ARCH  := $(subst x86_64,x86,$(subst aarch64,arm64,$(subst s390x,s390,$(ARCH))))
VMLINUX   := vmlinux/$(subst aarch64,arm64,$(ARCH))

# STATIC=1 or another ARCH: a build of its own, beside the usual one (src/debian/cross.mk says more)
CROSS     := $(filter-out $(subst aarch64,arm64,$(HOST_ARCH)),$(subst aarch64,arm64,$(ARCH)))
BUILD     ?= build$(if $(STATIC),-static)$(if $(CROSS),-$(CROSS))
# memory images of kernels: Debian has it as a shared library only, and for this machine
KDUMPFILE := $(if $(STATIC)$(CROSS),,$(shell $(PKGCONFIG) --exists libkdumpfile && echo libkdumpfile))
LIBRARIES := libbpf libelf zlib libdw jansson sqlite3 libcap $(if $(STATIC),,libsystemd) libmicrohttpd \
	     liblzma libzstd $(KDUMPFILE)
WARNINGS  := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
CFLAGS    ?= -O2 -g
CPPFLAGS_ALL  = -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Iinclude -I$(BUILD)/skel -Isrc \
		$(if $(STATIC),-DVFIOTRACE_STATIC) $(if $(KDUMPFILE),-DHAVE_KDUMPFILE) $(CROSS_CPPFLAGS)
# two builds give the same bytes, wherever they are made: no path of this machine gets in
CFLAGS_ALL   := -std=gnu11 $(WARNINGS) $(CFLAGS) -ffile-prefix-map=$(CURDIR)=. $(SANITIZE)
LDLIBS_ALL    = $(CROSS_LDFLAGS) $(if $(STATIC),$(STATIC_LIBS),$(shell $(PKGCONFIG) --libs $(LIBRARIES))) \
		-lbz2 -lpthread -lm

SOURCES   := $(sort $(shell find src -name '*.c'))
OBJECTS   := $(patsubst src/%.c,$(BUILD)/obj/%.o,$(filter-out src/main.c,$(SOURCES)))
BPF_SRC   := $(wildcard bpf/*.bpf.c)
SKELETONS := $(patsubst bpf/%.bpf.c,$(BUILD)/skel/%.skel.h,$(BPF_SRC))
UNIT_SRC  := $(wildcard tests/unit/test_*.c)
UNIT_BIN  := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SRC))

# V=1 shows the commands, -s nothing
Q         := $(if $(filter-out 0,$(V)),,@)
SILENT    := $(findstring s,$(firstword -$(MAKEFLAGS)))
step       = $(if $(Q),$(if $(SILENT),@:,@printf '  %-8s %s\n' '$(1)' '$(2)'))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all bpf deps deps-test unit test test-programs test-long demo bench matrix soak lint fuzz install clean help

all: $(BUILD)/vfiotrace

help:
	@sed -n 's/^## //p' $(filter %Makefile %.mk,$(MAKEFILE_LIST))

# --- packages -----------------------------------------------------------------------------------
DEPS      := $(BUILD)/.deps
DEPS_TEST := $(BUILD)/.deps-test

## make deps        install what a fresh Debian lacks to build and test; no other target but demo and test installs
deps:
	@tests/install-packages build lab test
$(DEPS): tests/packages.list tests/install-packages
	@mkdir -p $(BUILD) && tests/install-packages --check build && touch $@
$(DEPS_TEST): tests/packages.list tests/install-packages $(DEPS)
	@mkdir -p $(BUILD) && tests/install-packages --check lab test && touch $@

# --- kernel side ----------------------------------------------------------------------------------
BPF_CFLAGS := -g -ffile-prefix-map=$(CURDIR)=. -O2 -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -I$(VMLINUX) -Iinclude -Ibpf -Wall -Werror

## make bpf         compile the BPF objects only (ARCH=arm64, ARCH=s390x: for another architecture)
bpf: $(SKELETONS)
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h) $(wildcard include/*.h) $(wildcard $(VMLINUX)/*.h) | $(DEPS)
	@mkdir -p $(@D)
	$(call step,BPF,$<)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(Q)llvm-strip -g $@
$(BUILD)/skel/%.skel.h: $(BUILD)/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@
	$(Q)$(call other_endian,bpf/$*.bpf.c,$@)

# --- user side ------------------------------------------------------------------------------------
$(BUILD)/obj/%.o: src/%.c $(SKELETONS) | $(DEPS)
	@mkdir -p $(@D)
	$(call step,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@
$(BUILD)/libvfiotrace.a: $(OBJECTS)
	$(call step,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^
## make             build build/vfiotrace
$(BUILD)/vfiotrace: src/main.c $(BUILD)/libvfiotrace.a
	$(call step,LINK,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MF $(BUILD)/obj/main.d $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@

# --- tests ------------------------------------------------------------------------------------------
$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libvfiotrace.a | $(DEPS_TEST)
	@mkdir -p $(@D)
	$(call step,TEST,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests/unit $(CFLAGS_ALL) -MMD -MP $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -lcmocka -o $@

# what the suites run; the fragments under tests/ add theirs
test-programs: $(BUILD)/vfiotrace $(UNIT_BIN) | $(DEPS_TEST)
## make unit        unit tests only
unit: | $(DEPS_TEST)
	@BUILD=$(BUILD) tests/run unit
## make test        everything: unit, command line, fuzz, lint, web, agent, real kernels
test: deps
	@BUILD=$(BUILD) tests/run
## make test-long   the same and what is long by nature: soaks, more architectures, an hour of the service
test-long: deps
	@VFIOTRACE_LONG=1 BUILD=$(BUILD) tests/run
## make install     PREFIX=/usr/local SYSCONFDIR=/etc DESTDIR=: program, manual, completions, unit, rules, dashboard
install: $(BUILD)/vfiotrace
	install -D -m 755 $< $(DESTDIR)$(PREFIX)/sbin/vfiotrace
## make clean       remove the build directory
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
-include $(wildcard tests/*/*.mk) $(wildcard src/*/*.mk)
