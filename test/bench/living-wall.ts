/** What a wall shows of twenty visitors' organisms while nobody acts, and what it costs unwatched. */
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { LivingWall } from '../support/living-wall.ts';
import { describeMachine } from './machine.ts';
import type { BenchOptions, Log } from './options.ts';

const { birth, healing, liveliness } = ROOM_DEFAULTS;
/** As a host of a busy wall sets it. */
export const LIVING_ROOM = {
  ...{ birth, healing, liveliness, lifetime: 60 },
  ...{ 'max-organisms': 32, attract: ROOM_DEFAULTS.attract.after },
} as const;
const UNWATCHED = 60;

export async function benchLivingWall(
  log: Log,
  { seconds = 150, organisms = 20 }: BenchOptions = {},
) {
  const living = await LivingWall.open(LIVING_ROOM);
  try {
    await living.plant(organisms);
    const { places, events } = await living.watch(seconds);
    log(`places that changed visibly in each five seconds: ${places.join(' ')}`);
    const { born, healed, departed } = events;
    log(`${born} births, ${healed} healings, ${departed} departures in ${seconds} s`);
    living.switchOff();
    // What moves may come to rest.
    await living.watch(UNWATCHED);
    const { awake } = await living.watch(UNWATCHED);
    log(`when nobody has watched for ${UNWATCHED} s: at most ${awake} organisms step in a tick`);
    const met = Math.min(...places) >= 30 && born > 0 && healed > 0 && departed > 0 && awake === 0;
    log(`goal: ${met ? 'met' : 'missed'}`);
    return { machine: describeMachine(), seconds, organisms, places, events, awake, met };
  } finally {
    await living.close();
  }
}
