#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: recording.js PAGE VERDICT [CLASS CLASS]
 * The HTML report of a real recording in a real browser. VERDICT is what the sentence on top must
 * contain; the two classes are the cycle's, none: there must be no cycle. Prints TAP and leaves
 * screenshots beside the page.
 */
'use strict';
const {ok, finish, launch, openPage, quiet, clickEdge} = require('./browser.js');

const [file, verdict, ...cycle] = process.argv.slice(2);

async function testCycle(tab) {
	const edges = await tab.locator('#picture .edge.cycle').evaluateAll((nodes) => nodes.map((node) => [node.dataset.edge, node.getAttribute('aria-label')]));
	const mine = edges.filter(([, name]) => cycle.every((lock) => name.includes(lock)));

	await tab.locator('#picture').scrollIntoViewIfNeeded();
	ok(mine.length === cycle.length, 'the edges of the cycle stand out', edges.join('\n'));
	await clickEdge(tab, mine[0][0]);
	const details = await tab.textContent('#details');
	ok(cycle.every((name) => details.includes(name)), 'a click on an edge names both locks', details);
	const depths = await tab.locator('#details .column').evaluateAll((nodes) => nodes.map((node) => (node.textContent.match(/\+0x[0-9a-f]+/g) || []).length));
	ok(depths.some((depth) => depth > 3), 'and shows whole stacks with symbols', details);
	const columns = await tab.locator('#details .column').evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect()).map((box) => [box.left, box.top]));
	ok(columns.length >= 2 && columns[0][1] === columns[1][1] && columns[0][0] < columns[1][0], 'side by side', JSON.stringify(columns));
	await tab.screenshot({path: `${file}.edge.png`});
	await tab.click('#details .close');
	await tab.selectOption('#filter-show', 'cycles');
	ok(await tab.locator('#picture .node').count() >= 2 && await tab.locator('#picture .edge.cycle').count() >= 2, 'only cycles keeps the cycle');
	const bars = await tab.locator('.timeline title').allTextContents();
	ok(cycle.some((name) => bars.some((bar) => bar.includes(name))), 'the timeline shows who had what of the cycle', bars.slice(0, 20).join('\n'));
	await tab.click('#filter-reset');
}

async function testSearch(tab, name) {
	await tab.fill('#filter-search', name);
	await tab.waitForFunction((wanted) => [...document.querySelectorAll('#picture .node.match')]
		.some((node) => node.textContent.includes(wanted)), name, {timeout: 10000}).catch(() => {});
	const found = await tab.locator('#picture .node.match').allTextContents();
	ok(found.some((text) => text.includes(name)), `search finds ${name}`, found.join('\n'));
	await tab.fill('#filter-search', '');
}

async function testTheme(tab) {
	const colour = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const before = await colour();

	await tab.click('#theme');
	ok(await colour() !== before, 'the theme switches');
	await tab.screenshot({path: `${file}.dark.png`, fullPage: true});
	await tab.click('#theme');
}

async function main() {
	const {browser, reason} = await launch();

	if (!browser)
		throw new Error(reason);
	const view = await openPage(browser, `file://${file}`, {colorScheme: 'light'}), {tab} = view;
	await tab.screenshot({path: `${file}.png`, fullPage: true});
	const sentence = await tab.textContent('#verdict');
	ok(sentence.includes(verdict), 'the verdict is a sentence on top', sentence);
	ok(await tab.locator('#coverage tbody tr').count() > 5, 'coverage and losses are in sight');
	if (cycle.length) {
		await testCycle(tab);
		await testSearch(tab, cycle[0]);
	} else {
		ok(await tab.locator('#picture .edge.cycle').count() === 0, 'there is no cycle in its graph');
	}
	await testTheme(tab);
	quiet(view, 'page');
	await browser.close();
	finish();
}

main().catch((error) => {
	ok(false, 'the page could be tried', error.stack);
	finish();
});
