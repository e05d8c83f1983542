// Divides the program in two WebAssembly modules, so that the page starts on a third of its code and data.
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
import { CODE_SECTION, Reader, sections, without } from './binary.mjs';
import { divideData } from './data.mjs';

const PRIMARY = new URL('primary.txt', import.meta.url);
/** Functions of the primary module as small as this, in bytes, are in the secondary as well: called across, they would cost more. */
const COPIED = 300;
const { i32, none } = binaryen;

binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);

const folder = process.argv[2];
const path = join(folder, readdirSync(folder).find((name) => name.endsWith('_bg.wasm')));
/** What the linker wrote, with its notes, which are of no use to the page. */
const LINKED = join(process.env.CARGO_TARGET_DIR ?? 'target', 'wasm32-unknown-unknown', 'release', 'kube-by-hand.wasm');
const bytes = without(readFileSync(path), /^(linking|reloc\..*)$/);

/** A fresh copy of the whole program; it says itself which features it uses. */
const program = () => binaryen.readBinary(bytes);
const times = (count, item) => Array.from({ length: count }, (_, index) => item(index));
const functions = (module) => times(module.getNumFunctions(), (index) => {
  const ref = module.getFunctionByIndex(index);
  return { ref, ...binaryen.getFunctionInfo(ref) };
});
/** The key of a function in primary.txt: its name, without what is another one in each build, is long. */
const key = (name) => createHash('sha256').update(name.replace(/\[[0-9a-f]{16}\]|::h[0-9a-f]{16}$/g, '')).digest('hex').slice(0, 8);
/** The bytes of each function that the program defines, by name. */
function sizes(names) {
  const reader = new Reader(bytes, sections(bytes).find(({ id }) => id === CODE_SECTION).begin);
  reader.number();
  return new Map(names.map((name) => {
    const size = reader.number();
    reader.take(size);
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

/** The program with stubs for the functions that `slot` knows a place for; those it has no place for trap. */
function primary(table, isSecondary, slot) {
  const module = program();
  const defined = functions(module).filter(({ module: from }) => !from);
  module.addFunctionImport('load', 'secondary', 'load', none, none);
  module.addGlobal('secondary', i32, true, module.i32.const(0));
  module.addGlobalExport('secondary', 'secondary');
  for (const it of defined.filter(({ name }) => isSecondary(name))) {
    const at = slot(it.name);
    if (at === undefined) binaryen.Function.setBody(it.ref, module.unreachable());
    else stub(module, table, it, at);
  }
  return module;
}

/** What is in the program, by name. */
function contents(whole) {
  const exports = times(whole.getNumExports(), (index) => binaryen.getExportInfo(whole.getExportByIndex(index)));
  const segments = times(whole.getNumElementSegments(), (index) => binaryen.getElementSegmentInfo(whole.getElementSegmentByIndex(index)));
  const tables = times(whole.getNumTables(), (index) => binaryen.getTableInfo(whole.getTableByIndex(index)));
  if (segments.length !== 1) throw new Error('split: the table is not filled by one segment');
  const [{ table, data: elements, offset }] = segments;
  const exportOf = (kind, name) => exports.find((it) => it.kind === kind && it.value === name)?.name;
  return {
    exports: exports.map(({ name }) => name),
    segments: segments.map(({ name }) => name),
    // The one table that has functions, and what fills it from `begin` on.
    table, elements, begin: binaryen.getExpressionInfo(offset).value,
    size: tables.find(({ name }) => name === table).initial,
    tables: tables.map(({ name }) => ({ name, as: exportOf(binaryen.ExternalTable, name) ?? 'table' })),
    globals: times(whole.getNumGlobals(), (index) => binaryen.getGlobalInfo(whole.getGlobalByIndex(index))),
    memory: exports.find(({ kind }) => kind === binaryen.ExternalMemory).value,
    pages: whole.getMemoryInfo().initial,
    defined: functions(whole).filter(({ module }) => !module).map(({ name }) => name),
  };
}

/** The other functions, with what they need of the primary module as imports; `called` are reached through places of their own. */
function secondary(all, isSecondary, called) {
  const module = program();
  const sizeOf = sizes(all.defined);
  const isHere = (name) => isSecondary(name) || sizeOf.get(name) <= COPIED;
  for (const name of all.exports) module.removeExport(name);
  for (const name of all.segments) module.removeElementSegment(name);
  for (const { name, params, results } of functions(module)) {
    if (isHere(name)) continue;
    // A function that becomes an import keeps a type that is too exact for one.
    module.removeFunction(name);
    module.addFunctionImport(name, 'primary', name, params, results);
  }
  for (const { name, type, mutable } of all.globals) module.addGlobalImport(name, 'primary', `global ${name}`, type, mutable);
  for (const { name, as } of all.tables) module.addTableImport(name, 'primary', as);
  const place = (at, names) => module.addActiveElementSegment(all.table, `at ${at}`, names, module.i32.const(at));
  for (let from = 0, to; from < all.elements.length; from = to) {
    to = from + 1;
    if (!isHere(all.elements[from])) continue;
    while (to < all.elements.length && isHere(all.elements[to])) to += 1;
    place(all.begin + from, all.elements.slice(from, to));
  }
  place(all.size, called);
  module.runPasses(['remove-unused-module-elements']);
  return module;
}

function split() {
  const list = readFileSync(PRIMARY, 'utf8');
  const kept = new Set(list.split('\n'));
  const all = contents(program());
  const moved = new Set(all.defined.filter((name) => !kept.has(key(name))));
  const isSecondary = (name) => moved.has(name);

  // What is called from the functions that stay gets a place behind those the table has already.
  const probe = primary(all.table, isSecondary, () => 0);
  for (const { name } of functions(probe)) if (!isSecondary(name)) probe.addFunctionExport(name, `stays ${name}`);
  probe.runPasses(['remove-unused-module-elements']);
  const called = functions(probe).map(({ name }) => name).filter(isSecondary);
  const slots = new Map(called.map((name, index) => [name, all.size + index]));

  // Only these two fit each other, not one of them and another release's, from a cache.
  const pair = `memory ${createHash('sha256').update(bytes).update(list).digest('hex').slice(0, 16)}`;
  const rest = secondary(all, isSecondary, called);
  const first = primary(all.table, isSecondary, (name) => slots.get(name));
  functions(rest).filter(({ module }) => module).forEach(({ name, params, results }, index) => {
    const as = index.toString(36);
    rest.addFunctionImport(name, 'primary', as, params, results);
    first.addFunctionExport(name, as);
  });
  first.addMemoryExport(all.memory, pair);
  for (const { name } of all.globals) first.addGlobalExport(name, `global ${name}`);
  for (const { name, as } of all.tables) if (as === 'table') first.addTableExport(name, as);
  for (const module of [first, rest]) {
    const room = module.getTable(all.table);
    binaryen.Table.setMax(room, all.size + called.length);
    binaryen.Table.setInitial(room, all.size + called.length);
  }

  const imported = shortened(first);
  const data = divideData(bytes, readFileSync(LINKED), numbers(finished(first)), numbers(finished(rest)));
  fill(first, all, data.first);
  fill(rest, all, data.rest);
  // Memory that was filled is the module's own until it is imported anew.
  rest.addMemoryImport(all.memory, 'primary', pair);
  write(first, path);
  write(rest, path.replace(/_bg\.wasm$/, '_rest.wasm'));
  linkGlue(imported);
}

/** Every number in a module's code: among them each address that it has, also beside a length in one of 64 bits. */
function numbers(module) {
  const found = new Set();
  for (const line of module.emitText().split('\n')) {
    if (/^\s*\(data /.test(line)) continue;
    for (const [, number] of line.matchAll(/(?:i32\.const |i64\.const |offset=)(-?\d+)/g)) {
      const bits = BigInt.asUintN(64, BigInt(number));
      found.add(Number(bits & 0xffffffffn)).add(Number(bits >> 32n));
    }
  }
  return found;
}

/** Puts these segments, and nothing else, into the memory a module has. */
function fill(module, all, segments) {
  const placed = segments.map(({ offset, data }) => ({ offset: module.i32.const(offset), data, passive: false }));
  module.setMemory(all.pages, -1, null, placed, false, false, all.memory);
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
