// A WebAssembly module as bytes: its sections, and the numbers in them.
// Source: the WebAssembly core specification, chapter 5.

export const CODE_SECTION = 10;
export const DATA_SECTION = 11;

/** Reads numbers and names one after the other. */
export class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** LEB128 without a sign. */
  number() {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  /** LEB128 with a sign, of 32 bits at most. */
  signed() {
    for (let value = 0, shift = 0; ;) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) return shift < 32 && byte & 64 ? value | (-1 << shift) : value;
    }
  }

  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name() {
    return new TextDecoder().decode(this.take(this.number()));
  }
}

/** Every section: its id, the name of a custom one, from where to where it is, and where its content begins. */
export function sections(bytes) {
  const found = [];
  for (const reader = new Reader(bytes, 8); reader.at < bytes.length;) {
    const from = reader.at;
    const id = reader.byte();
    const length = reader.number();
    const to = reader.at + length;
    const name = id === 0 ? reader.name() : '';
    found.push({ id, name, from, begin: reader.at, to });
    reader.at = to;
  }
  return found;
}

/** The module without its custom sections of such names. */
export function without(bytes, names) {
  const kept = sections(bytes).filter(({ name }) => !names.test(name));
  return Buffer.concat([bytes.subarray(0, 8), ...kept.map(({ from, to }) => bytes.subarray(from, to))]);
}

/** What the data section puts into the memory: where, which bytes, and where they begin in the section. */
export function dataSegments(bytes) {
  const section = sections(bytes).find(({ id }) => id === DATA_SECTION);
  const reader = new Reader(bytes, section.begin);
  return Array.from({ length: reader.number() }, () => {
    const [kind, constant] = [reader.number(), reader.byte()];
    const offset = reader.signed();
    if (kind !== 0 || constant !== 0x41 || reader.byte() !== 0x0b) throw new Error('split: a data segment that is not at a fixed place');
    const length = reader.number();
    return { offset, inSection: reader.at - section.begin, data: reader.take(length) };
  });
}
