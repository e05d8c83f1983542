// `make primary`: writes primary.txt, the functions the page needs until somebody does something.
// It opens a page whose functions note that they ran (COUNT=1, see split.mjs) the ways it can be opened,
// and lets ten minutes pass on each.
import { writeFileSync } from 'node:fs';
import { launch, serve } from '../../../benches/chromium.mjs';

const VIEWPORTS = [[1280, 800, 'light'], [390, 844, 'dark']];
/** How it is opened, and for how many seconds it is looked at: heartbeats come due after ten and twenty. */
const QUERIES = [
  ['', 40], ['?scene=4&view=lesson.tables.console&lock=seats&theme=dark', 40], ['?lang=ja', 3], ['?preset=autopilot', 3],
  ['?scene=3&view=lesson.console', 3], ['?scene=6&lang=ja&view=tables', 3],
];

const site = await serve(process.argv[2]);
const ran = new Set();
await Promise.all(VIEWPORTS.map(async ([width, height, theme]) => {
  const browser = await launch();
  for (const [query, seconds] of QUERIES) {
    const page = await browser.open(`${site.url}${query}`, { width, height, theme });
    // What moves is seen moving, and ten minutes bring everything that comes by the clock.
    await page.run('await new Promise((r) => setTimeout(r, 1000 * given[0]))', seconds);
    await page.run('await window.kubeByHand.advance(600_000)');
    await page.run('await new Promise((r) => setTimeout(r, 2000))');
    // A pointer that goes over it and a keyboard that goes through it: the rest comes with these, and not before.
    for (let step = 1; step < 20; step += 1) await page.point(width * step / 20, height * step / 20);
    for (let step = 0; step < 20; step += 1) await page.tab();
    // The page for when the program fails must not need what may not be there.
    await page.run("dispatchEvent(new ErrorEvent('error', { error: new WebAssembly.RuntimeError('a trial'), message: 'a trial' }))");
    const keys = await page.run(`
      return Object.entries(window.__exports).filter(([name, it]) => name.startsWith('ran ') && it.value).map(([name]) => name.slice(4));
    `);
    for (const key of keys) ran.add(key);
    await page.close();
  }
  await browser.close();
}));
site.close();
writeFileSync(new URL('primary.txt', import.meta.url), `# By split.mjs's key; written by make primary.\n${[...ran].sort().join('\n')}\n`);
console.log(`${ran.size} functions in the primary module`);
