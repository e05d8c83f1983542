// Divides the program in two WebAssembly modules, so that the page starts on a third of its code.
//   node split.mjs FOLDER            FOLDER/*_bg.wasm keeps the functions of primary.txt, *_rest.wasm gets the others
//   COUNT=1 node split.mjs FOLDER    instead, each function notes that it ran: what profile.mjs reads
// The method is that of Binaryen's wasm-split: in the primary module a stub stands for each function of the
// other, calls `secondary.load` where that was not done yet, and goes on through the table. The secondary
// module shares memory, table and globals with the primary, and puts its functions in the places kept for
// them. Where a function is decides when it is loaded, never what it does.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { transformSync } from 'esbuild';

const PRIMARY = new URL('primary.txt', import.meta.url);
const CODE_SECTION = 10;
/** Functions of the primary module as small as this, in bytes, are in the secondary as well: called across, they would cost more. */
const COPIED = 300;
const { i32, none, Features } = binaryen;
// What index.html lets wasm-opt use.
const FEATURES = ['MutableGlobals', 'SignExt', 'NontrappingFPToInt', 'BulkMemory', 'BulkMemoryOpt', 'ReferenceTypes', 'Multivalue']
  .reduce((all, name) => all | Features[name], 0);

binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);

const folder = process.argv[2];
const path = join(folder, readdirSync(folder).find((name) => name.endsWith('_bg.wasm')));
const bytes = readFileSync(path);

/** A fresh copy of the whole program. */
const program = () => {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES);
  return module;
};
const times = (count, item) => Array.from({ length: count }, (_, index) => item(index));
const functions = (module) => times(module.getNumFunctions(), (index) => {
  const ref = module.getFunctionByIndex(index);
  return { ref, ...binaryen.getFunctionInfo(ref) };
});
/** The key of a function in primary.txt: its name, without what is another one in each build, is long. */
const key = (name) => createHash('sha256').update(name.replace(/\[[0-9a-f]{16}\]|::h[0-9a-f]{16}$/g, '')).digest('hex').slice(0, 8);
/** The bytes of each function that the program defines, by name. */
function sizes(names) {
  let at = 8;
  const number = () => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  for (;;) {
    const id = bytes[at++];
    const length = number();
    if (id === CODE_SECTION) break;
    at += length;
  }
  number();
  return new Map(names.map((name) => {
    const size = number();
    at += size;
    return [name, size];
  }));
}
const write = (module, file) => {
  if (!module.validate()) throw new Error(`split: ${file} is not valid`);
  writeFileSync(file, module.emitBinary());
};
const finished = (module) => {
  module.runPasses(['remove-unused-module-elements', 'strip-debug', 'strip-producers']);
  module.optimize();
  return module;
};

function count() {
  const module = program();
  for (const { ref, name, module: from, body, results } of functions(module)) {
    if (from) continue;
    const ran = `ran ${key(name)}`;
    if (!module.getGlobal(ran)) {
      module.addGlobal(ran, i32, true, module.i32.const(0));
      module.addGlobalExport(ran, ran);
    }
    binaryen.Function.setBody(ref, module.block(null, [module.global.set(ran, module.i32.const(1)), body], results));
  }
  write(module, path);
}

/** What stands in the primary module for a function of the secondary one, which is at `slot` of the table. */
function stub(module, table, { ref, params, results }, slot) {
  const given = binaryen.expandType(params).map((type, index) => module.local.get(index, type));
  const missing = module.i32.eqz(module.global.get('secondary', i32));
  binaryen.Function.setBody(ref, module.block(null, [
    module.if(missing, module.call('load', [], none)),
    module.call_indirect(table, module.i32.const(slot), given, params, results),
  ], results));
}

/** The program with stubs for the functions that `slot` knows a place for; those it has no place for do nothing. */
function primary(table, isSecondary, slot) {
  const module = program();
  const defined = functions(module).filter(({ module: from }) => !from);
  module.addFunctionImport('load', 'secondary', 'load', none, none);
  module.addGlobal('secondary', i32, true, module.i32.const(0));
  module.addGlobalExport('secondary', 'secondary');
  for (const it of defined.filter(isSecondary)) {
    const at = slot(it.name);
    if (at === undefined) binaryen.Function.setBody(it.ref, module.unreachable());
    else stub(module, table, it, at);
  }
  return module;
}

function split() {
  const list = readFileSync(PRIMARY, 'utf8');
  const kept = new Set(list.split('\n'));
  const whole = program();
  const segments = times(whole.getNumElementSegments(), (index) => binaryen.getElementSegmentInfo(whole.getElementSegmentByIndex(index)));
  const tables = times(whole.getNumTables(), (index) => binaryen.getTableInfo(whole.getTableByIndex(index)));
  const globals = times(whole.getNumGlobals(), (index) => binaryen.getGlobalInfo(whole.getGlobalByIndex(index)));
  const exports = times(whole.getNumExports(), (index) => binaryen.getExportInfo(whole.getExportByIndex(index)));
  // One table has functions, and one segment fills it.
  const [{ table, data: elements, offset }] = segments;
  const begin = binaryen.getExpressionInfo(offset).value;
  if (segments.length !== 1) throw new Error('split: the table is not filled by one segment');
  const size = tables.find(({ name }) => name === table).initial;
  const tableName = (name) => exports.find(({ kind, value }) => kind === binaryen.ExternalTable && value === name)?.name ?? 'table';
  const memory = exports.find(({ kind }) => kind === binaryen.ExternalMemory);

  const moved = new Set(functions(whole).filter(({ name, module }) => !module && !kept.has(key(name))).map(({ name }) => name));
  const isSecondary = ({ name }) => moved.has(name);

  // What is called from the functions that stay gets a place behind those the table has already.
  const probe = primary(table, isSecondary, () => 0);
  for (const it of functions(probe)) if (!isSecondary(it)) probe.addFunctionExport(it.name, `stays ${it.name}`);
  probe.runPasses(['remove-unused-module-elements']);
  const called = functions(probe).filter(isSecondary).map(({ name }) => name);
  const slots = new Map(called.map((name, index) => [name, size + index]));

  const sizeOf = sizes(functions(whole).filter(({ module }) => !module).map(({ name }) => name));
  const secondary = program();
  for (const { name } of exports) secondary.removeExport(name);
  for (const { name } of segments) secondary.removeElementSegment(name);
  for (const it of functions(secondary)) {
    if (isSecondary(it) || sizeOf.get(it.name) <= COPIED) continue;
    // A function that becomes an import keeps a type that is too exact for one.
    secondary.removeFunction(it.name);
    secondary.addFunctionImport(it.name, 'primary', it.name, it.params, it.results);
  }
  for (const { name, type, mutable } of globals) secondary.addGlobalImport(name, 'primary', `global ${name}`, type, mutable);
  for (const { name } of tables) secondary.addTableImport(name, 'primary', tableName(name));
  secondary.setMemory(whole.getMemoryInfo().initial, -1, null, [], false, false, memory.value);
  // Only these two fit each other, not one of them and another release's, from a cache.
  const pair = `memory ${createHash('sha256').update(bytes).update(list).digest('hex').slice(0, 16)}`;
  secondary.addMemoryImport(memory.value, 'primary', pair);
  const place = (at, names) => secondary.addActiveElementSegment(table, `at ${at}`, names, secondary.i32.const(at));
  for (let from = 0, to; from < elements.length; from = to) {
    to = from + 1;
    const here = (name) => moved.has(name) || sizeOf.get(name) <= COPIED;
    if (!here(elements[from])) continue;
    while (to < elements.length && here(elements[to])) to += 1;
    place(begin + from, elements.slice(from, to));
  }
  place(size, called);
  secondary.runPasses(['remove-unused-module-elements']);
  const shared = functions(secondary).filter(({ module }) => module);
  const short = new Map(shared.map(({ name }, index) => [name, index.toString(36)]));
  for (const { name, params, results } of shared) secondary.addFunctionImport(name, 'primary', short.get(name), params, results);

  const first = primary(table, isSecondary, (name) => slots.get(name));
  first.addMemoryExport(memory.value, pair);
  for (const [name, as] of short) first.addFunctionExport(name, as);
  for (const { name } of globals) first.addGlobalExport(name, `global ${name}`);
  for (const { name } of tables) if (tableName(name) === 'table') first.addTableExport(name, 'table');
  for (const module of [first, secondary]) {
    const room = module.getTable(table);
    binaryen.Table.setMax(room, size + called.length);
    binaryen.Table.setInitial(room, size + called.length);
  }

  const imported = shortened(first);
  write(finished(first), path);
  write(finished(secondary), path.replace(/_bg\.wasm$/, '_rest.wasm'));
  linkGlue(imported);
}

/** Gives what wasm-bindgen imports short names: a hash hardly compresses. The new names, by the old ones. */
function shortened(module) {
  const names = new Map();
  for (const { name, module: from, base, params, results } of functions(module)) {
    if (!from || !/_[0-9a-f]{16}$/.test(base)) continue;
    names.set(base, `_${names.size.toString(36)}`);
    module.addFunctionImport(name, from, names.get(base), params, results);
  }
  return names;
}

/** Fits the JavaScript between the program and the browser: the names, and `secondary.load`, which boot.js has. */
function linkGlue(imported) {
  const glue = path.replace(/_bg\.wasm$/, '.js');
  const text = readFileSync(glue, 'utf8');
  const imports = /return \{\s*__proto__: null,/;
  if (!imports.test(text)) throw new Error('split: wasm-bindgen has its imports in another form now');
  const linked = text
    .replace(/\b\w+_[0-9a-f]{16}\b/g, (name) => imported.get(name) ?? name)
    .replace(imports, '$& secondary: { load: () => globalThis.kubeByHandRest(wasm) },');
  writeFileSync(glue, transformSync(linked, { minify: true, format: 'esm', target: 'es2022' }).code);
}

if (process.env.COUNT) count();
else split();
