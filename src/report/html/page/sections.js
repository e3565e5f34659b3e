/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything around the graph: findings, filters, tables. */

/* --- findings ----------------------------------------------------------------------------------- */

function factRow(key, ...value) {
	return el('div', null, el('dt', null, key), el('dd', null, ...value));
}

function findingFacts(finding) {
	const rows = finding.known.map(([commit, title, state]) => factRow('Known fix', el('code', null, commit), ` ${title} `,
		el('span', {class: `pill ${state.startsWith('missing') ? 'bad' : ''}`}, state)));

	if (finding.kind !== 'deadlock' && finding.kind !== 'hang')
		rows.push(factRow('Guard', finding.guards.length ? finding.guards.map((id, i) =>
			[i ? ', ' : '', lockName(D.instances.get(id).class), ` ${instanceName(id)} is held over every order`]) : 'none: no lock is held over every order'));
	if (finding.kind === 'inversion' || finding.kind === 'cycle')
		rows.push(factRow('Prediction', finding.prediction === 'reachable' ? 'a legal reordering of the recorded events deadlocks'
			: finding.prediction === 'unreachable' ? 'no reordering of the recorded events gets there'
				: `not decided: ${finding.prediction_note || 'it needs every event (--record-events)'}`));
	for (const [key, value] of [['Ordered by', finding.ordered_by], ['Rule', finding.rule], ['Note', finding.note], ['Incomplete', finding.missing],
		['Suppressed', finding.suppressed], ['Task', finding.same_thread ? 'every order was seen from one task' : ''],
		['Inferred', finding.inferred ? 'one dependency is inferred from a path, not probed' : '']])
		if (value)
			rows.push(factRow(key, value));
	rows.push(factRow('Seen', seen(finding).replace('seen ', '')));
	return el('dl', {class: 'facts'}, rows);
}

function orderHeading(finding, i) {
	const to = finding.classes[(i + 1) % finding.classes.length];

	return el('h4', null, `Order ${i + 1}: `, lockName(finding.classes[i]), ' → ', lockName(to));
}

function witnessBlock(finding, row, i) {
	const chain = D.chains.get(row.chain);

	return el('div', {class: 'order'}, orderHeading(finding, i),
		chain ? witness(chain, row.held, row.task, row) : el('p', {class: 'empty'}, 'The source names the two classes only: no instances, no stacks.'),
		row.edge >= 0 ? el('p', null, el('button', {type: 'button', onclick: () => revealEdge(row.edge)}, 'Show this edge in the graph')) : null);
}

function otherTask(other) {
	return `${taskName(other.task)}${other.state ? `, state ${other.state}` : ''}${other.blocked ? `, for ${duration(other.blocked)}` : ''}`;
}

/* What a log says of a wait beyond the lock. */
function waitFacts(wait) {
	const facts = [['waits', `${wait.what}${wait.blocked ? `, for ${duration(wait.blocked)}` : ''}`]];

	if (wait.site)
		facts.push(['in', el('code', null, wait.site)]);
	if (wait.owner)
		facts.push(['likely owner', otherTask(wait.owner)]);
	for (const waiter of wait.waiters)
		facts.push(['behind', otherTask(waiter)]);
	if (wait.more)
		facts.push(['behind', `${count(wait.more)} more`]);
	return el('dl', {class: 'where'}, facts.map(([key, value]) => el('div', null, el('dt', null, key), el('dd', null, value))));
}

function ownerColumn(owner) {
	return el('div', {class: 'column'}, el('h4', null, taskName(owner.task)),
		el('p', {class: 'notes'}, `likely owns it${owner.state ? `, state ${owner.state}` : ''}`),
		stackList(owner.stack, `Kernel stack of ${taskName(owner.task)}`));
}

function blockedColumn(task) {
	const wants = D.instances.get(task.wants);

	return el('div', {class: 'column'}, el('h4', null, taskName(task.task)),
		el('p', {class: 'notes'}, `state ${task.state}, ${['uninterruptible', 'killable', 'interruptible'][task.breakable] || ''} wait${task.since >= 0 ? ` since ${moment(task.since, D)}` : ''}`),
		task.holds.filter((id) => D.instances.has(id)).map((id) => el('p', null, 'holds ', lockName(D.instances.get(id).class), el('span', {class: 'instance'}, ` ${instanceName(id)}`))),
		wants ? el('p', null, 'wants ', lockName(wants.class), el('span', {class: 'instance'}, ` ${instanceName(wants.id)}`))
			: task.wait && task.wait.class >= 0 ? el('p', null, 'wants ', lockName(task.wait.class)) : null,
		task.wait ? waitFacts(task.wait) : null,
		stackList(task.kernel_stack, `Kernel stack of ${taskName(task.task)}`),
		task.user_stack >= 0 ? [el('p', {class: 'notes'}, 'user stack'), stackList(task.user_stack, `User stack of ${taskName(task.task)}`)] : null);
}

function findingBlock(finding, open) {
	const code = finding.kind === 'deadlock' ? '' : `, ${finding.code}`;
	const isWait = finding.kind === 'deadlock' || finding.kind === 'hang', owners = finding.tasks.map((task) => task.wait && task.wait.owner).filter((owner) => owner);
	const evidence = isWait && finding.tasks.length ? el('div', {class: 'columns'}, finding.tasks.map(blockedColumn), finding.kind === 'hang' ? owners.map(ownerColumn) : null)
		: [...finding.tasks.map(blockedColumn), ...finding.witnesses.map((row, i) => witnessBlock(finding, row, i))];
	const cyclic = finding.classes.length && !['unlock', 'order', 'nesting', 'hang', 'irq'].includes(finding.kind);

	return el('article', {class: `finding ${finding.is_suppressed ? 'suppressed' : finding.grade}`},
		el('p', {class: 'grade'}, `${finding.grade}: ${finding.kind}${code}${finding.is_suppressed ? ', suppressed' : ''}`),
		el('h3', null, finding.sentence),
		el('div', {class: 'overview'}, cyclic ? ordersFigure(finding) : finding.kind === 'hang' ? waitFigure(finding) : null, findingFacts(finding)),
		finding.next.length ? el('div', {class: 'next'}, el('h4', null, 'What to do next'), el('ul', null, finding.next.map((line) => el('li', null, line)))) : null,
		finding.schedule.length ? el('details', {open: finding.schedule.length < 15}, el('summary', null, 'The schedule that deadlocks'), el('ol', null, finding.schedule.map((line) => el('li', null, line)))) : null,
		el('details', {class: 'evidence', open}, el('summary', null, isWait ? 'The tasks and their stacks' : 'Every order with both stacks'), evidence));
}

function drawFindings() {
	const worst = D.findings.filter((finding) => !finding.is_suppressed && finding.grade !== 'info');

	$('findings-list').replaceChildren(...(D.findings.length ? D.findings.slice(0, 200).map((finding, i) => findingBlock(finding, i < 2 && worst.includes(finding)))
		: [el('p', {class: 'empty'}, 'No finding. What was looked at, and what was not, is under Coverage and losses.')]));
}

/* --- filters ------------------------------------------------------------------------------------ */

function option(value, label) {
	return el('option', {value}, label);
}

function choice(key, label, options) {
	return el('label', null, label, el('select', {id: `filter-${key}`, onchange: (event) => setFilter(key, event.target.value)}, options));
}

function setFilter(key, value) {
	view[key] = key === 'show' || key === 'search' ? value : Number(value);
	if (key !== 'search' && $(`filter-${key}`))
		$(`filter-${key}`).value = String(value);
	updateGraph();
	if (key === 'search')
		goToMatch();
}

function goToMatch() {
	const found = [...view.classes].filter((id) => matches(className(id)));

	if (found.length && found.length <= 3)
		centerOn(found[0]);
}

function byName(ids, name) {
	return [...ids].sort((a, b) => name(a).localeCompare(name(b)));
}

function resetFilters() {
	const firstView = D.edges.length > BIG && D.edges.some((edge) => edge.mark > 1) ? 'near' : 'all';

	Object.assign(view, {show: firstView, task: -1, vm: -1, path: -1, around: -1, search: ''});
	for (const key of ['show', 'task', 'vm', 'path', 'around', 'search'])
		$(`filter-${key}`).value = String(view[key]);
	updateGraph();
}

function drawControls() {
	const tasks = [...D.tasks.values()].filter((task) => task.edges.size).map((task) => task.id);
	const vms = new Set(D.edges.flatMap((edge) => [...edge.vms])), paths = new Set(D.edges.flatMap((edge) => [...edge.paths]));
	let timer = 0;

	$('controls').addEventListener('submit', (event) => {
		event.preventDefault();
		goToMatch();
	});
	$('controls').append(
		el('label', null, 'Search', el('input', {type: 'search', id: 'filter-search', placeholder: 'part of a lock name', autocomplete: 'off',
			oninput: (event) => {
				clearTimeout(timer);
				timer = setTimeout(() => setFilter('search', event.target.value.trim()), 150);
			}})),
		choice('show', 'Show', [option('all', 'everything'), option('near', 'cycles and neighbours'), option('cycles', 'only cycles')]),
		choice('around', 'Lock class', [option(-1, 'all'), ...byName(D.classes.map((cls) => cls.id), className).map((id) => option(id, className(id)))]),
		choice('task', 'Task', [option(-1, 'all'), ...byName(tasks, taskName).map((id) => option(id, taskName(id)))]),
		choice('vm', 'VM', [option(-1, 'all'), ...byName(vms, objectName).map((id) => option(id, objectName(id)))]),
		choice('path', 'Path', [option(-1, 'all'), ...[...paths].sort((a, b) => a - b).map((id) => option(id, PATHS[id]))]),
		el('button', {type: 'button', id: 'filter-reset', onclick: resetFilters}, 'Reset'));
}

function revealEdge(id) {
	if (!view.edges.includes(D.edges[id]))
		resetFilters();
	$('graph').scrollIntoView();
	showEdge(id);
}

function drawEdgeList() {
	const rows = view.edges.filter((edge) => !view.search || matches(className(edge.from)) || matches(className(edge.to)))
		.sort((a, b) => b.mark - a.mark || b.count - a.count);

	$('edge-list').querySelector('summary').textContent = `Edges as a list (${count(rows.length)})`;
	$('edge-rows').replaceChildren(table('Edges shown, cycles first', ['Held', 'Wanted', '#Times', '#Instance pairs', '#Tasks', ''],
		rows.slice(0, 500).map((edge) => [[className(edge.from), {class: 'mono'}],
			[el('button', {type: 'button', class: edge.mark > 1 ? 'bad link' : 'link', onclick: () => showEdge(edge.id)}, className(edge.to)), {class: 'mono'}],
			[count(edge.count), {class: 'number'}], [count(edge.dependencyCount), {class: 'number'}], [count(edge.tasks.size), {class: 'number'}],
			edge.mark > 1 ? 'cycle' : edge.flags & 1 ? 'inferred' : ''])));
	if (rows.length > 500)
		$('edge-rows').append(el('p', {class: 'notes'}, `${count(rows.length - 500)} more: search or filter to see them.`));
}

/* --- tables ------------------------------------------------------------------------------------- */

function durationTable(caption, what, rows, name) {
	return rows.length ? table(caption, [what, '#Times', '#Total', '#Mean', '#Median under', '#99% under', '#Longest'], rows.slice(0, 40).map((row) =>
		[[name(row), {class: 'mono'}], ...[count(row.count), duration(row.total), duration(row.total / Math.max(1, row.count)), duration(row.p50),
			duration(row.p99), duration(row.max)].map((cell) => [cell, {class: 'number'}])])) : null;
}

function durationBlock(title, byClass, byPath, byVm, missing) {
	if (!byClass.length)
		return el('div', null, el('h3', null, title), el('p', {class: 'empty'}, missing));
	const name = (row) => className(row.class), vms = byVm.filter((row) => row.vm >= 0);

	return el('div', null, el('h3', null, title), durationTable(`${title} by class`, 'Lock class', byClass, name),
		durationTable(`${title} by VM`, 'VM', vms.length ? byVm : [], (row) => (row.vm < 0 ? 'no VM known' : objectName(row.vm))),
		el('details', null, el('summary', null, `${title} by call path`), byPath.slice(0, 20).map((row) =>
			el('div', {class: 'path'}, el('p', null, lockName(row.class), ` ${plural(row.count, 'time')}, ${duration(row.total)} in all, at most ${duration(row.max)}`),
				histogram(row, className(row.class)), stackList(row.stack, 'Call path')))));
}

function drawTimes() {
	$('times-tables').replaceChildren(
		durationBlock('Waits', D.waits, D.wait_paths, D.wait_vms, D.no_waits),
		durationBlock('Holds', D.holds, D.hold_paths, D.hold_vms, D.no_holds));
}

function taskRows(task) {
	return [...task.edges].map(([id, n]) => ({edge: D.edges[id], n})).sort((a, b) => b.edge.mark - a.edge.mark || b.n - a.n);
}

function drawTasks() {
	const tasks = [...D.tasks.values()].filter((task) => task.edges.size)
		.sort((a, b) => taskRows(b)[0].edge.mark - taskRows(a)[0].edge.mark || b.edges.size - a.edges.size);

	$('task-tables').replaceChildren(...(tasks.length ? tasks.slice(0, 200).map((task) =>
		el('details', {class: 'task'}, el('summary', null, taskName(task.id), el('span', {class: 'notes'}, ` ${plural(task.edges.size, 'order')}${
			taskRows(task)[0].edge.mark > 1 ? ', part of a cycle' : ''}`)),
		el('p', null, el('button', {type: 'button', onclick: () => {
			setFilter('show', 'all');
			setFilter('task', task.id);
			$('graph').scrollIntoView();
		}}, 'Show this task in the graph')),
		el('ul', {class: 'plain'}, taskRows(task).slice(0, 100).map(({edge, n}) => el('li', null,
			el('button', {type: 'button', class: edge.mark > 1 ? 'bad link' : 'link', onclick: () => revealEdge(edge.id)}, `${className(edge.from)} → ${className(edge.to)}`),
			el('span', {class: 'notes'}, n ? ` ${plural(n, 'time')}` : ''))))))
		: [el('p', {class: 'empty'}, 'No task took a lock while it held another.')]));
	if (tasks.length > 200)
		$('task-tables').append(el('p', {class: 'notes'}, `${count(tasks.length - 200)} more tasks: the Task filter of the graph has all of them.`));
}

function drawCoverage() {
	const said = {hit: 'good', zero: 'warn', absent: '', unprobed: 'bad'};
	const lost = D.losses.filter(([, n]) => n).length;

	$('coverage-tables').replaceChildren(el('div', {class: 'columns'},
		!D.coverage.length ? el('p', {class: 'empty'}, 'Which paths ran is not known: this source does not say.') : table('How often each path ran while we looked', ['Path', 'State', '#Hits', 'Probe, or why not', 'Drivers'], D.coverage.map(([path, state, hits, probe, reason, drivers]) =>
			[[path, {class: 'mono'}], el('span', {class: `pill ${said[state]}`}, state), [state === 'hit' || state === 'zero' ? count(hits) : '–', {class: 'number'}], reason || probe, drivers || '–'])),
		el('div', null, table('What could not be recorded', ['Reason', '#Count'], D.losses.map(([reason, n]) =>
			[[reason, {class: 'mono'}], [count(n), {class: n ? 'number lost' : 'number zero'}]]), {class: 'losses'}),
		el('p', {class: lost || D.losses_unknown ? 'lost' : 'notes'}, D.losses_unknown ? `Not all losses can be counted: ${D.losses_unknown}`
			: lost ? 'Something was lost: more may have happened than was seen.' : 'Nothing was lost.'))));
}

function drawHost() {
	const isDetail = ([key]) => /^(fix|module|probe|overhead)\b/.test(key), rows = (facts) => facts.map(([key, value]) => factRow(key, value));
	const details = D.facts.filter(isDetail);

	$('host-facts').replaceChildren(el('dl', {class: 'facts'}, rows(D.facts.filter((fact) => !isDetail(fact))),
		factRow('made by', `vfiotrace ${D.version}`)));
	if (details.length)
		$('host-facts').append(el('details', null, el('summary', null, `Fixes, modules, probes and cost (${details.length})`),
			el('dl', {class: 'facts'}, rows(details))));
}
