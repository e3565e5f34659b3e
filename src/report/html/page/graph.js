/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The class graph: what is shown, drawing it, moving in it. */

const BIG = 150; /* edges; above, the page opens on the cycles and what touches them */
const view = {show: 'all', task: -1, vm: -1, path: -1, around: -1, search: '', edges: [], classes: new Set(),
	layout: null, x: 0, y: 0, scale: 1, selected: null};

/* --- what is shown ------------------------------------------------------------------------------ */

function matches(name) {
	return view.search !== '' && name.toLowerCase().includes(view.search.toLowerCase());
}

function passesFilters(edge) {
	return (view.task < 0 || edge.tasks.has(view.task)) && (view.vm < 0 || edge.vms.has(view.vm)) &&
		(view.path < 0 || edge.paths.has(view.path)) &&
		(view.around < 0 || edge.from === view.around || edge.to === view.around);
}

function chooseEdges() {
	const edges = D.edges.filter(passesFilters);

	if (view.show === 'cycles')
		return edges.filter((edge) => edge.mark);
	if (view.show === 'near') {
		const core = new Set();

		for (const edge of D.edges)
			if (edge.mark > 1)
				core.add(edge.from).add(edge.to);
		for (const cls of D.classes)
			if (matches(cls.name))
				core.add(cls.id);
		return edges.filter((edge) => core.has(edge.from) || core.has(edge.to));
	}
	return edges;
}

function updateGraph() {
	view.edges = chooseEdges();
	view.classes = new Set(view.edges.flatMap((edge) => [edge.from, edge.to]));
	if (view.around >= 0)
		view.classes.add(view.around);
	view.layout = layoutGraph([...view.classes], view.edges);
	drawGraph();
	fitGraph();
	drawEdgeList();
	sayShown();
}

function sayShown() {
	const found = [...view.classes].filter((id) => matches(className(id)));
	const hidden = view.search ? D.classes.filter((cls) => matches(cls.name) && !view.classes.has(cls.id)).length : 0;
	const parts = [`${count(view.classes.size)} of ${plural(D.classes.length, 'class', 'classes')}, ${count(view.edges.length)} of ${plural(D.edges.length, 'edge')} shown.`];

	if (view.search)
		parts.push(`${plural(found.length, 'match', 'matches')}${hidden ? `, ${count(hidden)} more not shown` : ''}.`);
	if (D.cut)
		parts.push(`${count(D.cut)} dependencies are not in this page, only in the recording.`);
	$('shown').textContent = parts.join(' ');
}

/* --- drawing ------------------------------------------------------------------------------------ */

function edgePath(edge) {
	const from = view.layout.nodes.get(edge.from), to = view.layout.nodes.get(edge.to);
	const back = to.x < from.x, same = Math.abs(to.x - from.x) < 1;
	const paired = D.edgeOf.has(`${edge.to} ${edge.from}`) && edge.from !== edge.to;
	const lift = paired ? (back ? 11 : -11) : 0;
	const x1 = from.x + (back ? -1 : 1) * from.width / 2, x2 = to.x + (back || same ? back ? 1 : 1 : -1) * to.width / 2;
	const y1 = from.y + lift, y2 = to.y + lift, tip = back || same ? x2 + 3 : x2 - 3;
	const bends = view.layout.bends.get(`${edge.from} ${edge.to}`) || [];

	if (edge.from === edge.to)
		return `M${from.x - 14} ${from.y - NODE_HEIGHT / 2}c-20 -34 48 -34 31 -3`;
	if (same)
		return `M${x1} ${y1}C${x1 + 46} ${y1} ${x2 + 46} ${y2} ${tip} ${y2}`;
	let path = `M${x1} ${y1}`, px = x1, py = y1;
	for (const [x, y] of [...bends, [tip, y2]]) {
		const half = (x - px) / 2;

		path += `C${px + half} ${py} ${x - half} ${y} ${x} ${y}`;
		px = x;
		py = y;
	}
	return path;
}

function edgeLabel(edge) {
	return `${className(edge.from)} then ${className(edge.to)}, ${plural(edge.count, 'time')}${edge.mark > 1 ? ', part of a cycle' : ''}`;
}

function drawEdge(edge, withHits) {
	const d = edgePath(edge), cycle = edge.mark > 1;
	const kind = cycle ? 'edge cycle' : edge.flags & 1 ? 'edge inferred' : 'edge';
	const width = Math.min(4, 1 + Math.log10(Math.max(1, edge.count)) / 2) + (cycle ? 1.4 : 0);
	const group = svg('g', {class: kind, 'data-edge': edge.id, role: 'button', 'aria-label': edgeLabel(edge),
		tabindex: cycle || view.edges.length <= 60 ? 0 : null},
	svg('title', null, edgeLabel(edge)), withHits ? svg('path', {class: 'hit', d}) : null,
	svg('path', {class: 'line', d, 'stroke-width': width.toFixed(1), 'marker-end': cycle ? 'url(#arrow-cycle)' : 'url(#arrow)'}));

	return group;
}

function drawNode(id) {
	const cls = D.classes[id], place = view.layout.nodes.get(id), dot = cls.name.indexOf('.');
	const color = classColor.get(id);
	const names = ['node', cls.mark > 1 ? 'cycle' : '', cls.flags & CLASS_IN_SCOPE ? 'scope' : '',
		cls.flags & CLASS_INFERRED ? 'inferred' : '', color === undefined ? '' : `own-${color}`,
		matches(cls.name) ? 'match' : ''];
	const label = dot > 0 ? [text(0, -5, shorten(cls.name.slice(0, dot), 36), {class: 'type'}),
		text(0, 11, shorten(cls.name.slice(dot + 1), 32), {class: 'member'})]
		: [text(0, 4, shorten(cls.name, 32), {class: 'member'})];

	return svg('g', {class: names.filter(Boolean).join(' '), 'data-class': id, role: 'button',
		transform: `translate(${place.x.toFixed(1)} ${place.y.toFixed(1)})`,
		tabindex: view.classes.size <= 60 || cls.mark > 1 ? 0 : null,
		'aria-label': `${cls.name}${cls.idiom ? `, ${cls.idiom}` : ''}${cls.mark > 1 ? ', part of a cycle' : ''}`},
	svg('title', null, `${cls.name}${cls.idiom ? ` (${cls.idiom})` : ''}`),
	svg('rect', {x: -place.width / 2, y: -NODE_HEIGHT / 2, width: place.width, height: NODE_HEIGHT, rx: 5}), label);
}

function arrow(id) {
	return svg('marker', {id, viewBox: '0 0 10 10', refX: 8, refY: 5, markerWidth: 8, markerHeight: 8,
		orient: 'auto', markerUnits: 'userSpaceOnUse'}, svg('path', {d: 'M0 0 10 5 0 10z'}));
}

function drawGraph() {
	const picture = $('picture'), plain = view.edges.filter((edge) => edge.mark < 2);
	const cycles = view.edges.filter((edge) => edge.mark > 1), few = view.edges.length < 800;
	const labels = cycles.filter((edge) => edge.from !== edge.to).map((edge) => {
		const from = view.layout.nodes.get(edge.from), to = view.layout.nodes.get(edge.to);
		const above = to.x < from.x ? 24 : -16;

		return text((from.x + to.x) / 2, (from.y + to.y) / 2 + above, `${count(edge.count)}×`, {class: 'edge-count'});
	});

	picture.replaceChildren(svg('defs', null, arrow('arrow'), arrow('arrow-cycle')),
		svg('g', {id: 'world', class: view.edges.length > 400 ? 'dense' : null},
			plain.map((edge) => drawEdge(edge, few)), cycles.map((edge) => drawEdge(edge, true)), labels,
			[...view.classes].map(drawNode)));
	if (!view.classes.size)
		picture.append(text(24, 40, D.edges.length ? 'Nothing passes these filters.' : 'No lock was taken while another was held.', {class: 'who'}));
	markSelected();
}

function markSelected() {
	for (const node of $('picture').querySelectorAll('.selected'))
		node.classList.remove('selected');
	if (view.selected)
		for (const node of $('picture').querySelectorAll(`[data-${view.selected.kind}="${view.selected.id}"]`))
			node.classList.add('selected');
}

/* Hovering or focusing a lock fades what does not touch it. */
function spotlight(id) {
	const world = $('world'), near = new Set([id]);

	if (!world)
		return;
	world.classList.toggle('spotlight', id !== null);
	for (const group of world.querySelectorAll('[data-edge]')) {
		const edge = D.edges[group.dataset.edge], lit = id !== null && (edge.from === id || edge.to === id);

		group.classList.toggle('lit', lit);
		if (lit)
			near.add(edge.from).add(edge.to);
	}
	for (const group of world.querySelectorAll('[data-class]'))
		group.classList.toggle('lit', near.has(Number(group.dataset.class)));
}

/* --- moving ------------------------------------------------------------------------------------- */

function applyView() {
	const world = $('world');

	if (world)
		world.setAttribute('transform', `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) scale(${view.scale.toFixed(4)})`);
}

/* A small graph needs no tall picture. */
function setHeight() {
	const most = Math.max(320, Math.min(window.innerHeight * 0.72, 640));

	$('picture').style.setProperty('--tall', `${Math.round(Math.max(260, Math.min(most, view.layout.height * 1.25 + 90)))}px`);
}

function fitGraph() {
	setHeight();
	const box = $('picture').getBoundingClientRect(), layout = view.layout;
	const width = box.width || 1000, height = box.height || 560;

	view.scale = Math.min(1.25, (width - 40) / Math.max(1, layout.width), (height - 20) / Math.max(1, layout.height));
	view.x = (width - layout.width * view.scale) / 2;
	view.y = (height - layout.height * view.scale) / 2;
	applyView();
}

function zoomGraph(factor, x, y) {
	const box = $('picture').getBoundingClientRect();
	const cx = x === undefined ? box.width / 2 : x - box.left, cy = y === undefined ? box.height / 2 : y - box.top;
	const scale = Math.min(4, Math.max(0.03, view.scale * factor));

	view.x = cx - (cx - view.x) * scale / view.scale;
	view.y = cy - (cy - view.y) * scale / view.scale;
	view.scale = scale;
	applyView();
}

function centerOn(id) {
	const box = $('picture').getBoundingClientRect(), place = view.layout.nodes.get(id);

	if (!place)
		return;
	view.scale = Math.max(view.scale, 0.8);
	view.x = box.width / 2 - place.x * view.scale;
	view.y = box.height / 2 - place.y * view.scale;
	applyView();
}

function targetOf(event) {
	return event.target.closest ? event.target.closest('[data-edge], [data-class]') : null;
}

function openTarget(target) {
	if (target.dataset.edge !== undefined)
		showEdge(Number(target.dataset.edge));
	else
		showClass(Number(target.dataset.class));
}

function dragGraph(picture) {
	let drag = null;

	picture.addEventListener('pointerdown', (event) => {
		drag = {x: event.clientX - view.x, y: event.clientY - view.y, moved: false, id: event.pointerId};
	});
	picture.addEventListener('pointermove', (event) => {
		if (!drag)
			return;
		const x = event.clientX - drag.x, y = event.clientY - drag.y;

		if (!drag.moved && Math.hypot(x - view.x, y - view.y) < 4)
			return;
		if (!drag.moved)
			picture.setPointerCapture(drag.id);
		drag.moved = true;
		view.x = x;
		view.y = y;
		applyView();
	});
	picture.addEventListener('pointerup', (event) => {
		const target = drag && !drag.moved ? targetOf(event) : null;

		drag = null;
		if (target)
			openTarget(target);
	});
	picture.addEventListener('pointercancel', () => {
		drag = null;
	});
}

function listenToGraph() {
	const picture = $('picture');
	const keys = {'+': () => zoomGraph(1.25), '=': () => zoomGraph(1.25), '-': () => zoomGraph(0.8), '0': fitGraph,
		ArrowLeft: () => moveBy(60, 0), ArrowRight: () => moveBy(-60, 0), ArrowUp: () => moveBy(0, 60), ArrowDown: () => moveBy(0, -60)};

	dragGraph(picture);
	picture.addEventListener('wheel', (event) => {
		if (!event.ctrlKey && !event.metaKey)
			return;
		event.preventDefault();
		zoomGraph(event.deltaY < 0 ? 1.15 : 0.87, event.clientX, event.clientY);
	}, {passive: false});
	picture.addEventListener('keydown', (event) => {
		const target = targetOf(event);

		if ((event.key === 'Enter' || event.key === ' ') && target) {
			event.preventDefault();
			openTarget(target);
		} else if (keys[event.key] && !event.ctrlKey && !event.metaKey) {
			event.preventDefault();
			keys[event.key]();
		}
	});
	for (const [name, on] of [['pointerover', true], ['pointerout', false], ['focusin', true], ['focusout', false]])
		picture.addEventListener(name, (event) => {
			const target = targetOf(event);

			spotlight(on && target && target.dataset.class !== undefined ? Number(target.dataset.class) : null);
		});
	$('zoom-in').addEventListener('click', () => zoomGraph(1.25));
	$('zoom-out').addEventListener('click', () => zoomGraph(0.8));
	$('zoom-fit').addEventListener('click', fitGraph);
}

function moveBy(x, y) {
	view.x += x;
	view.y += y;
	applyView();
}
