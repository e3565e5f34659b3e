# SPDX-License-Identifier: GPL-2.0-or-later
# Writing a recording while tracing, and opening a large one; see store.c.
$(BUILD)/tests/bench_store: tests/bench/store.c tests/unit/fixture.h $(BUILD)/libvfiotrace.a | $(DEPS_TEST)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Itests/unit $(CFLAGS_ALL) $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@

.PHONY: bench-store
bench: bench-store
bench-store: $(BUILD)/tests/bench_store $(BUILD)/vfiotrace
	$(BUILD)/tests/bench_store $(BUILD)/vfiotrace
