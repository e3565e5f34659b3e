# SPDX-License-Identifier: GPL-2.0-or-later
# Targets that boot kernels.

## make demo        the main job on the unfixed stock kernel in a guest; leaves build/demo/
demo:
	@tests/install-packages build lab
	@$(MAKE) --no-print-directory $(BUILD)/vfiotrace
	@BUILD=$(BUILD) tests/lab/demo
## make matrix      every kernel the archive offers: what attaches, what the load gives; build/matrix/
matrix: $(BUILD)/vfiotrace | $(DEPS_TEST)
	$(MAKE) -s ARCH=arm64
	$(MAKE) -s ARCH=s390x
	BUILD=$(BUILD) tests/lab/matrix
