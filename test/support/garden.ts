/** A garden that looks the same each time it is planted, for pictures of pages. */
import type { Visitor } from './visitor.ts';

/**
 * Creatures of the shipped gallery in rows, one for each of the spots, at rest.
 *
 * @returns when the last has come to rest
 */
export async function plantGarden(
  visitors: readonly Visitor[],
  names: readonly string[],
  spot: (i: number) => readonly [number, number],
): Promise<void> {
  const [first] = visitors;
  const gallery = first.welcome!.checkpoint.gallery.map(({ name }) => name);
  for (const [i, name] of names.entries()) {
    const [x, y] = spot(i);
    const seed = { from: 'gallery', index: gallery.indexOf(name) };
    const answer = await visitors[i % visitors.length].ask('plant', { x, y, seed });
    if ('reason' in answer) throw new Error(`${name} at ${x}, ${y}: ${answer.reason}`);
  }
  await first.until(
    () => first.life.filter(({ what }) => what === 'asleep').length >= names.length,
  );
}
