'use strict';
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small helpers. Names from the recording only ever become text nodes and attribute values. */

const $ = (id) => document.getElementById(id);

function fill(node, attributes, children) {
	for (const [key, value] of Object.entries(attributes || {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith('on'))
			node.addEventListener(key.slice(2), value);
		else
			node.setAttribute(key, value === true ? '' : value);
	}
	for (const child of children.flat(3)) {
		if (child === null || child === undefined || child === false)
			continue;
		node.append(child instanceof Node ? child : String(child));
	}
	return node;
}

function el(name, attributes, ...children) {
	return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
	return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

function count(n) {
	return n.toLocaleString('en-US');
}

function plural(n, one, many) {
	return `${count(n)} ${n === 1 ? one : many || one + 's'}`;
}

function duration(ns) {
	const units = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']];

	if (ns >= 600e9)
		return `${Math.floor(ns / 3600e9)} h ${Math.floor(ns / 60e9) % 60} min`;
	for (const [unit, name] of units)
		if (ns >= unit)
			return `${Number((ns / unit).toPrecision(3))} ${name}`;
	return '0 s';
}

/* A moment, given as nanoseconds since the start of the recording. */
function moment(ns, data) {
	if (ns < 0)
		return 'time not known';
	if (data.clock.epoch_ms < 0)
		return `${duration(ns)} after the start`;
	const text = new Date(data.clock.epoch_ms + ns / 1e6).toISOString();
	return `${text.slice(0, 10)} ${text.slice(11, 23)} UTC`;
}

/* An accessible table. Cells are text, nodes, or [cell, attributes]. */
function table(caption, head, rows, attributes) {
	const cell = (name, value) => Array.isArray(value) && value.length === 2 && !(value[1] instanceof Node) &&
		typeof value[1] === 'object' ? el(name, value[1], value[0]) : el(name, null, value);

	return el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
		el('table', attributes, el('caption', null, caption),
			el('thead', null, el('tr', null, head.map((text) =>
				text.startsWith('#') ? el('th', {scope: 'col', class: 'number'}, text.slice(1))
					: el('th', {scope: 'col'}, text)))),
			el('tbody', null, rows.map((row) => el('tr', null, row.map((value) => cell('td', value)))))));
}

/* The theme is set before anything is drawn. Storage may be refused for files: then it is not kept. */
function storedTheme() {
	try {
		return localStorage.getItem('vfiotrace-theme');
	} catch {
		return null;
	}
}

function setTheme(name, keep) {
	document.documentElement.dataset.theme = name;
	$('theme').textContent = name === 'dark' ? 'Light' : 'Dark';
	$('theme').setAttribute('aria-label', `Switch to ${name === 'dark' ? 'light' : 'dark'} colours`);
	$('theme').setAttribute('aria-pressed', String(name === 'dark'));
	try {
		if (keep)
			localStorage.setItem('vfiotrace-theme', name);
	} catch {
		/* not kept */
	}
}

setTheme(storedTheme() || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'), false);
$('theme').addEventListener('click', () =>
	setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark', true));
