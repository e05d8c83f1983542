// Starts the program, or says why it cannot. A file of its own, so that the page needs no inline script.
const { js, wasm: module } = document.querySelector('meta[name=program]').dataset;
const at = (path) => new URL(path, document.baseURI).href;
// The editor is a program of its own, fetched when it is first opened.
globalThis.kubeByHandEditor = () => import(at('editor.js'));
// What every field is for, and every value: fetched with it.
const text = async (path) => {
  const answer = await fetch(at(path));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
};
globalThis.kubeByHandDocs = async () => (await text('docs.txt')) + (await text('enums.txt'));

// A release is two modules (release/split.mjs). The second comes when somebody is there or a session is to be
// replayed, and at the latest when one of its functions is called: then nothing can wait, so that this request
// is a synchronous one.
const rest = at(module.replace(/_bg\.wasm$/, '_rest.wasm'));
const signs = ['pointermove', 'pointerdown', 'keydown', 'focusin'];
const link = (wasm, secondary) => {
  new WebAssembly.Instance(secondary, { primary: wasm });
  wasm.secondary.value = 1;
};
const retry = {
  en: 'A part of Kube by Hand is still to be fetched, and the network does not answer. Try again?',
  ja: 'プログラムの残りをまだ取得できていません。ネットワークにつながりません。もう一度試しますか？',
};
const bytesNow = () => {
  const request = new XMLHttpRequest();
  do {
    request.open('GET', rest, false);
    request.overrideMimeType('text/plain; charset=x-user-defined'); // a byte a character
    try {
      request.send();
    } catch {
      // No network: `status` is 0.
    }
    if (request.status === 200) return Uint8Array.from(request.responseText, (byte) => byte.charCodeAt(0));
  } while (confirm(retry[document.documentElement.lang] ?? retry.en));
  throw new WebAssembly.RuntimeError('the rest of the program cannot be fetched');
};
globalThis.kubeByHandRest = (wasm) => link(wasm, new WebAssembly.Module(bytesNow()));
const fetchRest = async (wasm) => {
  const bytes = await fetch(rest).then((answer) => (answer.ok ? answer.arrayBuffer() : null), () => null);
  const secondary = bytes && (await WebAssembly.compile(bytes));
  // Without a network it is asked for again when it is needed.
  if (secondary && !wasm.secondary.value) link(wasm, secondary);
};
const whenSomebodyIsThere = (wasm) => {
  const come = () => {
    for (const sign of signs) removeEventListener(sign, come, true);
    fetchRest(wasm);
  };
  if (location.hash) come();
  else for (const sign of signs) addEventListener(sign, come, true);
};

try {
  const { default: init } = await import(at(js));
  const wasm = await init({ module_or_path: at(module) });
  if (wasm.secondary?.value === 0) whenSomebodyIsThere(wasm);
  dispatchEvent(new CustomEvent('TrunkApplicationStarted', { detail: { wasm } }));
} catch (error) {
  const line = document.getElementById('starting');
  if (line) line.textContent = `Kube by Hand could not start here: ${error.message ?? error}`;
  throw error;
}
