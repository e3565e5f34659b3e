/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said about an edge or a lock when it is opened; stacks, witnesses. */

function stackList(id, label) {
	const stack = D.stacks.get(id);

	if (!stack || !stack.frames.length)
		return el('p', {class: 'empty'}, 'no stack recorded');
	return el('ol', {class: 'stack', 'aria-label': label, tabindex: 0}, stack.frames.map(([symbol, module, place]) =>
		el('li', null, el('code', null, symbol), module ? el('span', {class: 'module'}, ` [${module}]`) : null,
			place ? el('span', {class: 'place'}, ` ${place}`) : null)));
}

function lockNotes(lock, wanted) {
	const notes = [MODES[lock.mode]];

	if (lock.flags & HELD_TRY)
		notes.push('by trylock');
	if (lock.flags & HELD_INFERRED)
		notes.push('inferred from the path');
	if (wanted && lock.flags & HELD_FAULT)
		notes.push('by a page fault');
	if (wanted && lock.flags & HELD_BREAKABLE)
		notes.push('a signal can end this wait');
	return notes.join(', ');
}

function lockColumn(title, lock, wanted) {
	const stack = D.stacks.get(lock.stack);
	const color = classColor.get(lock.class);

	return el('div', {class: `column ${wanted ? 'wanted' : 'held'}${color === undefined ? '' : ` own-${color}`}`},
		el('h4', null, `${title} `, lockName(lock.class)),
		el('p', {class: 'instance'}, instanceName(lock.instance)),
		el('p', {class: 'notes'}, lockNotes(lock, wanted), stack && stack.kind === 'site' ? '; acquire site only' : ''),
		stackList(lock.stack, `Stack: ${className(lock.class)} ${wanted ? 'wanted' : 'acquired'} here`));
}

function whereFacts(task, objects, path) {
	const facts = [];

	if (D.tasks.has(task))
		facts.push(['task', taskName(task)]);
	if (objects.vm >= 0)
		facts.push(['VM', objectName(objects.vm)]);
	if (objects.group >= 0)
		facts.push(['group', objectName(objects.group)]);
	if (objects.device >= 0)
		facts.push(['device', `${objectName(objects.device)}${D.objects[objects.device].detail ? ` (${D.objects[objects.device].detail})` : ''}`]);
	if (path >= 0)
		facts.push(['path', PATHS[path]]);
	return el('dl', {class: 'where'}, facts.map(([key, value]) => el('div', null, el('dt', null, key), el('dd', null, value))));
}

/* What a chain was about, from the objects its locks belong to. */
function objectsOf(chain, task) {
	const objects = {vm: chain.vm, group: -1, device: -1};

	for (const lock of [...chain.held, chain.wanted])
		for (let id = D.instances.has(lock.instance) ? D.instances.get(lock.instance).object : -1, depth = 0;
			id >= 0 && depth < 4; id = D.objects[id].parent, depth++) {
			if (D.objects[id].kind === 1)
				objects.group = id;
			if (D.objects[id].kind === 2)
				objects.device = id;
		}
	if (objects.vm < 0 && D.tasks.has(task))
		objects.vm = D.tasks.get(task).vm;
	return objects;
}

/* One occurrence with both stacks side by side. `held` is the index of the lock in question. */
function witness(chain, held, task, objects) {
	const others = chain.held.filter((lock, i) => i !== held);

	return el('div', {class: 'witness'}, whereFacts(task, objects || objectsOf(chain, task), chain.path),
		el('div', {class: 'columns'}, chain.held[held] ? lockColumn('Held', chain.held[held], false) : null,
			lockColumn('Wanted', chain.wanted, true)),
		others.length ? el('p', {class: 'notes'}, 'Also held: ', others.map((lock, i) =>
			[i ? ', ' : '', lockName(lock.class), ` ${instanceName(lock.instance)}`])) : null);
}

function seen(row) {
	return `seen ${plural(row.count, 'time')}${row.first >= 0 ? `, first ${moment(row.first, D)}` : ''}${
		row.last > row.first && row.first >= 0 ? `, last ${duration(row.last - row.first)} later` : ''}`;
}

function chainsOf(dependency) {
	const chains = [];

	for (const chain of D.chains.values()) {
		const held = chain.held.findIndex((lock) => lock.instance === dependency.from && lock.mode === dependency.fromMode);

		if (held >= 0 && chain.wanted.instance === dependency.to && chain.wanted.mode === dependency.toMode &&
			!(chain.wanted.flags & HELD_TRY))
			chains.push({chain, held});
	}
	return chains.sort((a, b) => a.chain.first - b.chain.first);
}

function dependencyBlock(dependency, open) {
	const body = el('div'), chains = chainsOf(dependency);
	const block = el('details', {open}, el('summary', null, instanceName(dependency.from) || className(D.edges[dependency.edge].from), ' → ', instanceName(dependency.to) || className(D.edges[dependency.edge].to),
		el('span', {class: 'notes'}, ` ${MODES[dependency.fromMode]}, then ${MODES[dependency.toMode]}; ${seen(dependency)}`)), body);
	const draw = () => {
		if (body.childElementCount)
			return;
		body.append(...chains.slice(0, 6).map(({chain, held}) => witness(chain, held, chain.firstTask)));
		if (dependency.chainCount > chains.length)
			body.append(el('p', {class: 'notes'}, `${plural(dependency.chainCount - chains.length, 'more call path')} in the recording.`));
	};

	if (open)
		draw();
	block.addEventListener('toggle', draw);
	return block;
}

function present(kind, id, ...content) {
	const details = $('details');

	view.selected = {kind, id};
	markSelected();
	details.replaceChildren();
	fill(details, null, [el('button', {type: 'button', class: 'close', onclick: hideDetails}, 'Close'), ...content]);
	details.classList.add('open');
	details.focus({preventScroll: true});
	details.scrollIntoView({block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'});
}

function emptyDetails() {
	view.selected = null;
	markSelected();
	$('details').classList.remove('open');
	$('details').replaceChildren(el('p', {class: 'empty'}, 'Choose an edge to read its witnesses, or a lock to see its instances, owners and waits.'));
}

function hideDetails() {
	emptyDetails();
	$('picture').focus({preventScroll: true});
}

function showEdge(id) {
	const edge = D.edges[id], dependencies = [...edge.dependencies].sort((a, b) => b.count - a.count);
	const back = D.edgeOf.get(`${edge.to} ${edge.from}`);

	present('edge', id, el('h3', null, lockName(edge.from), ' → ', lockName(edge.to),
		edge.mark > 1 ? el('span', {class: 'pill bad'}, 'part of a cycle') : null),
	el('p', {class: 'notes'}, `${seen(edge)}; ${plural(edge.dependencyCount, 'pair')} of instances; ${plural(edge.tasks.size, 'task')}.`,
		edge.flags & 1 ? ' Inferred from a path, not probed.' : ''),
	back && back !== edge ? el('p', null, el('button', {type: 'button', onclick: () => showEdge(back.id)}, 'Show the opposite order')) : null,
	dependencies.length ? dependencies.slice(0, 30).map((dependency, i) => dependencyBlock(dependency, i === 0))
		: el('p', {class: 'empty'}, 'The source names the two classes only: no instances, no stacks.'),
	dependencies.length > 30 ? el('p', {class: 'notes'}, `${plural(dependencies.length - 30, 'more pair')} of instances not listed.`) : null);
}

function ownersNow(instance) {
	const owners = D.owners_now.filter((row) => row[1] === instance).map((row) => `${taskName(row[0])}${row[3] ? '' : ' (last reader)'}`);
	const waiters = D.waits_now.filter((row) => row[1] === instance).map((row) => taskName(row[0]));

	for (const finding of D.findings)
		for (const task of finding.resolved ? [] : finding.tasks) {
			if (task.holds.includes(instance))
				owners.push(taskName(task.task));
			if (task.wants === instance)
				waiters.push(taskName(task.task));
		}
	return [[...new Set(owners)].join(', ') || 'not recorded', [...new Set(waiters)].join(', ') || 'nobody seen'];
}

function timesBlock(id, rows, title, missing) {
	const row = rows.find((other) => other.class === id);

	return el('div', {class: 'times'}, el('h4', null, title), row ? [
		el('p', {class: 'notes'}, `${plural(row.count, 'time')}, ${duration(row.total)} in all, mean ${duration(row.total / Math.max(1, row.count))}, 99% under ${duration(row.p99)}, at most ${duration(row.max)}`),
		histogram(row, title)] : el('p', {class: 'empty'}, missing));
}

function edgeButton(edge, other) {
	return el('li', null, el('button', {type: 'button', class: edge.mark > 1 ? 'bad' : null, onclick: () => showEdge(edge.id)},
		className(other)), el('span', {class: 'notes'}, ` ${plural(edge.count, 'time')}${edge.mark > 1 ? ', part of a cycle' : ''}`));
}

function showClass(id) {
	const cls = D.classes[id], instances = [...D.instances.values()].filter((instance) => instance.class === id);
	const byCount = (a, b) => b.mark - a.mark || b.count - a.count;

	present('class', id, el('h3', null, lockName(id), cls.idiom ? el('code', {class: 'idiom'}, cls.idiom) : null,
		cls.mark > 1 ? el('span', {class: 'pill bad'}, 'part of a cycle') : null),
	el('p', null, el('button', {type: 'button', onclick: () => setFilter('around', id)}, 'Show only what touches this lock')),
	el('div', {class: 'columns'}, timesBlock(id, D.waits, 'Waits', D.waits.length ? 'no contended wait was seen' : D.no_waits),
		timesBlock(id, D.holds, 'Holds', D.holds.length ? 'no hold was seen' : D.no_holds)),
	table(`Instances (${count(instances.length)})`, ['Instance', 'Belongs to', 'Held by', 'Waited for by'],
		instances.slice(0, 100).map((instance) => [instanceName(instance.id) || 'the only one', objectName(instance.object), ...ownersNow(instance.id)])),
	el('div', {class: 'columns'},
		el('div', null, el('h4', null, 'Taken while this is held'), el('ul', {class: 'plain'}, [...cls.out].sort(byCount).slice(0, 60).map((edge) => edgeButton(edge, edge.to)))),
		el('div', null, el('h4', null, 'Held when this is taken'), el('ul', {class: 'plain'}, [...cls.in].sort(byCount).slice(0, 60).map((edge) => edgeButton(edge, edge.from))))));
}
