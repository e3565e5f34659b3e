# The program the trace suites ask: importer and analysis without the command line.
$(BUILD)/judge: tests/traces/judge.c $(BUILD)/libvfiotrace.a
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@
test-programs: $(BUILD)/judge
