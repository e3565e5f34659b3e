# Files that are compiled in as they are.
$(BUILD)/obj/report/json_schema.o: src/report/schema.json
$(BUILD)/obj/report/html.o: $(wildcard src/report/html/*)
