// SPDX-License-Identifier: GPL-2.0-or-later
/* What the tests of the HTML report share: TAP lines, Debian's Chromium, a page that is listened to. */
'use strict';
const fs = require('fs');
const path = require('path');

const root = path.join(__dirname, '..', '..');
const build = path.resolve(root, process.env.BUILD || 'build');
let number = 0, failed = 0;

function ok(good, name, detail) {
	number++;
	failed += !good;
	console.log(`${good ? 'ok' : 'not ok'} ${number} - ${name}`);
	if (!good && detail !== undefined)
		console.log(`# ${String(detail).split('\n').join('\n# ')}`);
	return good;
}

function skip(name, reason) {
	number++;
	console.log(`ok ${number} - ${name} # SKIP ${reason}`);
}

function finish() {
	console.log(`1..${number}`);
	process.exit(failed ? 1 : 0);
}

/* A browser, or why there is none. */
async function launch() {
	const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((name) => fs.existsSync(name));
	const driver = path.join(build, 'web', 'node_modules', 'playwright-core');

	if (!chromium)
		return {reason: 'no Chromium'};
	if (!fs.existsSync(driver))
		return {reason: 'npm package playwright-core is not installed'};
	return {browser: await require(driver).chromium.launch({executablePath: chromium, args: ['--no-sandbox']})};
}

/* A page on which anything said on the console, thrown or asked of the network is kept. */
async function openPage(browser, address, options) {
	const context = await browser.newContext({viewport: {width: 1400, height: 900}, ...options});
	const tab = await context.newPage();
	const said = [], asked = [];

	tab.on('console', (message) => said.push(`${message.type()}: ${message.text()}`));
	tab.on('pageerror', (error) => said.push(`error: ${error.message}`));
	tab.on('dialog', (dialog) => {
		said.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	tab.on('request', (request) => asked.push(request.url()));
	await tab.goto(address);
	return {tab, said, asked, close: () => context.close()};
}

function quiet(view, name) {
	ok(view.said.length === 0, `${name}: nothing on the console`, view.said.join('\n'));
	ok(new Set(view.asked).size === 1, `${name}: nothing asked for but the file itself`, view.asked.join('\n'));
}

async function clickCenter(tab, selector) {
	const box = await tab.locator(selector).boundingBox();

	await tab.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
}

/* Where the pen of an edge's line is half way along, on the screen. */
async function clickEdge(tab, id) {
	const at = await tab.evaluate((edge) => {
		const line = document.querySelector(`[data-edge="${edge}"] .line`);
		const point = line.getPointAtLength(line.getTotalLength() * 0.5).matrixTransform(line.getScreenCTM());

		return {x: point.x, y: point.y};
	}, id);

	await tab.mouse.click(at.x, at.y);
}

module.exports = {root, build, ok, skip, finish, launch, openPage, quiet, clickCenter, clickEdge};
