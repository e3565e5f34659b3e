# What the browser tests look at, and the npm packages that drive the browser and check Mermaid.
REPORT_FIXTURE := $(BUILD)/tests/report-fixture
$(REPORT_FIXTURE): tests/web/report-fixture.c tests/unit/fixture.h $(BUILD)/libvfiotrace.a | $(DEPS_TEST)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) -Itests/unit $(CFLAGS_ALL) $< $(BUILD)/libvfiotrace.a $(LDFLAGS) $(LDLIBS_ALL) -o $@
$(BUILD)/web/.installed: tests/web/package.json | $(DEPS_TEST)
	@mkdir -p $(@D)
	cp tests/web/package.json $(@D)/package.json
	cd $(@D) && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm install --no-package-lock --no-audit --no-fund --loglevel=error
	touch $@
web-deps: $(REPORT_FIXTURE)
	-$(MAKE) $(BUILD)/web/.installed
.PHONY: web-deps
test-programs: $(REPORT_FIXTURE)
## make picture    FILE=incident.vfiotrace: the picture of the report page in the README
picture: $(BUILD)/vfiotrace $(BUILD)/web/.installed
	$(BUILD)/vfiotrace report -f html -o $(BUILD)/web/picture.html $(FILE)
	BUILD=$(BUILD) node tests/web/picture.js $(BUILD)/web/picture.html src/man/examples/report.png
.PHONY: picture
