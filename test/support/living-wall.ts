/**
 * A wall with visitors' organisms on which nobody acts: a complete server, whose time goes on tick
 * by tick, as fast as the machine can.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import type { Room } from '../../server/world/room.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { createRandom } from '../../shared/random.ts';
import type { LifeEvent } from '../../shared/vocabulary.ts';
import { FakeClock } from './fake-clock.ts';
import { type ServerSettings, startServer } from './server.ts';
import { Visitor } from './visitor.ts';

const { birth, healing, liveliness } = ROOM_DEFAULTS;
/** Settings that a host of a busy wall would choose. */
export const LIVING_ROOM = {
  ...{ birth, healing, liveliness, lifetime: 60 },
  ...{ 'max-organisms': 32, attract: ROOM_DEFAULTS.attract.after },
} as const;
/** Seconds over which something must be seen to be alive. */
const WINDOW = 5;
/** Change of a channel, of 255, that is seen. */
const SEEN = 16;

/** What was seen in a time. */
export interface WatchResult {
  /** Of each five seconds: places whose colour has changed by 16 of 255 or more. */
  readonly places: readonly number[];
  readonly events: Readonly<Record<'born' | 'healed' | 'departed', number>>;
  /** Most organisms that step, in any tick. */
  readonly awake: number;
}

export class LivingWall {
  private constructor(
    readonly server: VivariumServer,
    readonly room: Room,
    private readonly clock: FakeClock,
    readonly wall: Visitor,
    private readonly tickRate: number,
  ) {}

  /** Starts a server with a wall. */
  static async open(settings: ServerSettings): Promise<LivingWall> {
    const clock = new FakeClock();
    const server = await startServer(settings, { clock });
    const wall = new Visitor(server.port);
    wall.requestJoin({ as: 'wall' });
    const room = server.world.rooms.get('garden')!;
    const living = new LivingWall(server, room, clock, wall, Number(settings['tick-rate'] ?? 15));
    await living.during(wall.next(({ name }) => name === 'wall'));
    return living;
  }

  /** Visitors come, plant one each where there is room, and leave when all of it is grown. */
  async plant(count: number): Promise<void> {
    const { room, server } = this;
    const random = createRandom(20);
    const { featured = [...room.species.gallery.keys()] } = room.species;
    const columns = Math.floor(Math.sqrt((count * room.grid.width) / room.grid.height));
    const rows = Math.ceil(count / columns);
    for (let i = 0; i < count; i++) {
      const visitor = await this.during(Visitor.join(server.port, 'garden', `Visitor ${i + 1}`));
      const place = (n: number, of: number, side: number) =>
        Math.round(((n + 0.5) * side) / of + random.normal());
      const answer = await this.during(
        visitor.ask('plant', {
          x: place(i % columns, columns, room.grid.width),
          y: place(Math.floor(i / columns), rows, room.grid.height),
          seed: { from: 'gallery', index: featured[random.integer(featured.length)] },
        }),
      );
      if ('reason' in answer) throw new Error(`a seed was refused: ${answer.reason}`);
      visitor.leave();
    }
    while (room.organisms.some(({ phase }) => phase === 'growing')) await this.tick();
  }

  /** @param onTick called after each tick, with the seconds that have passed */
  async watch(
    seconds: number,
    onTick?: (passed: number) => void | Promise<void>,
  ): Promise<WatchResult> {
    const { room, wall, tickRate } = this;
    const { rgba } = room.grid.planes;
    const [low, high] = [rgba.slice(), rgba.slice()];
    const places: number[] = [];
    const first = wall.life.length;
    let awake = 0;
    for (let tick = 1; tick <= seconds * tickRate; tick++) {
      await this.tick();
      awake = Math.max(awake, room.awake);
      for (let i = 0; i < rgba.length; i++) {
        if (rgba[i] < low[i]) low[i] = rgba[i];
        else if (rgba[i] > high[i]) high[i] = rgba[i];
      }
      if (tick % (WINDOW * tickRate) === 0) {
        places.push(changedPlaces(low, high));
        low.set(rgba);
        high.set(rgba);
      }
      await onTick?.(tick / tickRate);
    }
    const events = wall.life.slice(first);
    const count = (fits: (event: LifeEvent) => boolean): number => events.filter(fits).length;
    return {
      ...{ places, awake },
      events: {
        born: count(({ what }) => what === 'born'),
        healed: count(({ what }) => what === 'healed'),
        departed: count((event) => event.what === 'died' && event.cause === 'departed'),
      },
    };
  }

  /** The wall is switched off, so nobody watches. */
  switchOff(): void {
    this.wall.leave();
  }

  async close(): Promise<void> {
    this.wall.leave();
    await this.server.close();
  }

  /** One tick, all of it. */
  private async tick(): Promise<void> {
    const { room, clock, tickRate } = this;
    const before = room.tick;
    await clock.advance(1000 / tickRate);
    while (room.tick === before) await turn();
    // What follows a tick, and what goes over the network.
    for (let i = 0; i < 4; i++) await turn();
  }

  /** Time goes on until something is done. */
  async during<T>(doing: Promise<T>): Promise<T> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    doing.then(done, done);
    while (!isDone) await this.tick();
    return doing;
  }
}

function changedPlaces(low: Uint8Array, high: Uint8Array): number {
  let places = 0;
  for (let at = 0; at < low.length; at += 4) {
    let change = 0;
    for (let c = 0; c < 3; c++) change = Math.max(change, high[at + c] - low[at + c]);
    if (change >= SEEN) places++;
  }
  return places;
}
