/**
 * Exported room state: a room restored from it, in another engine, continues exactly as the first
 * does.
 */

import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { createEngine } from '../../server/engine/create-engine.ts';
import { speciesOf } from '../../server/rooms/loaded-checkpoint.ts';
import type { Room } from '../../server/world/room.ts';
import { roomState } from '../../server/world/room-state.ts';
import { World } from '../../server/world/world.ts';
import { createRandom } from '../../shared/random.ts';
import { afterSuite } from '../support/closing.ts';
import fc from '../support/property.ts';
import { command } from '../support/rooms.ts';
import { tinyModel } from '../unit/vnca/tiny-model.ts';

/** Rules of every kind: plain, with a genome, with chance, grown in place. */
const models = [
  tinyModel({ trustedSteps: 30 }),
  tinyModel(
    {
      name: 'genome',
      update: {
        kind: 'residual',
        hidden: 7,
        standingInput: true,
        genome: { hidden: 6, expressed: 3 },
        leak: 0.5,
        stateLimit: 2,
      },
    },
    5,
  ),
  tinyModel({ name: 'chance', update: { kind: 'simple', hidden: 8, updateProbability: 0.5 } }, 3),
  tinyModel(
    { name: 'uniform', update: { kind: 'res4', hidden: 5 }, growth: { kind: 'uniform', steps: 9 } },
    4,
  ),
];
const start = () => createEngine({ checkpoints: models, backend: 'onnx' });
const engines = [await start(), await start()];
afterSuite(() => Promise.all(engines.map((engine) => engine.close())));

/** What a tick has brought, and what the room shows. */
function digest(room: Room, result: unknown): string {
  const { rgba, owner } = room.grid.planes;
  return createHash('sha256')
    .update(rgba)
    .update(new Uint8Array(owner.buffer))
    .update(JSON.stringify(result))
    .digest('hex');
}

/** Low enough that some wishes are refused for want of it. */
const energy = {
  capacity: 60,
  newcomer: 30,
  refillPerSecond: 9,
  plant: 12,
  damagePerCell: 0.05,
  wake: 0,
};

const fullRuns = process.env.VIVARIUM_TEST_FULL === '1' ? 200 : 16;

test('TIM-6: a room restored from its state and its cells continues bit for bit', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        model: fc.nat(models.length - 1),
        seed: fc.nat(),
        before: fc.integer({ min: 0, max: 90 }),
        after: fc.integer({ min: 1, max: 60 }),
        rate: fc.constantFrom(0.05, 0.3),
      }),
      async ({ model, seed, before, after, rate }) => {
        const { card, tensors } = models[model];
        const species = speciesOf({ card, tensors, folder: '' });
        const [world, other] = engines.map((engine) => new World(engine));
        const place = { name: 'a', width: 48, height: 40, maxOrganisms: 5, seed, species, energy };
        const room = world.open(place);
        const random = createRandom(seed);
        for (let tick = 0; tick < before; tick++) {
          if (random.uniform() < rate) command(random, room);
          if (random.uniform() < 0.05) room.leave(1 + random.integer(3));
          if (random.uniform() < 0.05) room.enter(1 + random.integer(3));
          if (random.uniform() < 0.01) room.setTickRate(1 + random.integer(60));
          await world.tick([room]);
        }
        const state = room.export();
        expect(v.parse(roomState, state)).toEqual(state);
        const patches = state.organisms.map(({ id }) => room.patchOf(id)!);
        const states = await engines[0].exportStates(patches);
        // What the first room does from here on is nothing to the second.
        const again = await other.restore(
          { ...place, seed: 0, from: structuredClone(state) },
          states,
        );
        // Those that had acted before it was put back are not its own.
        expect(again.export()).toEqual({ ...state, acted: 0 });
        const elsewhere = createRandom(seed);
        const onward = createRandom(seed);
        for (let tick = 0; tick < after; tick++) {
          const digests = [];
          for (const [at, which, chance] of [
            [world, room, onward],
            [other, again, elsewhere],
          ] as const) {
            if (chance.uniform() < rate) command(chance, which);
            const [{ result }] = await at.tick([which]);
            digests.push(digest(which, result));
          }
          expect(digests[1]).toBe(digests[0]);
        }
        const [one, two] = [room.export(), again.export()];
        expect(two).toEqual(one);
        await world.close(room);
        await other.close(again);
      },
    ),
    { numRuns: fullRuns, seed: 20261125 },
  ));

test.each([
  ['of another version', (state: Record<string, unknown>) => (state.version = 99)],
  [
    'with planes of another size',
    (state: Record<string, unknown>) => {
      (state.planes as { width: number }).width++;
    },
  ],
  ['with a number that is none', (state: Record<string, unknown>) => (state.tick = Number.NaN)],
  ['with something that nobody knows', (state: Record<string, unknown>) => (state.more = 1)],
])('a state %s is refused', (_, spoil) => {
  const { card, tensors } = models[0];
  const species = speciesOf({ card, tensors, folder: '' });
  const place = { name: 'a', width: 48, height: 40, maxOrganisms: 5, seed: 1, species };
  const state = new World(engines[0]).open(place).export();
  spoil(state);
  expect(v.safeParse(roomState, state).success).toBe(false);
});
