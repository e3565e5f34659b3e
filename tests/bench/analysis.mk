# Speed of model and analysis against their targets: no kernel needed.
$(BUILD)/bench-analysis: tests/bench/analysis.c $(BUILD)/libvfiotrace.a
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@
.PHONY: bench-analysis
bench: bench-analysis
bench-analysis: $(BUILD)/bench-analysis
	$(BUILD)/bench-analysis
