#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The HTML report in a real browser, and DOT and Mermaid in their own parsers. Runs Debian's Chromium
 * through playwright-core; what is missing is a SKIP with its reason, never a pass.
 */
'use strict';
const fs = require('fs');
const path = require('path');
const {execFileSync, spawnSync} = require('child_process');

const {root, build, ok, skip, finish, launch, openPage, quiet, clickCenter, clickEdge} = require('./browser.js');
const fixture = path.join(build, 'tests', 'report-fixture');
const pages = path.join(build, 'tests', 'web');

function render(kind, format) {
	return execFileSync(fixture, [kind, format], {maxBuffer: 64 << 20, encoding: 'utf8'});
}

function page(kind) {
	const file = path.join(pages, `${kind}.html`);

	fs.writeFileSync(file, render(kind, 'html'));
	return `file://${file}`;
}

function open(browser, kind, options) {
	return openPage(browser, page(kind), options);
}

async function testInversion(browser) {
	const view = await open(browser, 'inversion', {colorScheme: 'light'}), {tab} = view;
	const verdict = await tab.textContent('#verdict');

	ok(verdict.includes('vfio_group.group_lock and kvm.lock are taken in opposite orders'), 'the verdict is a sentence on top', verdict);
	ok((await tab.textContent('.verdict')).includes('6.1.0-53-amd64'), 'the head says which kernel');
	ok((await tab.textContent('.finding')).includes('2b48f52f2bff'), 'the known fix is named');
	ok(await tab.locator('.finding .stack').count() === 4, 'both orders show both stacks');
	await tab.locator('#picture').scrollIntoViewIfNeeded();
	ok(await tab.locator('#picture .edge.cycle').count() === 2, 'two edges of the cycle stand out');
	const cycle = await tab.getAttribute('#picture .edge.cycle', 'data-edge');
	await clickEdge(tab, cycle);
	const details = await tab.textContent('#details');
	ok(details.includes('order_open_device+0x51') || details.includes('vfio_file_set_kvm+0x51'), 'a click on an edge shows its stacks', details);
	const columns = await tab.locator('#details .column').evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect()).map((box) => [box.left, box.top]));
	ok(columns.length === 2 && columns[0][1] === columns[1][1] && columns[0][0] < columns[1][0], 'the stacks stand side by side', JSON.stringify(columns));
	await tab.click('#details .close');
	await tab.locator('#picture').scrollIntoViewIfNeeded();
	await clickCenter(tab, '[data-class="1"]');
	const lock = await tab.textContent('#details');
	ok(lock.includes('VM of qemu-system-x86/4711') && lock.includes('win11-ci'), 'a click on a lock shows its instances and owner', lock);
	ok(await tab.locator('#details .histogram rect').count() > 0 && lock.includes('--holds'), 'its waits as a histogram; holds said to be not recorded');
	await testControls(tab);
	await testTheme(tab);
	ok((await tab.textContent('#timeline')).includes('first and last occurrences'), 'the timeline says it is made of first and last occurrences');
	ok((await tab.textContent('#coverage')).includes('vfio_device_get_kvm_safe does not exist'), 'coverage says why a path is absent');
	ok(await tab.locator('#coverage .losses tbody tr').count() === 15, 'every loss is listed, zero or not');
	quiet(view, 'inversion');
	await view.close();
}

async function testControls(tab) {
	await tab.fill('#filter-search', 'device_set');
	await tab.waitForTimeout(400);
	ok(await tab.locator('#picture .node.match').count() === 1, 'search marks what it finds');
	ok((await tab.textContent('#shown')).includes('1 match'), 'and says how many', await tab.textContent('#shown'));
	await tab.fill('#filter-search', '');
	await tab.waitForTimeout(400);
	await tab.selectOption('#filter-show', 'cycles');
	ok(await tab.locator('#picture .node').count() === 2, 'only cycles leaves the two locks');
	await tab.selectOption('#filter-show', 'all');
	await tab.selectOption('#filter-task', {label: 'qemu-system-x86 4711/4790'});
	ok(await tab.locator('#picture [data-edge]').count() === 1, "a task's own graph has its one order");
	await tab.selectOption('#filter-task', '-1');
	await tab.selectOption('#filter-path', {label: 'kvm_device_release'});
	ok(await tab.locator('#picture [data-edge]').count() === 1, 'the path filter works');
	await tab.click('#filter-reset');
	ok(await tab.locator('#picture [data-edge]').count() === 4, 'reset shows everything again');
	await tab.selectOption('#filter-vm', {label: 'win11-ci'});
	ok(await tab.locator('#picture [data-edge]').count() === 4, 'the VM filter keeps what the VM did');
	await tab.click('#filter-reset');
	const before = await tab.getAttribute('#world', 'transform');
	await tab.click('#zoom-in');
	ok(await tab.getAttribute('#world', 'transform') !== before, 'zoom moves the picture');
	const box = await tab.locator('#picture').boundingBox();
	await tab.mouse.move(box.x + 30, box.y + 30);
	await tab.mouse.down();
	await tab.mouse.move(box.x + 130, box.y + 80, {steps: 4});
	const zoomed = await tab.getAttribute('#world', 'transform');
	await tab.mouse.up();
	ok(zoomed !== before, 'dragging moves it too');
	await tab.click('#zoom-fit');
	ok(await tab.getAttribute('#world', 'transform') === before, 'fit brings it back');
}

async function testTheme(tab) {
	const colors = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const light = await colors();

	await tab.click('#theme');
	const dark = await colors();
	ok(light !== dark, 'the theme switches', `${light} ${dark}`);
	await tab.reload();
	ok(await colors() === dark, 'and is kept');
	await tab.click('#theme');
}

async function testKeyboard(browser) {
	const view = await open(browser, 'deadlock', {colorScheme: 'dark'}), {tab} = view;

	ok(await tab.evaluate(() => document.documentElement.dataset.theme) === 'dark', 'dark follows the system');
	await tab.keyboard.press('Tab');
	ok(await tab.evaluate(() => document.activeElement.className) === 'skip', 'the first Tab offers to skip to the findings');
	await tab.focus('#picture');
	for (let i = 0; i < 12 && await tab.evaluate(() => !document.activeElement.dataset.edge); i++)
		await tab.keyboard.press('Tab');
	ok(await tab.evaluate(() => Boolean(document.activeElement.getAttribute('aria-label'))), 'Tab reaches an edge, and it has a name');
	await tab.keyboard.press('Enter');
	ok(await tab.locator('#details .stack').count() >= 2, 'Enter opens it');
	ok(await tab.evaluate(() => document.activeElement.id) === 'details', 'and the focus goes where the answer is');
	const nameless = await tab.evaluate(() => [...document.querySelectorAll('button, select, input, [role="img"], [role="button"], table')]
		.filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim() || node.labels && node.labels.length))
		.map((node) => node.outerHTML.slice(0, 80)));
	ok(nameless.length === 0, 'everything that acts or shows has a name', nameless.join('\n'));
	ok((await tab.textContent('.next')).includes('sysrq-trigger'), 'a deadlock says what to do');
	ok(await tab.locator('.timeline rect').count() > 0, 'its waits are in the timeline');
	await tab.setViewportSize({width: 390, height: 800});
	ok(await tab.evaluate(() => document.documentElement.scrollWidth) <= 390, 'a narrow screen needs no sideways scrolling');
	await tab.emulateMedia({media: 'print'});
	ok(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor) === 'rgb(255, 255, 255)', 'paper is white whatever the theme');
	quiet(view, 'deadlock');
	await view.close();
}

async function testEvents(browser) {
	const view = await open(browser, 'events'), {tab} = view;

	ok((await tab.textContent('#timeline')).includes('every event was recorded'), 'with an event stream the timeline says so');
	const bars = await tab.locator('.timeline title').allTextContents();
	ok(bars.some((bar) => bar.includes('holds vfio_group.group_lock')), 'it shows who held what', bars.join('\n'));
	ok(bars.filter((bar) => bar.includes('waits, never got')).length === 2, 'and the two waits that never ended', bars.join('\n'));
	quiet(view, 'events');
	await view.close();
}

async function testClean(browser) {
	const view = await open(browser, 'clean'), {tab} = view;

	ok((await tab.textContent('#verdict')).startsWith('No inversion, no cycle and no deadlock'), 'a clean run says so');
	ok(await tab.evaluate(() => document.documentElement.dataset.level) === 'clean', 'in its own colour');
	ok(await tab.locator('#picture .edge').count() === 3 && await tab.locator('#picture .edge.cycle').count() === 0, 'its graph has no cycle');
	ok((await tab.textContent('#timeline')).includes('There is no cycle'), 'and no timeline of one');
	quiet(view, 'clean');
	await view.close();
}

async function testHostile(browser) {
	const view = await open(browser, 'hostile'), {tab} = view;

	ok(await tab.locator('img').count() === 0, 'a name cannot become an element');
	ok(await tab.locator('#picture .edge').count() === 4, 'hostile names are drawn like others');
	await tab.focus('#picture .edge.cycle >> nth=0');
	await tab.keyboard.press('Enter');
	ok((await tab.textContent('#details')).includes('onerror=alert(1)'), 'and shown as the text they are');
	quiet(view, 'hostile');
	await view.close();
}

async function testLarge(browser) {
	const started = Date.now(), view = await open(browser, 'large'), {tab} = view;
	const loaded = Date.now() - started;

	ok(loaded < 15000, '500 classes and 5,000 dependencies open', `${loaded} ms`);
	ok((await tab.textContent('#shown')).includes('of 500 classes'), 'the page says how much of it is shown');
	ok(await tab.locator('#picture .node').count() < 60, 'it opens on the cycle and its neighbours');
	ok(await tab.locator('#picture .edge.cycle').count() === 2, 'with the cycle in occurrence');
	await tab.fill('#filter-search', 'lock250');
	await tab.waitForTimeout(600);
	ok(await tab.locator('#picture .node.match').count() === 1, 'search brings in what was not shown');
	await tab.fill('#filter-search', '');
	await tab.waitForTimeout(400);
	const all = Date.now();
	await tab.selectOption('#filter-show', 'all');
	ok(await tab.locator('#picture .node').count() === 500, 'everything is drawn when asked for', `${Date.now() - all} ms`);
	const overlaps = await tab.evaluate(() => {
		const places = [...view.layout.nodes.values()];
		let n = 0;

		for (let i = 0; i < places.length; i++)
			for (let k = 0; k < i; k++)
				n += Math.abs(places[i].x - places[k].x) < 1 && Math.abs(places[i].y - places[k].y) < NODE_HEIGHT;
		return n;
	});
	ok(overlaps === 0, 'no lock covers another', overlaps);
	await tab.click('#edge-list summary');
	ok(await tab.locator('#edge-rows tbody tr').count() === 500, 'the list of edges is bounded');
	console.log(`# large page: ${fs.statSync(path.join(pages, 'large.html')).size} bytes, opened in ${loaded} ms`);
	quiet(view, 'large');
	await view.close();
}

async function testMermaid(browser) {
	const script = path.join(build, 'web', 'node_modules', 'mermaid', 'dist', 'mermaid.min.js');

	if (!fs.existsSync(script)) {
		skip('Mermaid accepts every graph', 'npm package mermaid is not installed');
		return;
	}
	const context = await browser.newContext(), tab = await context.newPage();

	await tab.setContent('<div></div>');
	await tab.addScriptTag({path: script});
	for (const kind of ['inversion', 'deadlock', 'large', 'hostile']) {
		const answer = await tab.evaluate(async (text) => {
			try {
				mermaid.initialize({startOnLoad: false});
				await mermaid.parse(text);
				const {svg} = await mermaid.render('graph', text);
				return {svg: svg.length, image: svg.includes('<img')};
			} catch (error) {
				return {error: error.message};
			}
		}, render(kind, 'mermaid'));

		ok(answer.svg > 1000 && !answer.image, `Mermaid accepts and draws ${kind}`, JSON.stringify(answer));
	}
	const bad = await tab.evaluate(() => mermaid.parse('flowchart LR\n  a[" -->').then(() => true, () => false));
	ok(bad === false, 'and does refuse what is wrong');
	await context.close();
}

function testDot() {
	if (spawnSync('dot', ['-V']).error) {
		skip('Graphviz accepts every graph', "Graphviz's dot is not installed");
		return;
	}
	for (const kind of ['inversion', 'deadlock', 'hostile']) {
		const drawn = spawnSync('dot', ['-Tsvg'], {input: render(kind, 'dot'), encoding: 'utf8'});

		ok(drawn.status === 0 && drawn.stderr === '' && drawn.stdout.includes('</svg>'), `Graphviz accepts ${kind}`, drawn.stderr);
	}
	const large = spawnSync('nop', ['-p'], {input: render('large', 'dot'), encoding: 'utf8', maxBuffer: 64 << 20});
	ok(large.status === 0 && large.stderr === '', 'Graphviz parses 500 classes', large.stderr);
	const svg = render('large', 'svg');
	ok(svg.includes('</svg>') && svg.includes('only the cycles'), 'svg of a large graph has its cycles, and says so');
	ok(!render('hostile', 'svg').includes('<img'), 'svg: a name cannot become an element');
	const none = spawnSync(fixture, ['inversion', 'svg'], {env: {PATH: '/nonexistent'}, encoding: 'utf8'});
	ok(none.status === 1 && none.stderr.includes('apt-get install graphviz'), 'without Graphviz svg names the remedy', none.stderr);
}

async function main() {
	if (!fs.existsSync(fixture) || !fs.existsSync(path.join(build, 'web', '.installed')))
		execFileSync('tests/locked-make', [process.env.BUILD || 'build', 'web-deps'], {cwd: root, stdio: ['ignore', 'ignore', 'inherit']});
	fs.mkdirSync(pages, {recursive: true});
	testDot();
	const {browser, reason} = await launch();
	if (!browser) {
		skip('the page in a browser', reason);
		finish();
	}
	for (const test of [testInversion, testKeyboard, testEvents, testClean, testHostile, testLarge, testMermaid]) {
		try {
			await test(browser);
		} catch (error) {
			ok(false, test.name, error.stack);
		}
	}
	await browser.close();
	finish();
}

main().catch((error) => {
	ok(false, 'the suite ran', error.stack);
	finish();
});
