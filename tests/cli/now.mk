# What tests/cli/now.t runs against.
$(BUILD)/cli/now_vms: tests/cli/now_vms.c | $(DEPS_TEST)
	@mkdir -p $(@D)
	$(CC) -O2 $(WARNINGS) $< -lpthread -o $@
test-programs: $(BUILD)/cli/now_vms
