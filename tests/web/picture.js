// SPDX-License-Identifier: GPL-2.0-or-later
/* The first screen of a report page as a picture, for the README. usage: picture.js PAGE.html PICTURE.png */
'use strict';
const path = require('path');
const {launch, openPage} = require('./browser.js');

async function main() {
	const {browser, reason} = await launch();

	if (!browser)
		throw new Error(reason);
	const view = await openPage(browser, `file://${path.resolve(process.argv[2])}`, {viewport: {width: 1100, height: 700}});
	await view.tab.waitForTimeout(500);
	await view.tab.screenshot({path: process.argv[3]});
	await browser.close();
}

main().catch((error) => {
	console.error(error.message);
	process.exit(1);
});
