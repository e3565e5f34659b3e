/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures: the orders that close a cycle, histograms, the timeline. */

function text(x, y, content, attributes) {
	return svg('text', {x, y, ...attributes}, content);
}

function shorten(name, characters) {
	return name.length > characters ? `${name.slice(0, characters - 1)}…` : name;
}

function ownColor(id) {
	return classColor.has(id) ? `var(--own-${classColor.get(id)})` : 'var(--muted)';
}

function hatch(id, color) {
	return svg('pattern', {id, width: 7, height: 7, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)'},
		svg('rect', {width: 7, height: 7, fill: 'var(--surface)'}),
		svg('rect', {width: 3, height: 7, fill: color, opacity: 0.55}));
}

let figureCount = 0;

/*
 * One lane an order: a solid bar for the lock held, a hatched one for the lock wanted, and an arrow
 * to the lane that holds what is wanted. The arrows close the cycle; that is the whole problem.
 */
function ordersFigure(finding) {
	const lanes = finding.classes.map((from, i) => ({from, to: finding.classes[(i + 1) % finding.classes.length],
		who: finding.tasks[i] ? finding.tasks[i].task : finding.witnesses[i] ? finding.witnesses[i].task : -1}));
	const laneHeight = 92, width = 640, prefix = `orders-${figureCount++}`;
	const description = lanes.map((lane) =>
		`${taskName(lane.who)} holds ${className(lane.from)} and wants ${className(lane.to)}`).join('; ');
	const figure = svg('svg', {class: 'orders', viewBox: `0 0 ${width} ${lanes.length * laneHeight + 6}`, role: 'img',
		'aria-label': description});
	const marker = svg('marker', {id: `${prefix}-head`, viewBox: '0 0 10 10', refX: 9, refY: 5, markerWidth: 7,
		markerHeight: 7, orient: 'auto-start-reverse'}, svg('path', {d: 'M0 0 10 5 0 10z', fill: 'var(--cycle)'}));
	const defs = svg('defs', null, marker);

	figure.append(defs);
	lanes.forEach((lane, i) => {
		const y = i * laneHeight, next = (i + 1) % lanes.length;
		const wantY = y + 63, holdY = next * laneHeight + 35, out = next > i ? 594 : 632;

		defs.append(hatch(`${prefix}-${i}`, ownColor(lane.to)));
		figure.append(
			text(0, y + 14, `${i + 1}  ${shorten(taskName(lane.who), 60)}`, {class: 'who'}),
			svg('rect', {x: 0, y: y + 22, width: 400, height: 26, rx: 3, fill: ownColor(lane.from)}),
			text(10, y + 40, `holds ${shorten(className(lane.from), 42)}`, {class: 'on-bar'}),
			svg('rect', {x: 150, y: y + 50, width: 390, height: 26, rx: 3, fill: `url(#${prefix}-${i})`,
				stroke: ownColor(lane.to)}),
			svg('rect', {x: 156, y: y + 54, width: Math.min(376, 8.1 * (6 + Math.min(className(lane.to).length, 40)) + 10),
				height: 18, rx: 2, fill: 'var(--surface)'}),
			text(162, y + 68, `wants ${shorten(className(lane.to), 40)}`, {class: 'in-bar'}));
		if (lanes.length > 1)
			figure.append(svg('path', {class: 'closes', 'marker-end': `url(#${prefix}-head)`,
				d: `M540 ${wantY} C ${out} ${wantY} ${out} ${holdY} 403 ${holdY}`}));
	});
	return figure;
}

/*
 * Who waits for what and who has it, as far as a log tells: those who wait on the left, what they
 * wait for in the middle, its likely owner on the right.
 */
function waitFigure(finding) {
	const {task, wait, state} = finding.tasks[0], row = 46, box = 190, prefix = `wait-${figureCount++}`;
	const waiting = [{task, state, blocked: wait.blocked}, ...wait.waiters.slice(0, 5)];
	const more = wait.more + wait.waiters.length - waiting.length + 1;
	const height = Math.max(1, waiting.length) * row + (more ? 22 : 6), middle = waiting.length * row / 2 - 5;
	const thing = wait.class >= 0 ? className(wait.class) : wait.what.replace(/^(on|until) (an? |all |some)?/, '');
	const figure = svg('svg', {class: 'orders', viewBox: `0 0 640 ${height}`, role: 'img', 'aria-label': finding.sentence});
	const node = (x, y, name, note, attributes) => [svg('rect', {x, y: y - 17, width: box, height: 34, rx: 4, fill: 'var(--surface)', stroke: 'var(--muted)', ...attributes}),
		text(x + 8, y - 3, shorten(name, 24), {class: 'in-bar'}), text(x + 8, y + 11, shorten(note, 26), {class: 'axis'})];

	figure.append(svg('defs', null, svg('marker', {id: `${prefix}-head`, viewBox: '0 0 10 10', refX: 9, refY: 5, markerWidth: 7,
		markerHeight: 7, orient: 'auto'}, svg('path', {d: 'M0 0 10 5 0 10z', fill: 'var(--cycle)'}))));
	waiting.forEach((other, i) => {
		const y = i * row + 18, note = `${other.state ? `state ${other.state}` : ''}${other.blocked ? `, waits ${duration(other.blocked)}` : ''}`;

		figure.append(svg('path', {class: 'closes', 'marker-end': `url(#${prefix}-head)`, d: `M${box} ${y} C ${box + 20} ${y} ${box + 12} ${middle} ${box + 33} ${middle}`}),
			...node(0, y, taskName(other.task), note.replace(/^, /, ''), i ? {} : {stroke: 'var(--cycle)', 'stroke-width': 2}));
	});
	figure.append(...node(box + 35, middle, thing, wait.site || '', wait.class >= 0 ? {stroke: ownColor(wait.class)} : {'stroke-dasharray': '4 3'}));
	if (wait.owner)
		figure.append(svg('path', {class: 'closes', 'stroke-dasharray': '5 4', 'marker-end': `url(#${prefix}-head)`, d: `M${2 * box + 35} ${middle} L ${2 * box + 68} ${middle}`}),
			...node(2 * box + 70, middle, taskName(wait.owner.task), `likely owns it${wait.owner.state ? `, state ${wait.owner.state}` : ''}`));
	if (more)
		figure.append(text(0, height - 6, `and ${plural(more, 'more task')} behind it`, {class: 'axis'}));
	return figure;
}

/* Durations by powers of two; bars carry their numbers for those who cannot see them. */
function histogram(row, label) {
	const width = 26, height = 84, n = row.buckets.length, top = Math.max(...row.buckets, 1);
	const figure = svg('svg', {class: 'histogram', width: n * width + 8, height: height + 40, role: 'img',
		'aria-label': `${label}: ${row.buckets.map((value, i) =>
			`${plural(value, 'time')} up to ${duration(2 ** (row.first + i + 1))}`).join(', ')}`});

	row.buckets.forEach((value, i) => {
		const bar = value ? Math.max(2, height * value / top) : 0;

		figure.append(svg('rect', {x: 4 + i * width, y: 12 + height - bar, width: width - 3, height: bar, rx: 2},
			svg('title', null, `${duration(2 ** (row.first + i))} to ${duration(2 ** (row.first + i + 1))}: ${count(value)}`)));
		if (value)
			figure.append(text(4 + i * width + (width - 3) / 2, 8 + height - bar, value > 9999 ? '' : count(value),
				{class: 'value'}));
		if (i % 4 === 0)
			figure.append(text(4 + i * width, height + 28, duration(2 ** (row.first + i)).replace(/\.\d+/, ''),
				{class: 'axis'}));
	});
	return figure;
}

/* --- timeline ----------------------------------------------------------------------------------- */

function cycleTasks() {
	const tasks = [];

	for (const finding of D.findings)
		if (finding.grade !== 'info' && !finding.is_suppressed)
			for (const row of [...finding.tasks, ...finding.witnesses])
				if (D.tasks.has(row.task) && !tasks.includes(row.task))
					tasks.push(row.task);
	return tasks.slice(0, 12);
}

/* Bars {task, kind: hold|wait|between, from, to, class, label} from the event stream. */
function barsFromEvents() {
	const bars = [], open = new Map(), last = D.events.length ? D.events[D.events.length - 1][0] : 0;
	const wanted = new Map();

	for (const [time, task, op, instance] of D.events) {
		const key = `${task} ${instance}`, lock = D.instances.get(instance);

		if (!lock)
			continue;
		if (op === 3) {
			wanted.set(task, {task, kind: 'wait', from: time, class: lock.class, instance});
		} else if (op === 0 || op === 2) {
			const wait = wanted.get(task);

			if (wait && wait.instance === instance)
				bars.push({...wait, to: time});
			wanted.delete(task);
			open.set(key, {task, kind: 'hold', from: time, class: lock.class, instance});
		} else if (op === 1 && open.has(key)) {
			bars.push({...open.get(key), to: time});
			open.delete(key);
		}
	}
	/* What never ended is drawn a little beyond the last event, so that it can be seen. */
	const beyond = last + Math.max(1, (last - (D.events[0] ? D.events[0][0] : 0)) * 0.12);

	for (const bar of [...open.values(), ...wanted.values()])
		bars.push({...bar, to: beyond, open: true});
	return bars;
}

/* Without one: when each task was first and last seen on a chain of the cycle. */
function barsFromTaskChains(tasks) {
	const bars = [];

	for (const [task, chainId, n, first, last] of D.task_chains) {
		const chain = D.chains.get(chainId);

		if (!tasks.includes(task) || first < 0 || !chain.edges.some((edge) => edge.mark > 1))
			continue;
		const held = chain.held[chain.held.length - 1];
		bars.push({task, kind: 'between', from: first, to: Math.max(first, last), class: chain.wanted.class,
			label: `${className(held ? held.class : -1)} then ${className(chain.wanted.class)}, ${plural(n, 'time')}`});
	}
	return bars;
}

function barsOfDeadlocks() {
	const bars = [];

	for (const finding of D.findings)
		for (const task of finding.tasks)
			if (task.since >= 0 && D.instances.has(task.wants))
				bars.push({task: task.task, kind: 'wait', from: task.since, to: Math.max(finding.last, task.since),
					class: D.instances.get(task.wants).class, open: !finding.resolved, instance: task.wants});
	return bars;
}

function timelineBars() {
	const tasks = cycleTasks();

	if (D.events.length)
		return {tasks, bars: barsFromEvents(), source: D.clock.has ? 'every event was recorded' :
			'every event was recorded, without a clock: the axis counts events'};
	return {tasks, bars: [...barsFromTaskChains(tasks), ...barsOfDeadlocks()],
		source: 'only first and last occurrences were recorded: between them the order was seen again, but not when. --record-events records every event'};
}

/* Bars that overlap in one lane are put under each other. */
function stackRows(bars) {
	const ends = [];

	for (const bar of bars.sort((a, b) => a.from - b.from)) {
		/* the label of `between` is wider than its bar: it gets a row of its own */
		let row = bar.kind === 'between' ? -1 : ends.findIndex((end) => end <= bar.from);

		if (row < 0)
			row = ends.push(0) - 1;
		bar.row = Math.min(row, 7);
		ends[row] = bar.kind === 'between' ? Infinity : bar.to;
	}
	return Math.min(ends.length, 8) || 1;
}

function barText(bar) {
	const verb = {hold: 'holds', wait: bar.open ? 'waits, never got' : 'waits for', between: 'seen:'}[bar.kind];
	const when = D.clock.has ? `${duration(bar.from)} to ${duration(bar.to)} after the start` : `event ${bar.from} to ${bar.to}`;

	return `${taskName(bar.task)} ${verb} ${bar.label || className(bar.class)} ${bar.instance === undefined ? '' : instanceName(bar.instance)}, ${when}`;
}

/* On the line where there is room, else beside it. */
function betweenLabel(bar, x, y, end) {
	const width = 6.8 * bar.label.length + 12, middle = (x + end) / 2;

	if (end - x > width + 40)
		return [svg('rect', {x: middle - width / 2, y: y + 1, width, height: 16, fill: 'var(--surface)'}),
			text(middle, y + 13, bar.label, {class: 'axis', 'text-anchor': 'middle'})];
	return end + width < 1150 ? text(end + 10, y + 13, bar.label, {class: 'axis'})
		: text(x - 10, y + 13, bar.label, {class: 'axis', 'text-anchor': 'end'});
}

function drawBar(bar, x, y, end, pattern) {
	const width = Math.max(3, end - x), title = svg('title', null, barText(bar));

	if (bar.kind === 'between')
		return svg('g', {class: 'between', style: `--color: ${ownColor(bar.class)}`}, title,
			svg('line', {x1: x, x2: end, y1: y + 9, y2: y + 9}), betweenLabel(bar, x, y, end),
			svg('circle', {cx: x, cy: y + 9, r: 5}), svg('circle', {cx: end, cy: y + 9, r: 5}));
	const name = className(bar.class), room = Math.floor(width / 7);
	return svg('g', null, title, svg('rect', {x, y: y + 1, width, height: 17, rx: 2,
		fill: bar.kind === 'hold' ? ownColor(bar.class) : `url(#${pattern})`, stroke: ownColor(bar.class)}),
	room > 3 && bar.kind === 'hold' ? text(x + 5, y + 14, shorten(name, room), {class: 'on-bar small'}) : null,
	room > name.length + 7 && bar.kind === 'wait' ? [svg('rect', {x: x + 3, y: y + 3, width: 6.7 * (name.length + 7), height: 13, fill: 'var(--surface)'}),
		text(x + 6, y + 14, `waits ${name}`, {class: 'in-bar small'})] : null);
}

function timelineFigure() {
	const {tasks, bars, source} = timelineBars(), width = 1160, left = 210;
	const shown = bars.filter((bar) => tasks.includes(bar.task)).slice(0, 3000);

	if (!shown.length)
		return el('p', {class: 'empty'}, tasks.length ? 'No times were recorded for these tasks.' : 'There is no cycle, so there is nothing to show here.');
	const from = Math.min(...shown.map((bar) => bar.from)), to = Math.max(...shown.map((bar) => bar.to), from + 1);
	const scale = (time) => left + (width - left - 20) * (time - from) / (to - from);
	const figure = svg('svg', {class: 'timeline', role: 'img', 'aria-label': `Timeline: ${shown.slice(0, 12).map(barText).join('; ')}`});
	const defs = svg('defs');
	let y = 26;

	figure.append(defs);
	for (const id of new Set(shown.map((bar) => bar.class)))
		defs.append(hatch(`wait-${id}`, ownColor(id)));
	for (let i = 0; i <= 5; i++) {
		const time = from + (to - from) * i / 5;

		figure.append(svg('line', {class: 'tick', x1: scale(time), x2: scale(time), y1: 18, y2: '100%'}),
			text(scale(time), 12, D.clock.has ? `+${duration(time)}` : `event ${Math.round(time)}`,
				{class: 'axis', 'text-anchor': i === 5 ? 'end' : i ? 'middle' : 'start'}));
	}
	for (const task of tasks) {
		const own = shown.filter((bar) => bar.task === task), rows = stackRows(own);

		figure.append(text(0, y + 14, shorten(taskName(task), 28), {class: 'who'}),
			svg('line', {class: 'lane', x1: 0, x2: width, y1: y + rows * 22 + 5, y2: y + rows * 22 + 5}));
		for (const bar of own)
			figure.append(drawBar(bar, scale(bar.from), y + bar.row * 22, scale(bar.to), `wait-${bar.class}`));
		y += rows * 22 + 12;
	}
	figure.setAttribute('viewBox', `0 0 ${width} ${y}`);
	return el('figure', null, el('div', {class: 'scroll'}, figure),
		el('figcaption', null, `Solid: held. Hatched: waiting. Source: ${source}.${D.events_cut ? ` ${count(D.events_cut)} earlier events are left out.` : ''}`));
}
