/** What a visitor does with her organism, over real sockets: she shows it, names herself, takes it home. */
import type { Vivarium } from '../../server/vivarium.ts';
import type { Room } from '../../server/world/room.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { startServer } from '../support/server.ts';
import { Visitor } from '../support/visitor.ts';

let server: Vivarium;
let room: Room;
const visitors: Visitor[] = [];

async function join(name?: string): Promise<Visitor> {
  const visitor = await Visitor.join(server.port, 'garden', name);
  visitors.push(visitor);
  return visitor;
}

const asIndex = (index: number) => ({ from: 'gallery', index }) as const;

/** @returns the organism that was born of it */
async function plant(visitor: Visitor, x: number, y: number, seed: unknown = asIndex(105)) {
  const before = room.organisms.at(-1)?.id ?? 0;
  expect(await visitor.ask('plant', { x, y, seed })).not.toHaveProperty('reason');
  const organism = room.organisms.at(-1)!;
  expect(organism.id).toBeGreaterThan(before);
  return organism;
}

beforeAll(async () => {
  server = await startServer({ size: '160x96', 'tick-rate': 60 });
  room = server.world.rooms.get('garden')!;
});

afterEach(() => {
  for (const visitor of visitors.splice(0)) visitor.leave();
});

afterAll(() => server.close());

describe('a beacon', () => {
  test('shines for everybody, in the hue of her whose organism it is', async () => {
    const [ada, bo] = [await join('Ada'), await join('Bo')];
    const { id: organism } = await plant(ada, 20, 20);
    expect(await ada.ask('beacon', { organism })).not.toHaveProperty('reason');
    const { hue } = ada.welcome!.you;
    for (const visitor of [ada, bo]) {
      expect(await visitor.next(({ name }) => name === 'beacon')).toEqual({ organism, hue });
    }
  });

  test("another's organism, one that is gone, and too many of them are refused by name", async () => {
    const [ada, bo] = [await join(), await join()];
    const { id: organism } = await plant(ada, 60, 20);
    expect(await bo.ask('beacon', { organism })).toMatchObject({ reason: 'not-yours' });
    expect(await bo.ask('beacon', { organism: 4_000 })).toMatchObject({
      reason: 'no-such-organism',
    });
    expect(ada.heard.some(({ name }) => name === 'beacon')).toBe(false);
    const answers: (Event<'accepted'> | Event<'rejected'>)[] = [];
    for (let i = 0; i < 12; i++) answers.push(await ada.ask('beacon', { organism }));
    expect(answers[0]).not.toHaveProperty('reason');
    expect(answers.at(-1)).toMatchObject({ reason: 'too-fast' });
  });
});
