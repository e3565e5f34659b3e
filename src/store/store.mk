# Files that are compiled in as they are.
$(BUILD)/obj/store/schema.o: src/store/schema.sql
