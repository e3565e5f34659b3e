# SPDX-License-Identifier: GPL-2.0-or-later
# The cost of one acquisition on this machine; see cost.c.
$(BUILD)/tests/cost.bpf.o: tests/bench/cost.bpf.c tests/bench/cost.h $(wildcard bpf/*.h) $(wildcard include/*.h) | $(DEPS)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	llvm-strip -g $@
$(BUILD)/skel/tests/cost.skel.h: $(BUILD)/tests/cost.bpf.o
	@mkdir -p $(@D)
	$(BPFTOOL) gen skeleton $< name cost_bpf > $@
$(BUILD)/tests/bench_cost: tests/bench/cost.c tests/bench/cost.h $(BUILD)/skel/tests/cost.skel.h $(BUILD)/libvfiotrace.a
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@

.PHONY: bench-cost
## make bench       what an acquisition costs, in nanoseconds, and the other measurements
bench: bench-cost
bench-cost: $(BUILD)/tests/bench_cost
	$(BUILD)/tests/bench_cost

## make bench-guest  what watching costs in a lab guest, next to klockstat
.PHONY: bench-guest
bench: bench-guest
bench-guest: $(BUILD)/vfiotrace | $(DEPS_TEST)
	tests/bench/guest-cost

## make bench-record  what writing the incident file costs the traced side, in a lab guest
.PHONY: bench-record
bench: bench-record
bench-record: $(BUILD)/vfiotrace | $(DEPS_TEST)
	tests/bench/guest-record

## make bench-start  from exec to attached and from the signal to the exit, next to klockstat in one lab guest
.PHONY: bench-start
bench: bench-start
bench-start: $(BUILD)/vfiotrace | $(DEPS_TEST)
	tests/bench/start-time
