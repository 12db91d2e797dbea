/** What strangers send, from nearly right to noise; seeded. */
import { COMMANDS } from '../../shared/protocol/commands.ts';
import type { Random } from '../../shared/random.ts';

/** A message that no page of ours sends: from nearly right to noise. */
export function malformed(random: Random): [string, ...unknown[]] {
  // Deeper nesting than any message has ends a connection, which is another matter.
  const junk = (depth = 0): unknown => {
    const kinds: (() => unknown)[] = [
      () => random.normal() * 10 ** random.integer(300),
      () => Number.NaN,
      () => -Infinity,
      () => null,
      () => undefined,
      () => true,
      () => 'x'.repeat(random.integer(200)),
      () => new Uint8Array(random.integer(100)),
      () => Array.from({ length: random.integer(5) }, () => junk(depth + 1)),
      () => ({ id: junk(depth + 1), x: junk(depth + 1), from: 'prior', __proto__: null }),
      () => 2n ** 60n,
    ];
    const kind = kinds[random.integer(kinds.length)];
    return depth > 3 ? null : kind();
  };
  const names = [...Object.keys(COMMANDS), 'welcome', 'frame', 'toString', '__proto__', ''];
  const name = names[random.integer(names.length)];
  const fields = [
    'id',
    'x',
    'y',
    'seed',
    'radius',
    'points',
    'a',
    'b',
    'mix',
    'tool',
    'tick',
    'room',
    'organism',
  ];
  const message = Object.fromEntries(
    fields.filter(() => random.uniform() < 0.4).map((field) => [field, junk()]),
  );
  // `resync` and `received` of any known tick are harmless; all else must be wrong in at least one
  // field.
  return [name, { ...message, wrong: junk() }, ...(random.uniform() < 0.1 ? [junk()] : [])];
}
