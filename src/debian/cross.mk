# SPDX-License-Identifier: GPL-2.0-or-later
# Builds that are not for this machine as it is: STATIC=1, ARCH=arm64, ARCH=s390x.
#
# STATIC=1 links everything in. Debian has no static libsystemd and libmicrohttpd's archive wants
# GnuTLS, which has no static p11-kit: the notify and journal protocols are spoken directly, and
# src/agent/static_tls.c answers for the TLS the endpoint never offers.
#
# Another ARCH takes Debian's cross compiler and a sysroot of unpacked packages of that architecture
# (src/debian/sysroot ARCH prints its directory and fetches it once into the cache).

STATIC_LIBS = -static -Wl,--start-group $(BUILD)/libvfiotrace.a -lbpf -ldw -lelf -lz -lbz2 -llzma -lzstd \
	-ljansson -lsqlite3 -lcap -lmicrohttpd -Wl,--end-group

ifneq ($(CROSS),)
TRIPLET_arm64 := aarch64-linux-gnu
TRIPLET_s390x := s390x-linux-gnu
TRIPLET       := $(TRIPLET_$(CROSS))
$(if $(TRIPLET),,$(error ARCH=$(ARCH): no cross build is known; arm64 and s390x are))
CC            := $(TRIPLET)-gcc
AR            := $(TRIPLET)-ar
SYSROOT       ?= $(shell src/debian/sysroot $(CROSS))
CROSS_CPPFLAGS = -isystem $(SYSROOT)/usr/include/$(TRIPLET) -isystem $(SYSROOT)/usr/include
CROSS_LDFLAGS  = --sysroot=$(SYSROOT) -L$(SYSROOT)/usr/lib/$(TRIPLET) -L$(SYSROOT)/lib/$(TRIPLET) \
	-Wl,-rpath-link,$(SYSROOT)/usr/lib/$(TRIPLET):$(SYSROOT)/lib/$(TRIPLET)
PKGCONFIG     := PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(TRIPLET)/pkgconfig pkg-config

# bpftool reads objects of its own byte order only. What a skeleton says of maps and programs is the
# same in both; the object inside is exchanged for one of the other order.
ifeq ($(CROSS),s390x)
other_endian = $(CLANG) $(BPF_CFLAGS) -target bpfeb -c $(1) -o $(2).o && llvm-strip -g $(2).o && \
	src/debian/exchange-object $(2) $(2).o
endif
endif
