/** The events that a wall shows from close by while nobody acts, over ten minutes of a real room. */
import { RoomModel } from '../../client/room/room-model.ts';
import { WallNews } from '../../client/wall/captions.ts';
import { DIRECTION_GLIDE, Direction } from '../../client/wall/direction.ts';
import { afterTest } from '../support/closing.ts';
import { LIVING_ROOM, LivingWall } from '../support/living-wall.ts';
import { isFull } from '../support/needs.ts';

const [organisms, seconds] = isFull ? [20, 600] : [8, 150];

test('an event is the picture for a third to six tenths of the time, from before it ends until it has ended', async () => {
  const living = await LivingWall.open({ ...LIVING_ROOM, attract: 10, seed: 5 });
  afterTest(() => living.close());
  let now = 0;
  const model = new RoomModel(() => undefined);
  const direction = new Direction(model, new WallNews(model, () => now), () => now);
  const { wall } = living;
  for (const { name, message } of wall.heard) model.receive(name, message);
  wall.socket.onAny((name, message) => model.receive(name, message));
  direction.rate = model.settings!.closeUps!;
  await living.plant(organisms);
  await living.watch(30);

  const shown: string[] = [];
  const faults: string[] = [];
  let close = 0;
  let last: ReturnType<Direction['at']>;
  let hadEnded = false;
  await living.watch(seconds, (passed) => {
    now = 1000 * passed;
    const event = direction.at(now, 35);
    const { endedAt = Number.POSITIVE_INFINITY } = event ?? {};
    if (event) close++;
    if (event && event !== last) {
      shown.push(`${passed.toFixed(0)} s: ${event.kind}`);
      if (endedAt < now) faults.push(`${event.kind} at ${passed} had ended`);
    }
    if (event && now < event.since + DIRECTION_GLIDE && endedAt <= now && !hadEnded) {
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
});
