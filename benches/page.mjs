// `make bench`: the figures of the page, measured in headless Chromium on dist/.
//   node benches/page.mjs [part...]     parts: load, converge, forward, idle; all without one
// Figures of work are medians of three runs, each on a page of its own.
import { readFile } from 'node:fs/promises';
import { brotliCompressSync, constants } from 'node:zlib';
import { launch, longestTask, serve } from './chromium.mjs';

const DIST = new URL('../dist', import.meta.url).pathname;
const SCENES = [{ nodes: 4, replicas: 10 }, { nodes: 50, replicas: 500 }, { nodes: 100, replicas: 2000 }];
const seconds = (n) => new Promise((resolve) => setTimeout(resolve, n * 1000));
const row = (what, figure, goal = '') => {
  console.log(`${what.padEnd(44)} ${String(figure).padStart(14)}   ${goal}`);
};

const manifest = (replicas, probe = '') => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: bench
spec:
  replicas: ${replicas}
  selector:
    matchLabels:
      app: bench
  template:
    metadata:
      labels:
        app: bench
    spec:
      containers:
      - name: web
        image: nginx
${probe}---
apiVersion: v1
kind: Service
metadata:
  name: bench
spec:
  selector:
    app: bench
  ports:
  - port: 80
`;
const probes = ['readinessProbe', 'livenessProbe'].map((name) => `        ${name}:
          periodSeconds: 5
          httpGet:
            path: /
            port: 80
`).join('');

/** A cluster of its own with all seats on autopilot and this many nodes, paused. */
async function cluster(browser, site, nodes) {
  const page = await browser.open(site.url);
  await page.run('await window.kubeByHand.pause()');
  await page.line(`kbh reset --preset autopilot --nodes ${nodes}`);
  await page.run('await window.kubeByHand.advance(60000)');
  return page;
}

/** Measures three times on a cluster of its own; the medians, figure by figure. */
async function medians(browser, site, nodes, measure) {
  const runs = [];
  for (let n = 0; n < 3; n += 1) {
    const page = await cluster(browser, site, nodes);
    runs.push(await measure(page));
    await page.close();
  }
  return runs[0].map((_, figure) => runs.map((run) => run[figure]).sort((a, b) => a - b)[1]);
}

/** Applies and lets the page work at its highest speed until the Service has every replica. */
async function converge(page, replicas, text) {
  await page.line('kbh speed 1000');
  return page.run(`
    const api = window.kubeByHand;
    const applied = await api.run(given[0]);
    if (applied.code !== 0) throw new Error(applied.stderr);
    await api.play();
    const waited = await api.run('kubectl wait deployment/bench --timeout=24h --for=jsonpath={.status.readyReplicas}=' + given[1]);
    if (waited.code !== 0) throw new Error(waited.stderr);
    await api.pause();
  `, `kubectl apply -f - <<'EOF'\n${text}EOF`, replicas);
}

const parts = {
  async load(browser, site) {
    site.asked.clear();
    const page = await browser.open(site.url);
    await seconds(2);
    let [plain, compressed] = [0, 0];
    for (const path of site.asked) {
      const body = await readFile(`${DIST}${path}`);
      plain += body.length;
      compressed += brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }).length;
    }
    row(`first load, ${site.asked.size} files, brotli 11`, `${(compressed / 1000).toFixed(1)} kB`, '≤ 500 kB before the editor opens');
    row('first load, uncompressed', `${(plain / 1000).toFixed(1)} kB`);
    await page.close();
  },

  async converge(browser, site) {
    for (const { nodes, replicas } of SCENES) {
      const [cpu, longest, wall, heap] = await medians(browser, site, nodes, async (page) => {
        const [before, begun] = [await page.cpu(), performance.now()];
        const task = await longestTask(browser, () => converge(page, replicas, manifest(replicas)));
        const took = performance.now() - begun;
        return [(await page.cpu()) - before, task, took, await page.heap()];
      });
      const goal = { 500: '≤ 0.3 s, no task over 50 ms', 2000: '≤ 0.6 s' }[replicas];
      const scene = `${nodes} nodes, ${replicas} replicas`;
      row(`${scene}: CPU, apply to all Ready`, `${cpu.toFixed(3)} s`, goal);
      row(`${scene}: longest task`, `${longest.toFixed(1)} ms`, '≤ 50 ms');
      row(`${scene}: wall clock`, `${(wall / 1000).toFixed(2)} s`);
      row(`${scene}: heap after`, `${(heap / 2 ** 20).toFixed(1)} MiB`);
    }
  },

  async forward(browser, site) {
    const hours = 6;
    const [took] = await medians(browser, site, 4, async (page) => {
      await converge(page, 10, manifest(10, probes));
      return [await page.run(`
        const begun = performance.now();
        await window.kubeByHand.advance(given[0]);
        return performance.now() - begun;
      `, hours * 3600_000)];
    });
    row('fast-forward, 4 nodes, 10 Pods, probes 5 s', `${Math.round((hours * 3600_000) / took)} ×`, '≥ 20,000 ×');
  },

  async idle(browser, site) {
    const page = await cluster(browser, site, 4);
    await converge(page, 10, manifest(10, probes));
    const share = async (what, goal) => {
      await seconds(3); // what is still moving comes to rest
      const [cpu, begun] = [await page.cpu(), performance.now()];
      await seconds(15);
      const used = (await page.cpu()) - cpu;
      row(what, `${((used / (performance.now() - begun)) * 1e5).toFixed(2)} %`, goal);
    };
    await share('idle CPU, paused', '0 %');
    await page.line('kbh speed 1');
    await page.run('await window.kubeByHand.play()');
    await share('idle CPU at 1×, 4 nodes, 10 Pods, probes 5 s', '≤ 1 %');
    const cover = await browser.send('Target.createTarget', { url: 'about:blank' });
    await browser.send('Target.activateTarget', { targetId: cover.targetId });
    if (await page.run("return document.visibilityState === 'hidden'")) await share('idle CPU, hidden', '0 %');
    else row('idle CPU, hidden', 'not measured', 'this Chromium does not hide a covered tab');
    await page.close();
  },
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`bench: no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}
const site = await serve(DIST);
let failed = false;
for (const name of chosen.length > 0 ? chosen : Object.keys(parts)) {
  // A browser for each part, so that none measures what another left behind.
  const browser = await launch();
  try {
    await parts[name](browser, site);
  } catch (error) {
    failed = true;
    console.error(`bench: ${name}: ${error.message}`);
  } finally {
    await browser.close();
  }
}
site.close();
process.exitCode = failed ? 1 : 0;
