/**
 * The Socket.IO parser for servers and command-line programs. It uses msgpackr, which is faster
 * than `packets.ts` but too large for pages.
 */
import { Packr } from 'msgpackr';
import { createParser, OPTIONS } from './packets.ts';

export const parser = createParser(new Packr(OPTIONS));
