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
try {
  const { default: init } = await import(at(js));
  const wasm = await init({ module_or_path: at(module) });
  dispatchEvent(new CustomEvent('TrunkApplicationStarted', { detail: { wasm } }));
} catch (error) {
  const line = document.getElementById('starting');
  if (line) line.textContent = `Kube by Hand could not start here: ${error.message ?? error}`;
  throw error;
}
