/** The Socket.IO parser of servers and programs: the library is faster, and larger, than `pack` and `unpack`. */
import { Packr, Unpackr } from 'msgpackr';
import { createParser, OPTIONS } from './packets.ts';

const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

export const parser = createParser(
  (value) => packr.pack(value),
  (bytes) => unpackr.unpack(bytes),
);
