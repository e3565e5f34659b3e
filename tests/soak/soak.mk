# The soak of live deadlock detection: tests/soak/contention_soak.c.

$(BUILD)/soak/%: tests/soak/%.c $(SKELETONS) | $(DEPS_TEST)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $< $(LDFLAGS) $(LDLIBS_ALL) -o $@

## make soak        2e7 contended begins natively, no false alarm; and the broken variant must report
soak: | $(DEPS_TEST)
	VFIOTRACE_LONG=1 BUILD=$(BUILD) tests/run soak
test-programs: $(BUILD)/soak/contention_soak
