// Which constants only the secondary module reads, so that they come with it.
//
// The linker tells (`--emit-relocs`) where each constant lies, which constants point to which others, and
// which addresses the program's code has. A constant stays in the primary module if an address of it is among
// the numbers in that module's code, if such a number lies inside it, or if one that stays points to it; also
// if an address that the linker knew of is in neither module's code, since optimizers may hide one in a number.
// Source: WebAssembly/tool-conventions, Linking.md.
import { CODE_SECTION, DATA_SECTION, Reader, dataSegments, sections } from './binary.mjs';

const SYMBOL_TABLE = 8;
const [FUNCTION, DATA, SECTION] = [0, 1, 3];
const [UNDEFINED, NAMED] = [0x10, 0x40];
/** Relocations that are addresses in memory: in code, and in data. */
const ADDRESSES = new Set([3, 4, 5]);
/** Others that carry an addend. */
const ADDENDS = new Set([...ADDRESSES, 8, 9, 11]);
/** Shorter gaps between two segments cost less than a segment of their own. */
const GAP = 8;

/** The symbols by index; those of data with `segment`, `from` and `to`, the latter as addresses. */
function symbols(linked, segments) {
  const { begin, to } = sections(linked).find(({ name }) => name === 'linking');
  const reader = new Reader(linked, begin);
  reader.number();
  while (reader.at < to) {
    const kind = reader.byte();
    const end = reader.number() + reader.at;
    if (kind === SYMBOL_TABLE) return Array.from({ length: reader.number() }, () => symbol(reader, segments));
    reader.at = end;
  }
  throw new Error('split: the linker left no symbols');
}

function symbol(reader, segments) {
  const [kind, flags] = [reader.byte(), reader.number()];
  if (kind === SECTION) {
    reader.number();
  } else if (kind !== DATA) {
    reader.number();
    if (!(flags & UNDEFINED) || flags & NAMED) reader.name();
  } else {
    reader.name();
    if (flags & UNDEFINED) return {};
    const [segment, offset, size] = [reader.number(), reader.number(), reader.number()];
    const from = segments[segment] ? segments[segment].offset + offset : NaN;
    return { segment, from, to: from + size };
  }
  return {};
}

/** The relocations of a section that are addresses: where in it, and of which symbol plus what. */
function addresses(linked, id) {
  const all = sections(linked);
  const found = [];
  for (const { begin } of all.filter(({ name }) => name.startsWith('reloc.'))) {
    const reader = new Reader(linked, begin);
    if (all[reader.number()].id !== id) continue;
    for (let left = reader.number(); left > 0; left -= 1) {
      const [type, at, index] = [reader.byte(), reader.number(), reader.number()];
      const addend = ADDENDS.has(type) ? reader.signed() : 0;
      if (ADDRESSES.has(type)) found.push({ at, index, addend });
    }
  }
  return found;
}

/** The last of these sorted ranges that begins at or before a place. */
function before(ranges, at, start = ({ from }) => from) {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (start(ranges[middle]) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The ranges of memory that only the secondary module reads, in order. */
function moved(linked, numbers, others) {
  const segments = dataSegments(linked);
  const all = symbols(linked, segments);
  // Only the first segment, .rodata, never changes.
  const constants = all.filter(({ segment }) => segment === 0).sort((a, b) => a.from - b.from);
  const kept = new Set();
  const waiting = [];
  const keep = (symbol) => {
    if (symbol.segment !== 0 || kept.has(symbol)) return;
    kept.add(symbol);
    waiting.push(symbol);
  };
  const longest = Math.max(...constants.map(({ from, to }) => to - from));
  for (const number of numbers) {
    for (let i = before(constants, number); i >= 0 && constants[i].from > number - longest - 1; i -= 1) {
      if (number < constants[i].to) keep(constants[i]);
    }
  }
  for (const { index, addend } of addresses(linked, CODE_SECTION)) {
    const address = all[index].from + addend;
    if (numbers.has(address) || !others.has(address)) keep(all[index]);
  }
  const pointers = addresses(linked, DATA_SECTION).map(({ at, index }) => {
    const own = segments[before(segments, at, ({ inSection }) => inSection)];
    return { from: own.offset + at - own.inSection, to: all[index] };
  }).sort((a, b) => a.from - b.from);
  const inside = ({ from, to }) => {
    const found = [];
    for (let i = before(pointers, from - 1) + 1; i < pointers.length && pointers[i].from < to; i += 1) found.push(pointers[i].to);
    return found;
  };
  for (const { offset, data } of segments.slice(1)) inside({ from: offset, to: offset + data.length }).forEach(keep);
  while (waiting.length > 0) inside(waiting.pop()).forEach(keep);

  // Symbols may share bytes: what one of them keeps, all keep.
  const ranges = [];
  let free = segments[0].offset;
  const stays = [...kept].sort((a, b) => a.from - b.from);
  for (const { from, to } of [...stays, { from: segments[0].offset + segments[0].data.length, to: 0 }]) {
    if (from > free) ranges.push({ from: free, to: from });
    free = Math.max(free, to);
  }
  return ranges;
}

/** Pieces of the memory as segments, without long runs of zeros. */
function pieces(image, base, ranges) {
  const found = [];
  for (const { from, to } of ranges) {
    let [begin, end] = [-1, -1];
    for (let at = from; at < to; at += 1) {
      if (image[at - base] === 0) continue;
      if (begin >= 0 && at - end > GAP) {
        found.push({ from: begin, to: end });
        begin = -1;
      }
      if (begin < 0) begin = at;
      end = at + 1;
    }
    if (begin >= 0) found.push({ from: begin, to: end });
  }
  return found.map((piece) => ({ offset: piece.from, data: image.slice(piece.from - base, piece.to - base) }));
}

/**
 * Divides the program's data: the segments of the two modules.
 * `linked` is what the linker wrote, `numbers` are those in the code of the primary module,
 * `othersNumbers` those in the code of the secondary.
 */
export function divideData(program, linked, numbers, othersNumbers) {
  const segments = dataSegments(program);
  const base = Math.min(...segments.map(({ offset }) => offset));
  const end = Math.max(...segments.map(({ offset, data }) => offset + data.length));
  const image = new Uint8Array(end - base);
  for (const { offset, data } of segments) image.set(data, offset - base);
  for (const { offset, data } of dataSegments(linked)) {
    const same = data.every((byte, at) => byte === (image[offset - base + at] ?? 0));
    if (!same) throw new Error('split: the program is not the one the linker wrote');
  }
  const rest = moved(linked, numbers, othersNumbers);
  const first = [];
  let at = base;
  for (const { from, to } of [...rest, { from: end, to: end }]) {
    if (from > at) first.push({ from: at, to: from });
    at = to;
  }
  const others = pieces(image, base, rest);
  // For trying that nothing is read too early: until the secondary module comes, rubbish is where its data will be.
  if (process.env.POISON) {
    for (const { from, to } of rest) for (let at = from - base; at < to - base; at += 1) image[at] &&= 0xa5;
    first.push(...rest);
  }
  return { first: pieces(image, base, first), rest: others };
}
