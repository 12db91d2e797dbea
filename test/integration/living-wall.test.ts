/** A wall on which nobody acts lives all the same, and rests when nobody watches. */
import { afterTest } from '../support/closing.ts';
import { LIVING_ROOM, LivingWall } from '../support/living-wall.ts';
import { isFull } from '../support/needs.ts';

/** The same with fewer organisms, of which more express, and a gardener who begins soon. */
const settings = isFull
  ? LIVING_ROOM
  : { ...LIVING_ROOM, 'tick-rate': 6, 'max-organisms': 16, liveliness: 0.5, attract: 10 };
const [organisms, seconds] = isFull ? [20, 150] : [10, 60];

test('something is visibly alive in every five seconds; organisms are born, heal and depart; unwatched, none steps', async () => {
  const living = await LivingWall.open({ ...settings, seed: 3 });
  afterTest(() => living.close());
  await living.plant(organisms);
  const { places, events } = await living.watch(seconds);
  if (process.env.VIVARIUM_FIGURES) console.log(places, events);
  expect(Math.min(...places)).toBeGreaterThanOrEqual(30);
  expect(events.born).toBeGreaterThan(0);
  expect(events.healed).toBeGreaterThan(0);
  expect(events.departed).toBeGreaterThan(0);
  living.switchOff();
  await living.watch(40);
  expect(await living.watch(20)).toMatchObject({ awake: 0 });
});
