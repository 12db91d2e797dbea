/**
 * The Socket.IO parser for servers and command-line programs. It uses msgpackr, which is faster
 * than `packets.ts` but too large for pages.
 */
import { Packr, Unpackr } from 'msgpackr';
import { createParser, OPTIONS } from './packets.ts';

const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

export const parser = createParser(
  (value) => packr.pack(value),
  (bytes) => unpackr.unpack(bytes),
);
