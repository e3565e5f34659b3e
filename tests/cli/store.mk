# What the tests of report, merge and the schema work on, without a kernel.
MAKE_RECORDING := $(BUILD)/tests/make-recording
$(MAKE_RECORDING): tests/cli/make-recording.c tests/unit/fixture.h $(BUILD)/libvfiotrace.a | $(DEPS_TEST)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Itests/unit $(CFLAGS_ALL) $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@
test-programs: $(MAKE_RECORDING)
