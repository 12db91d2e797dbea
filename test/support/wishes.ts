/** Random commands of visitors, valid and invalid. */
import type { Room } from '../../server/world/room.ts';
import type { Random } from '../../shared/random.ts';
import { ANNA } from './rooms.ts';

/** One random command of a visitor. */
export function command(random: Random, room: Room): void {
  const { width, height } = room.grid;
  const by = { ...ANNA, id: 1 + random.integer(3) };
  const x = random.integer(width + 4) - 2;
  const y = random.integer(height + 4) - 2;
  const what = random.integer(10);
  if (what < 3) {
    const index = random.integer(room.species.gallery.length);
    room.enqueue(1, { what: 'plant', by, x, y, seed: { from: 'gallery', index } });
  } else if (what < 5) room.enqueue(2, { what: 'plant', by, x, y, seed: { from: 'prior' } });
  else if (what < 6) {
    const [a, b] = [1 + random.integer(12), 1 + random.integer(12)];
    room.enqueue(3, { what: 'cross', by, a, b, mix: random.uniform() });
    room.enqueue(4, {
      what: 'plant',
      by,
      x,
      y,
      seed: { from: 'hand', seed: 1 + random.integer(4) },
    });
  } else if (what < 7) {
    const index = random.integer(2 * room.species.gallery.length);
    const isRandom = index >= room.species.gallery.length;
    const seed = isRandom ? ({ from: 'prior' } as const) : ({ from: 'gallery', index } as const);
    room.enqueue(6, { what: 'transform', by, organism: 1 + random.integer(12), seed });
  } else {
    const points = [x, y, x + random.integer(30) - 15, y + random.integer(30) - 15];
    room.enqueue(5, { what: 'damage', by, points, radius: 0.5 + random.uniform() * 8 });
  }
}
