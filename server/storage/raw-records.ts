/** Copies and moves records as they are stored, damaged or not. */
import type { Records } from './records.ts';
import { STATE_KINDS, spanOf } from './store.ts';

/** Records read at a time; any of them may be large. */
const AT_ONCE = 20;

/** Copies a room's state and history; its plan and its statistics are not part of it. */
export async function copyRoom(from: Records, to: Records, room: string): Promise<void> {
  const spans = [
    ...STATE_KINDS.map((kind) => spanOf(`${kind}/${room}/`)),
    ...['room', 'tail'].map((kind) => ({ from: `${kind}/${room}`, to: `${kind}/${room}!` })),
  ];
  for (const span of spans) {
    for (let { from: start } = span; ; ) {
      const put = await from.list({ ...span, from: start, limit: AT_ONCE });
      if (put.length > 0) await to.write({ put });
      if (put.length < AT_ONCE) break;
      start = `${put.at(-1)!.key}!`;
    }
  }
}

/** Moves single records. */
export async function moveRecords(
  from: Records,
  to: Records,
  keys: readonly string[],
): Promise<void> {
  for (const key of keys) {
    const bytes = await from.get(key);
    if (bytes) await to.write({ put: [{ key, bytes }] });
  }
  await from.write({ remove: keys });
}
