# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets: the rooms that read other people's files, with libFuzzer, ASan and UBSan.
FUZZ_DIR     := $(BUILD)/fuzz
FUZZ_ROOMS   := src/import src/rules src/locks src/model src/analysis src/store src/util
FUZZ_FLAGS   := -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=undefined
FUZZ_SOURCES := $(foreach room,$(FUZZ_ROOMS),$(wildcard $(room)/*.c)) src/report/escape.c
FUZZ_OBJECTS := $(patsubst src/%.c,$(FUZZ_DIR)/obj/%.o,$(FUZZ_SOURCES))
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(FUZZ_DIR)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 600

$(FUZZ_DIR)/obj/%.o: src/%.c | $(DEPS_TEST)
	@mkdir -p $(@D)
	$(CLANG) -std=gnu11 $(CPPFLAGS_ALL) $(FUZZ_FLAGS) -MMD -MP -c $< -o $@
$(FUZZ_DIR)/obj/rules/builtin.o: $(wildcard src/rules/builtin/*)
$(FUZZ_DIR)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz.h $(FUZZ_OBJECTS)
	$(CLANG) -std=gnu11 $(CPPFLAGS_ALL) -Itests/unit $(FUZZ_FLAGS) -fsanitize=fuzzer $< $(FUZZ_OBJECTS) \
		-ljansson -lsqlite3 -lz -lbz2 -llzma -lzstd -lcap -lpthread -lm -o $@

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ_TARGETS)
## make fuzz        fuzz every parser for FUZZ_SECONDS=600 each
fuzz: fuzz-targets
	FUZZ_SECONDS=$(FUZZ_SECONDS) BUILD=$(BUILD) tests/fuzz/fuzz.t
