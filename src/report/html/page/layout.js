/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A layered layout, left to right, that needs nothing but this file. Cycles are opened by turning
 * edges found on the way back; ranks are longest paths, tightened; crossings are reduced by
 * barycentres (Sugiyama, Tagawa, Toda 1981). Long edges get bends while that stays affordable. A
 * graph too deep to be looked at is folded to about the shape of a screen.
 */

const NODE_HEIGHT = 40, ROW_GAP = 16, RANK_GAP = 90, MAX_BENDS = 1500;

function nodeWidth(name) {
	const dot = name.indexOf('.');
	const longest = dot > 0 ? Math.max(dot * 6.2, (name.length - dot - 1) * 7.6) : name.length * 7.6;

	return Math.min(260, Math.max(70, longest + 24));
}

/* Edges as pairs of indexes without the ones that close a cycle (those turned round). */
function openCycles(n, pairs) {
	const next = Array.from({length: n}, () => []), state = new Uint8Array(n), out = [];

	pairs.forEach(([from, to]) => next[from].push(to));
	for (let root = 0; root < n; root++) {
		const walk = state[root] ? [] : [[root, 0]];

		state[root] = state[root] || 1;
		while (walk.length) {
			const top = walk[walk.length - 1];

			if (top[1] === next[top[0]].length) {
				state[top[0]] = 2;
				walk.pop();
				continue;
			}
			const to = next[top[0]][top[1]++];
			if (to === top[0])
				continue;
			out.push(state[to] === 1 ? [to, top[0]] : [top[0], to]);
			if (!state[to]) {
				state[to] = 1;
				walk.push([to, 0]);
			}
		}
	}
	return out;
}

function rankNodes(n, pairs) {
	const into = new Int32Array(n), next = Array.from({length: n}, () => []), rank = new Int32Array(n);
	const queue = [];

	for (const [from, to] of pairs) {
		next[from].push(to);
		into[to]++;
	}
	for (let i = 0; i < n; i++)
		if (!into[i])
			queue.push(i);
	for (let i = 0; i < queue.length; i++)
		for (const to of next[queue[i]]) {
			rank[to] = Math.max(rank[to], rank[queue[i]] + 1);
			if (!--into[to])
				queue.push(to);
		}
	for (let i = queue.length - 1; i >= 0; i--) /* sources move next to what they lead to */
		if (next[queue[i]].length)
			rank[queue[i]] = Math.max(rank[queue[i]], Math.min(...next[queue[i]].map((to) => rank[to])) - 1);
	const ranks = Math.max(0, ...rank) + 1, wanted = Math.max(4, Math.ceil(Math.sqrt(n / 1.4)));
	if (ranks > wanted + 6)
		for (let i = 0; i < n; i++)
			rank[i] = Math.floor(rank[i] * wanted / ranks);
	return rank;
}

/* Columns of cells; a cell is a node or a bend of a long edge. */
function buildColumns(n, pairs, rank) {
	const cells = Array.from({length: n}, (_, i) => ({node: i, rank: rank[i], before: [], after: []})), bends = new Map();
	let length = 0;

	for (const [from, to] of pairs)
		length += Math.max(0, rank[to] - rank[from] - 1);
	for (const [from, to] of pairs) {
		let last = cells[from];

		if (rank[to] <= rank[from])
			continue;
		const path = [];
		for (let r = rank[from] + 1; r < rank[to] && length < MAX_BENDS; r++) {
			const bend = {node: -1, rank: r, before: [last], after: []};

			last.after.push(bend);
			cells.push(bend);
			path.push(bend);
			last = bend;
		}
		last.after.push(cells[to]);
		cells[to].before.push(last);
		if (path.length)
			bends.set(`${from} ${to}`, path);
	}
	const columns = Array.from({length: Math.max(0, ...rank) + 1}, () => []);
	for (const cell of cells) {
		cell.at = columns[cell.rank].length;
		columns[cell.rank].push(cell);
	}
	return {columns, cells, bends};
}

function sortColumn(column, side) {
	for (const cell of column) {
		const near = cell[side];

		cell.key = near.length ? near.reduce((sum, other) => sum + other.at / (other.size || 1), 0) / near.length
			: cell.at / column.length;
	}
	column.sort((a, b) => a.key - b.key || a.at - b.at);
	column.forEach((cell, i) => {
		cell.at = i;
		cell.size = column.length;
	});
}

function orderColumns(columns) {
	columns.forEach((column) => column.forEach((cell) => {
		cell.size = column.length;
	}));
	for (let sweep = 0; sweep < 10; sweep++) {
		const forward = sweep % 2 === 0;

		for (const column of forward ? columns.slice(1) : columns.slice(0, -1).reverse())
			sortColumn(column, forward ? 'before' : 'after');
	}
}

/*
 * The cells of a column as near as possible to the mean of their neighbours, in order and with
 * their distances: least squares by pooling adjacent violators.
 */
function relax(column, step) {
	const pools = [], offsets = [];
	let offset = 0;

	column.forEach((cell, i) => {
		const near = [...cell.before, ...cell.after];
		const wish = near.length ? near.reduce((sum, other) => sum + other.y, 0) / near.length : cell.y;

		offset += i ? (step(cell) + step(column[i - 1])) / 2 : 0;
		offsets.push(offset);
		pools.push({sum: wish - offset, size: 1});
		while (pools.length > 1) {
			const [a, b] = pools.slice(-2);

			if (a.sum / a.size <= b.sum / b.size)
				break;
			pools.splice(-2, 2, {sum: a.sum + b.sum, size: a.size + b.size});
		}
	});
	let at = 0;
	for (const pool of pools)
		for (let i = 0; i < pool.size; i++, at++)
			column[at].y = pool.sum / pool.size + offsets[at];
}

/* Heights: towards the mean of the neighbours, in order, never closer than the gap allows. */
function placeColumns(columns) {
	const step = (cell) => (cell.node >= 0 ? NODE_HEIGHT + ROW_GAP : 14);

	for (const column of columns) {
		let y = -column.reduce((sum, cell) => sum + step(cell), 0) / 2;

		for (const cell of column) {
			cell.y = y + step(cell) / 2;
			y += step(cell);
		}
	}
	for (let sweep = 0; sweep < 12; sweep++)
		for (const column of sweep % 2 ? [...columns].reverse() : columns)
			relax(column, step);
}

/* -> {nodes: Map(id -> {x, y, width}), bends: Map("from to" -> [[x, y] …]), width, height} */
function layoutGraph(ids, edges) {
	const index = new Map(ids.map((id, i) => [id, i]));
	const pairs = openCycles(ids.length, edges.map((edge) => [index.get(edge.from), index.get(edge.to)]));
	const unique = [...new Map(pairs.map((pair) => [pair.join(' '), pair])).values()];
	const {columns, cells, bends} = buildColumns(ids.length, unique, rankNodes(ids.length, unique));
	const nodes = new Map(), points = new Map();
	let x = 0, top = Infinity, bottom = -Infinity;

	orderColumns(columns);
	placeColumns(columns);
	for (const column of columns) {
		const width = Math.max(20, ...column.map((cell) => (cell.node >= 0 ? nodeWidth(className(ids[cell.node])) : 0)));

		for (const cell of column) {
			cell.x = x + width / 2;
			top = Math.min(top, cell.y);
			bottom = Math.max(bottom, cell.y);
		}
		x += width + RANK_GAP;
	}
	cells.forEach((cell) => {
		if (cell.node >= 0)
			nodes.set(ids[cell.node], {x: cell.x, y: cell.y - top + 40, width: nodeWidth(className(ids[cell.node]))});
	});
	for (const [key, path] of bends) {
		const [from, to] = key.split(' ').map((i) => ids[i]), line = path.map((cell) => [cell.x, cell.y - top + 40]);

		points.set(`${from} ${to}`, line);
		points.set(`${to} ${from}`, [...line].reverse());
	}
	return {nodes, bends: points, width: Math.max(0, x - RANK_GAP), height: Math.max(0, bottom - top) + 80};
}
