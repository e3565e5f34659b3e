/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recording, given names: the arrays of html_graph.c and html_tables.c become objects. */

const HELD_TRY = 1, HELD_INFERRED = 2, HELD_BREAKABLE = 4, HELD_FAULT = 8;
const CLASS_IN_SCOPE = 1, CLASS_INFERRED = 8;
const OBJECT_KINDS = ['VM', 'group', 'device', 'device set', 'container', 'KVM-VFIO device', 'iommufd', 'object'];
const MODES = ['exclusive', 'shared', 'shared, recursive'];
const PATHS = ['device_open', 'device_close', 'get_kvm', 'put_kvm', 'set_kvm', 'group_add', 'group_del',
	'kvm_device_release', 'vm_create', 'vm_destroy'];

function readLock(row) {
	return {instance: row[0], stack: row[1], mode: row[2], flags: row[3], class: row[4]};
}

function mapRows(rows, read) {
	const map = new Map();

	for (const [id, row] of Object.entries(rows))
		map.set(Number(id), read(row, Number(id)));
	return map;
}

function readDuration(row) {
	return {class: row[0], stack: row[1], vm: row[2], count: row[3], total: row[4], max: row[5], p50: row[6],
		p99: row[7], first: row[8], buckets: row.slice(9)};
}

function readData() {
	const d = JSON.parse($('data').textContent);

	d.classes = d.classes.map(([name, idiom, flags, mark], id) => ({id, name, idiom, flags, mark, in: [], out: []}));
	d.edges = d.edges.map(([from, to, n, dependencies, flags, mark, modes, first, last], id) =>
		({id, from, to, count: n, dependencyCount: dependencies, flags, mark, modes, first, last,
			dependencies: [], tasks: new Set(), vms: new Set(), paths: new Set()}));
	d.instances = mapRows(d.instances, ([cls, address, object, generation, name], id) =>
		({id, class: cls, address, object, generation, name}));
	d.chains = mapRows(d.chains, ([held, wanted, path, n, first, last, firstTask, lastTask], id) =>
		({id, held: held.map(readLock), wanted: readLock(wanted), path, count: n, first, last, firstTask, lastTask}));
	d.dependencies = mapRows(d.dependencies, (row, id) => ({id, edge: row[0], from: row[1], to: row[2],
		fromMode: row[3], toMode: row[4], count: row[5], first: row[6], last: row[7], firstChain: row[8],
		lastChain: row[9], chainCount: row[10], flags: row[11]}));
	d.stacks = mapRows(d.stacks, (row) => ({kind: row[0], frames: row.slice(1)}));
	d.tasks = mapRows(d.tasks, ([pid, tid, comm, vm, flags], id) => ({id, pid, tid, comm, vm, flags, edges: new Map()}));
	d.objects = d.objects.map(([kind, parent, pid, number, name, detail], id) =>
		({id, kind, parent, pid, number, name, detail}));
	for (const key of ['waits', 'wait_paths', 'wait_vms', 'holds', 'hold_paths', 'hold_vms'])
		d[key] = d[key].map(readDuration);
	for (const edge of d.edges) {
		d.classes[edge.from].out.push(edge);
		d.classes[edge.to].in.push(edge);
	}
	for (const dependency of d.dependencies.values())
		if (d.edges[dependency.edge])
			d.edges[dependency.edge].dependencies.push(dependency);
	linkChains(d);
	return d;
}

/* Walk up from an object to the VM it belongs to. */
function vmOf(d, object) {
	for (let depth = 0; object >= 0 && depth < 4; depth++) {
		if (d.objects[object].kind === 0)
			return object;
		object = d.objects[object].parent;
	}
	return -1;
}

function chainEdges(d, chain) {
	if (chain.wanted.flags & HELD_TRY)
		return [];
	return chain.held.map((held) => d.edgeOf.get(`${held.class} ${chain.wanted.class}`)).filter(Boolean);
}

function chainVm(d, chain) {
	for (const lock of [...chain.held, chain.wanted]) {
		const instance = d.instances.get(lock.instance);
		const vm = instance ? vmOf(d, instance.object) : -1;

		if (vm >= 0)
			return vm;
	}
	return -1;
}

/* Which tasks, VMs and paths each edge was seen with: what the filters ask for. */
function linkChains(d) {
	d.edgeOf = new Map(d.edges.map((edge) => [`${edge.from} ${edge.to}`, edge]));
	for (const chain of d.chains.values()) {
		chain.edges = chainEdges(d, chain);
		chain.vm = chainVm(d, chain);
		for (const edge of chain.edges) {
			if (chain.path >= 0)
				edge.paths.add(chain.path);
			if (chain.vm >= 0)
				edge.vms.add(chain.vm);
		}
	}
	for (const [taskId, chainId, n] of d.task_chains) {
		const chain = d.chains.get(chainId), task = d.tasks.get(taskId);

		if (!chain || !task)
			continue;
		for (const edge of chain.edges) {
			edge.tasks.add(taskId);
			task.edges.set(edge.id, (task.edges.get(edge.id) || 0) + n);
			if (task.vm >= 0)
				edge.vms.add(task.vm);
		}
	}
}

const D = readData();

function className(id) {
	return D.classes[id] ? D.classes[id].name : '?';
}

function taskName(id) {
	const task = D.tasks.get(id);

	if (!task)
		return 'a task';
	if (task.flags & 1 && task.pid)
		return `${task.comm}, pid ${task.pid}, any thread`;
	return task.pid ? `${task.comm} ${task.pid === task.tid ? task.pid : `${task.pid}/${task.tid}`}` : task.comm;
}

function objectName(id) {
	const object = D.objects[id];

	return object ? object.name || `${OBJECT_KINDS[object.kind]} ${object.number || ''}` : '';
}

function instanceName(id) {
	const instance = D.instances.get(id);

	if (!instance)
		return '';
	if (!instance.name && instance.address === '0x0')
		return '';
	const name = instance.name ? (instance.address === '0x0' ? instance.name : `${instance.name}, ${instance.address}`) : instance.address;
	return instance.generation && instance.address !== '0x0' ? `${name}, generation ${instance.generation + 1}` : name;
}

/* Classes of the worst finding have colours of their own, everywhere on the page. */
const CYCLE_COLORS = 6;
const classColor = new Map();
for (const finding of D.findings)
	if (!finding.is_suppressed && finding.grade !== 'info')
		for (const id of finding.classes)
			if (!classColor.has(id) && classColor.size < CYCLE_COLORS)
				classColor.set(id, classColor.size);

function lockName(id) {
	const color = classColor.get(id);

	return el('span', {class: color === undefined ? 'lock' : `lock own own-${color}`}, className(id));
}
