# SPDX-License-Identifier: GPL-2.0-or-later
# Programs the agent's tests need.
$(BUILD)/tests/%: tests/agent/%.c $(BUILD)/libvfiotrace.a | $(DEPS_TEST)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@
test-programs: $(BUILD)/tests/endpoint_sample
