import { createTickLoop } from '../../../server/composition/tick-loop.ts';
import { STALL } from '../../../server/operations/watches.ts';
import { World } from '../../../server/world/world.ts';
import { HOUSE } from '../../../shared/vocabulary.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { IDLE_ENGINE } from '../../support/registry-options.ts';
import { SPECIES } from '../../support/rooms.ts';

const never = (): Promise<never> => new Promise(() => {});

/** @returns why the ticks of a room cannot go on, in which somebody plants */
async function failureOf(change: (world: World) => void): Promise<string[]> {
  const clock = new FakeClock();
  const failures: string[] = [];
  const world = new World({ ...IDLE_ENGINE, step: async () => [] } as never);
  change(world);
  const { ticker } = createTickLoop({
    ...{ world, clock, hooks: {} as never, journalWriter: undefined, metrics: () => undefined },
    ...{ roomServers: () => new Map(), mayTick: () => true, pausePreviews: () => {} },
    ...{ onTick: undefined, onHeartbeat: undefined },
    onFailure: (error) => failures.push((error as Error).message),
  });
  const size = { width: 16, height: 16, maxOrganisms: 4 };
  const room = world.open({ ...size, name: 'garden', seed: 1, species: SPECIES });
  const seed = { from: 'gallery', index: 0 } as const;
  room.enqueue(1, { what: 'plant', by: HOUSE, x: 8, y: 8, seed });
  ticker.add(room, 15);
  await clock.advance(2 * STALL);
  return failures;
}

test('a tick that waits for the disk is not taken for a stalled engine', async () => {
  expect(await failureOf((world) => Object.assign(world, { journal: never }))).toEqual([
    expect.stringMatching(/^A tick did not end, because the disk of --data .* does not answer\. /),
  ]);
  expect(await failureOf(({ engine }) => Object.assign(engine, { step: never }))).toEqual([
    'engine: failed: a tick did not end, because the engine has stalled',
  ]);
});
