# Files that are compiled in as they are.
$(BUILD)/obj/report/json/schema.o: src/report/json/schema.json
$(BUILD)/obj/report/html/html.o: $(wildcard src/report/html/page/*)
