-- SPDX-License-Identifier: GPL-2.0-or-later
-- The incident file. One SQLite database per recording; readable by anything that reads SQLite.
--
-- application_id is 'vftr', user_version the schema version. Later versions add tables, columns and
-- views; src/store/migrate.c holds the steps from each older version.
--
-- Times are ns of CLOCK_MONOTONIC (0: not known); adding meta 'realtime_offset' gives ns since the
-- epoch. Ids are those of the tool's model: dense, from 0. NULL in a reference: none, not known.
-- Text that a process could choose (comm, names) has control characters, bytes that are no UTF-8
-- and backslashes written as \xNN: no terminal is disturbed by a query.
-- Modes: 0 exclusive, 1 shared, 2 shared and recursive.

PRAGMA application_id = 0x76667472;
PRAGMA user_version = 1;

-- Of the file itself: tool_version, realtime_offset, start, end, has_time, acquisitions, verdict,
-- closed ('yes' once the recording was ended in good order), losses_unknown (why losses could not
-- be counted), events_dropped (oldest events given up for --max-size), sources (a merged file).
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Host facts and options: kernel.release, arch, scope, probe.*, module.*, fix.*, overhead.* …
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- All locks of one struct.member, or one static lock. kind: mutex, rwsem …; flags: CLASS_* of model.h
CREATE TABLE class (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL,
	flags INTEGER NOT NULL);

-- VMs, IOMMU groups, devices and what else locks belong to.
CREATE TABLE object (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, parent INTEGER, pid INTEGER,
	number INTEGER, address INTEGER, name TEXT, detail TEXT);

-- One lock in memory, for as long as its object lives; address reused: next generation.
CREATE TABLE instance (id INTEGER PRIMARY KEY, class INTEGER NOT NULL, address INTEGER NOT NULL,
	generation INTEGER NOT NULL, object INTEGER, flags INTEGER NOT NULL, name TEXT);

-- tid 0: every thread of pid with this comm (beyond the limit of tasks per chain).
CREATE TABLE task (id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, tid INTEGER NOT NULL,
	comm TEXT NOT NULL, start_time INTEGER NOT NULL, flags INTEGER NOT NULL, vm INTEGER);

-- Stacks are stored once, and so is each frame. depth 0 is the innermost frame.
-- kind: 'site' is the one frame of an acquire site, 'full' a walk, 'location' an imported label.
CREATE TABLE frame (id INTEGER PRIMARY KEY, ip INTEGER NOT NULL, symbol TEXT,
	offset INTEGER NOT NULL, module TEXT, file TEXT, line INTEGER);
CREATE TABLE stack (id INTEGER PRIMARY KEY, kind TEXT NOT NULL);
CREATE TABLE stack_frame (stack INTEGER, depth INTEGER, frame INTEGER NOT NULL,
	PRIMARY KEY (stack, depth)) WITHOUT ROWID;

-- A held set and the lock wanted on top of it. Every pair (held, wanted) is a dependency, unless
-- wanted was only tried (wanted_flags & 1). flags: 1 try, 2 inferred from the path, 4 breakable,
-- 8 by a page fault.
CREATE TABLE chain (id INTEGER PRIMARY KEY, path TEXT, wanted INTEGER NOT NULL,
	wanted_stack INTEGER, wanted_mode INTEGER NOT NULL, wanted_flags INTEGER NOT NULL,
	wanted_subclass INTEGER NOT NULL, first_task INTEGER, last_task INTEGER,
	task_count INTEGER NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL,
	last INTEGER NOT NULL);
-- position 0 is the outermost lock.
CREATE TABLE chain_held (chain INTEGER, position INTEGER, instance INTEGER NOT NULL, stack INTEGER,
	mode INTEGER NOT NULL, flags INTEGER NOT NULL, subclass INTEGER NOT NULL,
	PRIMARY KEY (chain, position)) WITHOUT ROWID;

-- Which task went through which chain: the per-task lock-order graph. count 0: not counted.
CREATE TABLE task_chain (id INTEGER PRIMARY KEY, task INTEGER NOT NULL, chain INTEGER NOT NULL,
	count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);

-- Wait times (is_hold 0) and, with --holds, hold times per lock, call site and VM. buckets is a
-- JSON object: {"12": 7} says that 7 durations were in [2^12, 2^13) ns.
CREATE TABLE duration (id INTEGER PRIMARY KEY, instance INTEGER, stack INTEGER, vm INTEGER,
	is_hold INTEGER NOT NULL, count INTEGER NOT NULL, total INTEGER NOT NULL,
	max INTEGER NOT NULL, buckets TEXT NOT NULL);

-- Runs of VFIO and KVM operations; kvm: 0 NULL, 1 referenced, 2 not known (get_kvm).
CREATE TABLE path_event (id INTEGER PRIMARY KEY, path TEXT NOT NULL, task INTEGER,
	time INTEGER NOT NULL, count INTEGER NOT NULL, device INTEGER, "group" INTEGER, vm INTEGER,
	result INTEGER NOT NULL, how TEXT, kvm INTEGER NOT NULL, kvm_ref_lock INTEGER);

-- How often each path ran while we looked, and what could not be recorded.
CREATE TABLE coverage (path TEXT PRIMARY KEY, state TEXT NOT NULL, hits INTEGER NOT NULL,
	probe TEXT, reason TEXT) WITHOUT ROWID;
CREATE TABLE loss (reason TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;

-- body: the whole finding as JSON with the ids of this file (src/store/finding_json.c).
CREATE TABLE finding (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
	code TEXT NOT NULL, grade TEXT NOT NULL, cycle TEXT NOT NULL, first INTEGER NOT NULL,
	last INTEGER NOT NULL, count INTEGER NOT NULL, note TEXT, suppressed TEXT,
	body TEXT NOT NULL);

-- The optional event stream, in order. operand: an instance, for fork and join a task, for read and
-- write a variable. op 'cut': events are missing here.
CREATE TABLE event (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, task INTEGER NOT NULL,
	op INTEGER NOT NULL, operand INTEGER, mode INTEGER NOT NULL, flags INTEGER NOT NULL,
	subclass INTEGER NOT NULL, stack INTEGER);
CREATE TABLE event_op (op INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO event_op VALUES (0, 'acquire'), (1, 'release'), (2, 'try acquire'), (3, 'request'),
	(4, 'fork'), (5, 'join'), (6, 'read'), (7, 'write'), (8, 'begin'), (9, 'end'),
	(10, 'downgrade'), (11, 'cut');
CREATE TABLE variable (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
-- Releases of locks that the task did not hold.
CREATE TABLE bad_release (id INTEGER PRIMARY KEY, task INTEGER NOT NULL, instance INTEGER NOT NULL,
	stack INTEGER, mode INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
	count INTEGER NOT NULL);
-- Flight recorder: when it fired, why, and how many events of which span it wrote.
CREATE TABLE fired (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, why TEXT NOT NULL,
	events INTEGER NOT NULL, span INTEGER NOT NULL);

-- --- for people -----------------------------------------------------------------------------------

CREATE VIEW clock AS SELECT
	coalesce((SELECT value FROM meta WHERE key = 'realtime_offset'), 0) AS offset;

CREATE VIEW lock AS SELECT instance.id, class.name AS class,
	printf('0x%x', instance.address) AS address, instance.generation, instance.name,
	object.kind AS of, object.name AS owner, object.pid
	FROM instance JOIN class ON class.id = instance.class
	LEFT JOIN object ON object.id = instance.object;

CREATE VIEW stack_text AS SELECT stack, group_concat(text, char(10)) AS text FROM
	(SELECT stack, coalesce(symbol || printf('+0x%x', offset), printf('0x%x', ip)) ||
		coalesce(' [' || module || ']', '') || coalesce(' ' || file || ':' || line, '') AS text
	FROM stack_frame JOIN frame ON frame.id = stack_frame.frame ORDER BY stack, depth)
	GROUP BY stack;

-- The innermost frame that is no lock function and no scheduler: who took the lock.
CREATE VIEW call_site AS SELECT stack, symbol, min(depth) AS depth
	FROM stack_frame JOIN frame ON frame.id = stack_frame.frame
	WHERE symbol NOT GLOB '*mutex_lock*' AND symbol NOT GLOB '*down_read*'
	AND symbol NOT GLOB '*down_write*' AND symbol NOT GLOB 'rwsem_*'
	AND symbol NOT GLOB '*schedule*' AND symbol NOT GLOB 'percpu_*' GROUP BY stack;

-- Lock order: `to` was wanted while `from` was held.
CREATE VIEW dependency AS SELECT held.instance AS from_id, chain.wanted AS to_id,
	f.class AS "from", t.class AS "to", f.name AS from_name, t.name AS to_name,
	CASE held.mode WHEN 0 THEN 'exclusive' ELSE 'shared' END AS from_mode,
	CASE chain.wanted_mode WHEN 0 THEN 'exclusive' ELSE 'shared' END AS to_mode,
	sum(chain.count) AS count, min(chain.first) AS first, max(chain.last) AS last,
	datetime((min(chain.first) + offset) / 1000000000, 'unixepoch') AS first_seen,
	datetime((max(chain.last) + offset) / 1000000000, 'unixepoch') AS last_seen
	FROM chain JOIN chain_held AS held ON held.chain = chain.id
	JOIN lock AS f ON f.id = held.instance JOIN lock AS t ON t.id = chain.wanted
	JOIN clock
	WHERE NOT chain.wanted_flags & 1
	GROUP BY held.instance, chain.wanted, held.mode, chain.wanted_mode;

CREATE VIEW class_dependency AS SELECT "from", "to", sum(count) AS count, count(*) AS pairs,
	min(first_seen) AS first_seen, max(last_seen) AS last_seen
	FROM dependency GROUP BY "from", "to";

CREATE VIEW task_dependency AS SELECT task.pid, task.tid, task.comm, f.class AS "from",
	t.class AS "to", f.name AS from_name, t.name AS to_name, sum(task_chain.count) AS count,
	datetime((min(task_chain.first) + offset) / 1000000000, 'unixepoch') AS first_seen,
	datetime((max(task_chain.last) + offset) / 1000000000, 'unixepoch') AS last_seen
	FROM task_chain JOIN task ON task.id = task_chain.task
	JOIN chain ON chain.id = task_chain.chain
	JOIN chain_held AS held ON held.chain = chain.id
	JOIN lock AS f ON f.id = held.instance JOIN lock AS t ON t.id = chain.wanted
	JOIN clock
	WHERE NOT chain.wanted_flags & 1
	GROUP BY task.id, held.instance, chain.wanted;

CREATE VIEW wait_time AS SELECT lock.class, lock.name,
	(SELECT symbol FROM call_site WHERE call_site.stack = duration.stack) AS site,
	vm.name AS vm, count, total / 1000000.0 AS total_ms, total / 1000.0 / count AS average_us,
	max / 1000000.0 AS max_ms
	FROM duration JOIN lock ON lock.id = instance LEFT JOIN object AS vm ON vm.id = vm
	WHERE NOT is_hold AND count ORDER BY total DESC;

CREATE VIEW hold_time AS SELECT lock.class, lock.name,
	(SELECT symbol FROM call_site WHERE call_site.stack = duration.stack) AS site,
	vm.name AS vm, count, total / 1000000.0 AS total_ms, total / 1000.0 / count AS average_us,
	max / 1000000.0 AS max_ms
	FROM duration JOIN lock ON lock.id = instance LEFT JOIN object AS vm ON vm.id = vm
	WHERE is_hold AND count ORDER BY total DESC;

CREATE VIEW timeline AS SELECT event.id, time,
	datetime((time + offset) / 1000000000, 'unixepoch') AS at, task.pid, task.tid, task.comm,
	event_op.name AS op, lock.class, lock.name AS lock,
	CASE mode WHEN 0 THEN 'exclusive' ELSE 'shared' END AS mode
	FROM event JOIN event_op ON event_op.op = event.op LEFT JOIN task ON task.id = event.task
	LEFT JOIN lock ON lock.id = operand AND event.op IN (0, 1, 2, 3, 10) JOIN clock;
