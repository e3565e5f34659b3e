# The soak of live deadlock detection: tests/soak/contention_soak.c.

$(BUILD)/soak/%: tests/soak/%.c $(SKELETONS) | $(DEPS_TEST)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $< $(LDFLAGS) $(LDLIBS_ALL) -o $@

## make soak        2e7 contended begins natively, no false alarm; and the broken variant must report
soak: $(BUILD)/soak/contention_soak
	VFIOTRACE_LONG=1 tests/run soak
test unit: $(BUILD)/soak/contention_soak
