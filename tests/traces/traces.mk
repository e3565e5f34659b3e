# The program the trace suites ask: importer and analysis without the command line.
$(BUILD)/judge: tests/traces/judge.c $(BUILD)/libvfiotrace.a
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@
# How steps grow with the input: for a build with -fsanitize-coverage=trace-pc, see growth.t.
$(BUILD)/growth: tests/traces/growth.c $(BUILD)/libvfiotrace.a
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@
test-programs: $(BUILD)/judge
