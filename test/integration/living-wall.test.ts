/** A wall on which nobody acts lives all the same, shows some events from close by, and rests when nobody watches. */
import { RoomModel } from '../../client/room/room-model.ts';
import { WallNews } from '../../client/wall/captions.ts';
import { CLOSE_UP_GLIDE, CloseUps } from '../../client/wall/close-ups.ts';
import { afterTest } from '../support/closing.ts';
import { LIVING_ROOM, LivingWall } from '../support/living-wall.ts';
import { fullTest, isFull } from '../support/needs.ts';

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

// In `npm test`, `unit/client/wall.test.ts` shows single events.
fullTest(
  'an event is the picture for a third to six tenths of the time, from before it ends until it has ended',
  async () => {
    const living = await LivingWall.open({ ...LIVING_ROOM, attract: 10, seed: 5 });
    afterTest(() => living.close());
    const seconds = 600;
    let now = 0;
    const model = new RoomModel(() => undefined);
    const closeUps = new CloseUps(model, new WallNews(model, () => now), () => now);
    const { wall } = living;
    for (const { name, message } of wall.heard) model.receive(name, message);
    wall.socket.onAny((name, message) => model.receive(name, message));
    closeUps.rate = model.settings!.closeUps!;
    await living.plant(isFull ? 20 : 6);
    await living.watch(30);

    const shown: string[] = [];
    const faults: string[] = [];
    let close = 0;
    let last: ReturnType<CloseUps['at']>;
    let hadEnded = false;
    await living.watch(seconds, (passed) => {
      now = 1000 * passed;
      const event = closeUps.at(now, 35);
      const { endedAt = Number.POSITIVE_INFINITY } = event ?? {};
      if (event) close++;
      if (event && event !== last) {
        shown.push(`${passed.toFixed(0)} s: ${event.kind}`);
        if (endedAt < now) faults.push(`${event.kind} at ${passed} had ended`);
      }
      if (event && now < event.since + CLOSE_UP_GLIDE && endedAt <= now && !hadEnded) {
        faults.push(`${event.kind} at ${passed} ended on the way`);
      }
      if (last && event !== last && !hadEnded) faults.push(`${last.kind} was cut off at ${passed}`);
      hadEnded = endedAt <= now;
      last = event;
    });
    const share = close / (15 * seconds);
    if (process.env.VIVARIUM_FIGURES) console.log({ share, shown, faults });
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.6);
    expect(faults).toEqual([]);
  },
);
