// Headless Chromium over the devtools protocol, through a pipe: nothing but Node is needed.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';

const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--window-size=1280,800', '--remote-debugging-pipe',
];
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.json': 'application/json' };

/** Serves a folder on a free port of 127.0.0.1 and remembers what was asked for. */
export async function serve(folder) {
  const asked = new Set();
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname)).replace(/\/$/, '/index.html');
    try {
      const body = await readFile(join(folder, path));
      asked.add(path);
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${server.address().port}/`, asked, close: () => server.close() };
}

/** Starts a browser of its own. */
export async function launch() {
  const profile = await mkdtemp(join(tmpdir(), 'kube-by-hand-'));
  // An empty tab first: the one Chromium opens by itself is a page with scripts of its own, and its CPU
  // would be counted.
  const child = spawn('chromium', [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const [, , , input, output] = child.stdio;
  const waiting = new Map();
  const listeners = new Set();
  let next = 0;
  let rest = '';
  output.setEncoding('utf8').on('data', (chunk) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop();
    for (const message of messages.map((text) => JSON.parse(text))) {
      const answer = waiting.get(message.id);
      waiting.delete(message.id);
      if (!answer) for (const listener of listeners) listener(message);
      else if (message.error) answer.reject(new Error(`${answer.method}: ${message.error.message}`));
      else answer.resolve(message.result);
    }
  });
  const gone = (error) => { for (const { reject } of waiting.values()) reject(error); };
  child.on('error', gone).on('exit', (code) => gone(new Error(`Chromium ended (${code})`)));

  const send = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    const id = ++next;
    waiting.set(id, { resolve, reject, method });
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });
  const once = (method) => new Promise((resolve) => {
    const listener = (message) => {
      if (message.method !== method) return;
      listeners.delete(listener);
      resolve(message.params);
    };
    listeners.add(listener);
  });
  return {
    send, once,
    open: (url, look) => open({ send, once }, url, look),
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await send('Browser.close').catch(() => child.kill());
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Opens a page, of this size and in this theme if one is given, and waits until the program on it has started. */
async function open(browser, url, look) {
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true });
  const send = (method, params) => browser.send(method, params, sessionId);
  for (const domain of ['Page', 'Runtime', 'Performance']) await send(`${domain}.enable`);
  await send('Page.addScriptToEvaluateOnNewDocument', {
    source: "addEventListener('TrunkApplicationStarted', (e) => { window.__exports = e.detail.wasm; });",
  });
  if (look) {
    const { width, height, theme } = look;
    await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }] });
  }
  await send('Page.navigate', { url });

  /** Evaluates an async function body; its arguments are JSON. */
  const run = async (body, ...given) => {
    const expression = `(async (...given) => { ${body} })(...${JSON.stringify(given)})`;
    const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  for (let tries = 0; !(await run('return Boolean(window.kubeByHand?.run)').catch(() => false)); tries += 1) {
    if (tries === 200) throw new Error('the page API did not appear within 20 s');
    await new Promise((r) => setTimeout(r, 100));
  }
  return {
    run,
    /** A command line that must succeed; its output. */
    async line(text) {
      const { stdout, stderr, code } = await run('return await window.kubeByHand.run(given[0])', text);
      if (code !== 0) throw new Error(`${text.split('\n')[0]}: ${stderr}`);
      return stdout;
    },
    /** A mouse that moves. */
    point: (x, y) => send('Input.dispatchMouseEvent', { type: 'mouseMoved', x, y }),
    /** The tab key. */
    async tab() {
      for (const type of ['keyDown', 'keyUp']) await send('Input.dispatchKeyEvent', { type, key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 });
    },
    /** Bytes held: the wasm memory and the JavaScript heap. */
    async heap() {
      await send('HeapProfiler.collectGarbage');
      const { metrics } = await send('Performance.getMetrics');
      const js = metrics.find(({ name }) => name === 'JSHeapUsedSize').value;
      return js + (await run('return window.__exports?.memory.buffer.byteLength ?? 0'));
    },
    /** CPU seconds the renderers have used so far, all their threads. */
    async cpu() {
      const { processInfo } = await browser.send('SystemInfo.getProcessInfo');
      return processInfo.filter(({ type }) => type === 'renderer').reduce((sum, { cpuTime }) => sum + cpuTime, 0);
    },
    close: () => browser.send('Target.closeTarget', { targetId }),
  };
}

/** Runs `work` and returns the longest task of a renderer's main thread meanwhile, in milliseconds. */
export async function longestTask(browser, work) {
  await browser.send('Tracing.start', {
    transferMode: 'ReturnAsStream',
    traceConfig: { recordMode: 'recordUntilFull', includedCategories: ['disabled-by-default-devtools.timeline'] },
  });
  await work();
  const complete = browser.once('Tracing.tracingComplete');
  await browser.send('Tracing.end');
  const { stream } = await complete;
  let text = '';
  for (let eof = false; !eof;) {
    const part = await browser.send('IO.read', { handle: stream, size: 1 << 20 });
    text += part.base64Encoded ? Buffer.from(part.data, 'base64').toString() : part.data;
    eof = part.eof;
  }
  await browser.send('IO.close', { handle: stream });
  const { traceEvents } = JSON.parse(text);
  const main = new Set(traceEvents.filter((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map((e) => `${e.pid}:${e.tid}`));
  const tasks = traceEvents.filter((e) => e.ph === 'X' && e.name === 'RunTask' && main.has(`${e.pid}:${e.tid}`));
  if (tasks.length === 0) throw new Error('the trace holds no task');
  return tasks.reduce((longest, { dur }) => Math.max(longest, dur / 1000), 0);
}
