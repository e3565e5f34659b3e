/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Put the page together. */

const LEVELS = {clean: 'Clean', inconclusive: 'Inconclusive', empty: 'Nothing to judge', info: 'Clean', warning: 'Warning',
	error: 'Error', critical: 'Critical'};

function drawHeader() {
	const fact = new Map(D.facts), about = [];
	const add = (key, value) => value && about.push(factRow(key, value));

	document.documentElement.dataset.level = D.level;
	$('level').textContent = LEVELS[D.level] || D.level;
	$('level').hidden = false;
	$('source').textContent = D.title || '';
	add('Host', fact.get('host.name'));
	add('Kernel', fact.get('kernel.release') && `${fact.get('kernel.release')} ${fact.get('arch') || ''}`);
	add('Recorded', D.clock.has ? `${D.clock.start}${D.clock.end > 0 ? `, for ${duration(D.clock.end)}` : ''}` : 'a trace without a clock');
	add('Scope', fact.get('scope'));
	add('Seen', `${plural(D.counts.acquisitions, 'acquisition')}, ${plural(D.counts.dependencies, 'dependency', 'dependencies')} in ${plural(D.counts.chains, 'chain')}, ${plural(D.counts.tasks, 'task')}`);
	$('about').replaceChildren(...about);
}

drawHeader();
drawFindings();
drawControls();
resetFilters();
listenToGraph();
emptyDetails();
$('timeline-figure').replaceChildren(timelineFigure());
drawTimes();
drawTasks();
drawCoverage();
drawHost();
addEventListener('beforeprint', () => {
	for (const block of document.querySelectorAll('details.evidence'))
		block.open = true;
	fitGraph();
});
let resizing = 0;
addEventListener('resize', () => {
	clearTimeout(resizing);
	resizing = setTimeout(fitGraph, 120);
});
