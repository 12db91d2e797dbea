/** The Socket.IO parser of pages. */
import { pack } from '../../shared/protocol/pack.ts';
import { createParser } from '../../shared/protocol/packets.ts';

export const parser = createParser(() => pack);
