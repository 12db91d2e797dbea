/** Metamorphosis: a living organism turns into what another seed grows into. */

import * as v from 'valibot';
import { roomEvent } from '../../../server/world/commands.ts';
import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import { MAX_FORMER } from '../../../server/world/organisms/grafts.ts';
import type { TickResult } from '../../../server/world/room.ts';
import type { RoomOptions } from '../../../server/world/room-contents.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import { decodeSeed } from '../../../shared/seed-token.ts';
import { ANNA, BERT, GROWN, HandRoom, type Look, RELATED } from '../../support/rooms.ts';

const OWN = [1, 0];
const OTHER = [0, 1];
const species = {
  ...{ ...RELATED, hasStandingInput: true },
  relatives: { ...RELATED.relatives, of: [[1], []] },
};
const BIRTH = 3;
const COST = 8;
/** Steps until a wave has swept from the middle of a window of 8×8 to its farthest corner. */
const TRANSFORM_STEPS = 3;
const energy = { ...DEFAULT_ENERGY, capacity: 100, newcomer: 100, plant: COST };

class TurningRoom extends HandRoom {
  constructor(options: Partial<RoomOptions> = {}) {
    super({ species, life: { birth: 1, healing: 1, expressing: 1 }, ...options });
  }

  turn(organism = 1, index = 1, at?: { x: number; y: number }): TickResult {
    const seed = { from: 'gallery', index } as const;
    return this.act({ what: 'transform', by: ANNA, organism, seed, at });
  }

  /** Ticks until all rest. @returns latents that were told, in order */
  untilRest(look?: Look): (readonly number[])[] {
    this.change = 0;
    const told: (readonly number[])[] = [];
    do {
      this.tick(look);
      told.push(...this.expressed.map(({ latent }) => latent));
    } while (this.room.awake > 0);
    return told;
  }

  get only() {
    return this.room.export().organisms[0];
  }
}

/** A room with an organism of Anna's at rest. */
function resting(options: Partial<RoomOptions> = {}): TurningRoom {
  const hand = new TurningRoom(options);
  hand.plant(10, 10);
  hand.untilRest();
  return hand;
}

describe('turning into another', () => {
  test('TRF-1: it is the other at once, where it was and as old as it was, and its cells turn step by step', () => {
    const hand = resting();
    const before = hand.room.organisms[0];
    const { life, answers } = hand.turn();
    expect(answers).toMatchObject([{ what: 'transform' }]);
    expect(answers[0].refused).toBeUndefined();
    expect(life.map(({ what }) => what)).toEqual(['awake', 'transformed']);
    expect(life[1]).toEqual({
      ...{ what: 'transformed', id: 1, by: ANNA.id },
      ...{ kind: 'two', origin: 'gallery', parents: [] },
    });
    expect(hand.room.organisms).toEqual([{ ...before, kind: 'two', phase: 'awake', was: ['one'] }]);
    // The new genome sweeps from the middle, two cells a step.
    const cells = hand.expressed[0].cells!;
    cells.forEach((latent, cell) => {
      const distance = Math.hypot((cell % 8) - 4, Math.floor(cell / 8) - 4);
      expect(latent).toEqual(distance <= 2 ? OTHER : OWN);
    });
    const told = hand.untilRest();
    expect(told).toHaveLength(TRANSFORM_STEPS - 1);
    expect(told.at(-1)).toEqual(OTHER);
    expect(hand.expressed).toEqual([]);
    expect(hand.room.organisms[0]).toMatchObject({ kind: 'two', phase: 'asleep' });
    expect([...decodeSeed(hand.room.tokenOf(1), species)!.latent]).toEqual(OTHER);
  });

  test('TRF-1: it turns at the pace of births, whatever it shows, and takes the first step in the same tick', () => {
    const hand = resting({ life: { birth: BIRTH, healing: 1, expressing: 1 } });
    hand.turn();
    const steps = [0];
    for (let tick = 1; tick < BIRTH * (TRANSFORM_STEPS - 1) + 1; tick++) {
      hand.tick();
      if (hand.steps > 0) steps.push(tick);
    }
    expect(steps).toEqual(Array.from({ length: TRANSFORM_STEPS }, (_, i) => BIRTH * i));
  });

  test('TRF-1: one that turns can turn again, from what it is by then; one that expresses a relative too', () => {
    const hand = resting();
    hand.turn();
    hand.tick();
    hand.turn(1, 0);
    expect(hand.expressed[0].cells).toContainEqual(OTHER);
    expect(hand.expressed[0].cells).toContainEqual(OWN);
    hand.untilRest();
    expect(hand.latents.get(1)).toEqual(OWN);
    expect(hand.room.organisms[0]).toMatchObject({ kind: 'one', was: ['one', 'two'] });
    hand.room.change({ what: 'liveliness', share: 1 });
    while (!hand.only.expression) hand.tick();
    hand.turn();
    expect(hand.only.expression).toBeUndefined();
    hand.room.change({ what: 'liveliness', share: 0 });
    hand.untilRest();
    expect(hand.latents.get(1)).toEqual(OTHER);
  });

  test('TRF-1: the wave begins at the point of the command, or at the window’s nearest cell', () => {
    for (const [at, x, y] of [
      [{ x: 6.5, y: 6.5 }, 0, 0],
      [{ x: 200, y: -9 }, 7, 0],
    ] as const) {
      const hand = resting();
      hand.turn(1, 1, at);
      const turned = hand.expressed[0].cells!.flatMap(([, other], cell) => (other ? [cell] : []));
      expect(turned).toContain(8 * y + x);
      expect(turned).toHaveLength(6);
    }
  });

  test('TRF-2: only what is grown and does not depart, with a seed that there is; nothing has changed otherwise', () => {
    const hand = new TurningRoom({ energy });
    hand.plant(10, 10);
    hand.tick();
    const refusalOf = (organism: number, index = 1) => {
      const before = hand.room.export();
      const { answers } = hand.turn(organism, index);
      expect(hand.room.export().hands).toEqual(before.hands);
      expect(hand.room.export().random).toEqual(before.random);
      expect(hand.room.organisms.every(({ was }) => was === undefined)).toBe(true);
      return answers[0].refused?.reason;
    };
    expect(refusalOf(1)).toBe('not-grown');
    hand.ticks(GROWN);
    expect(refusalOf(2)).toBe('no-such-organism');
    expect(refusalOf(1, 9)).toBe('no-such-seed');
  });

  test('TRF-2: it costs what a seed costs; without that much energy it is refused', () => {
    const hand = resting({ energy: { ...energy, refillPerSecond: 0, newcomer: 2.5 * COST } });
    hand.room.enter(ANNA.id);
    expect(hand.turn().answers[0].energy).toBe(1.5 * COST);
    hand.turn(1, 0);
    const { answers } = hand.turn();
    expect(answers[0]).toMatchObject({ energy: 0.5 * COST, refused: { reason: 'no-energy' } });
    expect(hand.room.organisms[0].kind).toBe('one');
  });

  test('TRF-2: a rule that does not read its latent while it lives cannot turn, and neither can what departs', () => {
    const { hasStandingInput: _, ...plain } = species;
    const still = resting({ species: plain });
    expect(still.turn().answers[0].refused?.reason).toBe('not-here');
    const full = resting({ maxOrganisms: 1 });
    full.room.enter(BERT.id);
    full.ticks(61 * ROOM_DEFAULTS.tickRate);
    full.plant(22, 10, BERT);
    full.tick();
    expect(full.room.organisms[0].phase).toBe('departing');
    expect(full.turn().answers[0].refused?.reason).toBe('no-such-organism');
  });

  test('TRF-4: it keeps its ground while it turns, and frees what its new body does not need', () => {
    const hand = resting();
    const left: Look = ({ x, latent }) => (latent?.[1] === 1 && x < 4 ? 255 : 0);
    const whole = hand.census().get(1)!;
    hand.turn();
    hand.ticks(TRANSFORM_STEPS - 1, left);
    expect(hand.census().get(1)).toBe(whole);
    hand.untilRest(left);
    expect(hand.census().get(1)).toBe(whole / 2);
    expect(hand.room.organisms[0].phase).toBe('asleep');
  });

  test('TRF-5: what it was when it was wounded does not matter any more: at rest, it has healed', () => {
    const left: Look = ({ x }) => (x < 2 ? 255 : 0);
    for (const isWoundedFirst of [true, false]) {
      const hand = resting();
      const wound = () => hand.damage([10, 7, 10, 13], 1);
      if (isWoundedFirst) wound();
      hand.turn();
      if (!isWoundedFirst) wound();
      hand.tick();
      expect(hand.room.organisms[0]).toMatchObject({ hurt: true, wounds: 1 });
      hand.untilRest(left);
      expect(hand.room.organisms[0]).toMatchObject({ hurt: false, wounds: 1, healed: 1 });
      expect(hand.latents.get(1)).toEqual(OTHER);
    }
  });

  test('TRF-6: it remembers what it has been, the last ones', () => {
    const hand = resting();
    for (let i = 0; i < MAX_FORMER + 3; i++) hand.turn(1, (i + 1) % 2);
    const { was } = hand.only;
    expect(was).toHaveLength(MAX_FORMER);
    expect(was!.at(-1)).toEqual({ kind: 'one', origin: 'gallery', until: hand.room.tick - 1 });
    expect(hand.room.organisms[0].was).toEqual(was!.map(({ kind }) => kind));
  });
});

describe('the state of one that turns', () => {
  test('TRF-3: a random seed is the same in a replay, and uses up nobody’s random numbers', () => {
    const command = { what: 'transform', by: ANNA, organism: 1, seed: { from: 'prior' } } as const;
    const run = (seed: number) => {
      const hand = resting({ seed });
      const before = hand.room.export();
      hand.act(command);
      expect(hand.room.export().random).toEqual(before.random);
      return [...hand.only.latent];
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
    expect(v.is(roomEvent, { what: 'command', id: 1, command })).toBe(true);
  });
});
