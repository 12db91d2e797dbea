import * as v from 'valibot';
import { roomEvent } from '../../../server/world/commands.ts';
import { DEFAULT_ENERGY } from '../../../server/world/energy.ts';
import { hasTurn } from '../../../server/world/organisms/expressions.ts';
import { MAX_FORMER } from '../../../server/world/organisms/transformation.ts';
import type { TickResult } from '../../../server/world/room.ts';
import type { RoomOptions } from '../../../server/world/room-contents.ts';
import { ROOM_DEFAULTS } from '../../../shared/host/room-settings.ts';
import { decodeSeed } from '../../../shared/seed-token.ts';
import { HOUSE, type LifeSettings } from '../../../shared/vocabulary.ts';
import fc, { forRuns } from '../../support/property.ts';
import {
  ANNA,
  BERT,
  GROWN,
  HandRoom,
  type Look,
  RELATED,
  SPECIES,
  RELATED as species,
} from '../../support/rooms.ts';

/** Metamorphosis: a living organism turns into what another seed grows into. */

describe('transforming', () => {
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
      expect(hand.room.organisms).toEqual([
        { ...before, kind: 'two', phase: 'awake', was: ['one'] },
      ]);
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
      const command = {
        what: 'transform',
        by: ANNA,
        organism: 1,
        seed: { from: 'prior' },
      } as const;
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
});

const OWN = [1, 0];
const OTHER = [0, 1];
const { lentSteps: LENT, homeSteps: HOME } = species.relatives;
const PLACES = [
  [5, 5],
  [14, 5],
  [23, 5],
  [5, 14],
  [14, 14],
  [23, 14],
] as const;

/** A lively room whose organisms rest. */
function resting(count = 1, share = 1, options: Partial<RoomOptions> = {}): HandRoom {
  const hand = new HandRoom({ species, ...options });
  for (const [x, y] of PLACES.slice(0, count)) hand.plant(x, y);
  hand.ticks(GROWN);
  hand.rest();
  if (share > 0) hand.room.change({ what: 'liveliness', share });
  return hand;
}

/** Ticks until something is expressed. */
function untilExpressed(hand: HandRoom, look?: Look): void {
  do hand.tick(look);
  while (hand.expressed.length === 0);
}

const phases = ({ room }: HandRoom) => room.organisms.map(({ phase }) => phase);
const expressing = ({ room }: HandRoom) =>
  room.export().organisms.filter(({ expression }) => expression);

describe('expressions', () => {
  test("IDL-1: a resting gallery creature takes on a relative's latent for its steps, and its own again", () => {
    const hand = resting();
    expect(phases(hand)).toEqual(['asleep']);
    untilExpressed(hand);
    const seen = [hand.expressed];
    while (phases(hand)[0] !== 'asleep') {
      hand.tick();
      seen.push(hand.expressed);
    }
    expect(seen).toHaveLength(LENT + HOME);
    expect(seen[0]).toEqual([{ patch: 1, latent: OTHER }]);
    expect(seen[LENT]).toEqual([{ patch: 1, latent: OWN }]);
    expect(seen.flat()).toHaveLength(2);
    expect(hand.tick().life).toEqual([]);
    untilExpressed(hand);
  });

  test('IDL-1: seeds that are no gallery creatures never express; nor does one that is hurt, nor a room without a table', () => {
    const other = new HandRoom({ species });
    other.plant(5, 5, ANNA, { from: 'prior' });
    other.plant(14, 5, ANNA, { from: 'latent', latent: OWN });
    const hurt = resting();
    hurt.room.change({ what: 'liveliness', share: 0 });
    hurt.damage([5, 2, 5, 9], 3);
    // Half of it never comes back.
    const half: Look = ({ x }) => (x < 4 ? 0 : 255);
    hurt.rest(half);
    hurt.rest(half);
    expect(hurt.room.organisms[0]).toMatchObject({ hurt: true, phase: 'asleep' });
    hurt.room.change({ what: 'liveliness', share: 1 });
    const { relatives: _, ...plain } = species;
    for (const hand of [other, hurt, resting(2, 1, { species: plain })]) {
      hand.ticks(GROWN);
      hand.rest();
      hand.room.change({ what: 'liveliness', share: 1 });
      for (let tick = 0; tick < 60; tick++) {
        hand.tick();
        expect(hand.expressed).toEqual([]);
      }
    }
  });

  test('IDL-2: turns depend on the room, the organism and the tick, and on no other organism', () => {
    /** Ticks at which organisms begin to express, by their numbers. */
    const begun = (leave: number | undefined, seed = 1) => {
      const hand = resting(6, 1, { seed });
      if (leave) hand.room.enqueue(99, { what: 'remove', by: ANNA, organism: leave });
      const ticks = new Map<number, number[]>();
      for (let tick = 0; tick < 200; tick++) {
        hand.tick();
        for (const { patch, latent } of hand.expressed) {
          if (latent[0] === OTHER[0]) ticks.set(patch, [...(ticks.get(patch) ?? []), tick]);
        }
      }
      return ticks;
    };
    const all = begun(undefined);
    expect(all.size).toBe(6);
    const without = begun(3);
    for (const id of [1, 2, 4, 5, 6]) expect(without.get(id)).toEqual(all.get(id));
    expect(begun(undefined)).toEqual(all);
    expect(begun(undefined, 2)).not.toEqual(all);
  });

  test('IDL-2: consecutive numbers have their turns apart, at about the rate that the share asks for', () => {
    const ticks = 64;
    const when = { seed: 7, share: 0.1, ticks };
    /** Ticks in which each has one turn. */
    const cycle = 1_067;
    const at = Array.from({ length: 3 * cycle }, (_, tick) =>
      Array.from({ length: 20 }, (_, i) => 31 + i).filter((id) => hasTurn(id, { ...when, tick })),
    ).flatMap((ids, tick) => ids.map(() => tick));
    const gaps = at.map((tick, i) => tick - (at[i - 1] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.75 * ticks);
    expect(at.length).toBe(3 * 20);
  });

  test('IDL-3: never more than the share, rounded up; none at share 0, and then nothing steps', () => {
    forRuns(
      process.env.VIVARIUM_TEST_FULL ? 100 : 40,
      fc.integer({ min: 1, max: 6 }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (n, share) => {
        const hand = resting(n, share);
        for (let tick = 0; tick < 80; tick++) {
          hand.tick();
          expect(expressing(hand).length).toBeLessThanOrEqual(Math.ceil(share * n));
        }
        hand.room.change({ what: 'liveliness', share: 0 });
        hand.ticks(LENT + HOME);
        expect(expressing(hand)).toEqual([]);
        for (let tick = 0; tick < 40; tick++) {
          hand.tick();
          expect(hand.steps).toBe(0);
        }
      },
    );
  });

  test('IDL-7: sleepers near somebody in the hall wake, and express a relative within the limit', () => {
    const near = (hand: HandRoom, radius = 10) => {
      hand.room.enqueue(1, { what: 'sense', by: HOUSE, x: 5, y: 5, radius });
      const { life } = hand.tick();
      return life.map((event) => `${event.what} ${'id' in event ? event.id : ''}`).sort();
    };
    // Numbers 1, 2 and 4 have their middles within ten cells; the share allows one expression of six.
    const hand = resting(6, 1 / 6);
    while (expressing(hand).length > 0) hand.tick();
    hand.rest();
    expect(near(hand)).toEqual([
      'awake 1',
      'awake 2',
      'awake 4',
      'sensed 1',
      'sensed 2',
      'sensed 4',
    ]);
    expect(expressing(hand).map(({ id }) => id)).toEqual([1]);
    expect(hand.expressed).toEqual([{ patch: 1, latent: OTHER }]);
    expect(near(hand)).toEqual(['sensed 1', 'sensed 2', 'sensed 4']);
    hand.ticks(LENT + HOME + 20);
    // Without liveliness they wake all the same, and rest again.
    const still = resting(6, 0);
    expect(near(still, 3)).toEqual(['awake 1', 'sensed 1']);
    expect([expressing(still), still.steps]).toEqual([[], 1]);
    still.rest();
    expect(phases(still)[0]).toBe('asleep');
    expect(near(resting(6, 0), 1_000)).toHaveLength(12);
  });

  test('IDL-4: it keeps its ground while it expresses, may take more, and gives that back at home', () => {
    const look: Look = ({ x, latent }) => {
      const isOther = latent?.[0] === OTHER[0];
      return (isOther ? x >= 3 : x < 5) ? 255 : 0;
    };
    const hand = new HandRoom({ species });
    hand.plant(5, 5);
    hand.ticks(GROWN, look);
    hand.rest(look);
    const columns = () => Array.from({ length: 8 }, (_, x) => hand.owner(1 + x, 5)).join('');
    expect(columns()).toBe('11111000');
    hand.room.change({ what: 'liveliness', share: 1 });
    untilExpressed(hand, look);
    expect(columns()).toBe('11111111');
    hand.ticks(LENT + HOME - 2, look);
    expect(columns()).toBe('11111111');
    hand.tick(look);
    expect(phases(hand)).toEqual(['asleep']);
    expect(columns()).toBe('11111000');
  });

  test('IDL-4, LIF-7: a wound is measured by its own ground, not by what a relative has taken', () => {
    const look: Look = ({ x, latent }) => (latent?.[0] === OTHER[0] || x < 5 ? 255 : 0);
    const hand = new HandRoom({ species });
    hand.plant(5, 5);
    hand.ticks(GROWN, look);
    hand.rest(look);
    expect(hand.census().get(1)).toBe(40);
    hand.room.change({ what: 'liveliness', share: 1 });
    untilExpressed(hand, look);
    expect(hand.census().get(1)).toBe(64);
    hand.room.change({ what: 'liveliness', share: 0 });
    hand.damage([3, 5], 1);
    hand.tick(look);
    expect(hand.room.organisms[0]).toMatchObject({ hurt: true, wounds: 1 });
    hand.rest(look);
    expect(hand.room.organisms[0]).toMatchObject({ hurt: false, healed: 1, phase: 'asleep' });
  });

  test('LIF-4, IDL-4: one that comes home without a cell dies', () => {
    let isGone = false;
    const look: Look = () => (isGone ? 0 : 255);
    const hand = resting();
    untilExpressed(hand, look);
    isGone = true;
    hand.ticks(LENT + HOME - 2, look);
    expect(phases(hand)).toEqual(['awake']);
    expect(hand.tick(look).life).toEqual([{ what: 'died', id: 1, cause: 'no-cell-left' }]);
    expect([...hand.census().keys()]).toEqual([0]);
  });

  test('IDL-5: a wound gives its own latent back at once; tokens are of its own', () => {
    const hand = resting();
    const token = hand.room.tokenOf(1);
    untilExpressed(hand);
    hand.tick();
    expect(hand.room.tokenOf(1)).toBe(token);
    const decoded = decodeSeed(token, SPECIES);
    expect([...decoded!.latent]).toEqual(OWN);
    hand.damage([5, 5], 1);
    hand.tick();
    expect(hand.expressed).toEqual([{ patch: 1, latent: OWN }]);
    expect(expressing(hand)).toEqual([]);
    expect(hand.room.organisms[0]).toMatchObject({ hurt: true, wounds: 1 });
  });

  test('PAC-1, IDL-2: where the room says so it steps at a pace of its own, and turns come as seldom', () => {
    const stepsOf = (life: LifeSettings) => {
      const hand = resting(1, 1, { life });
      untilExpressed(hand);
      let steps = 0;
      for (let tick = 0; tick < 480; tick++) {
        hand.tick();
        steps += hand.steps;
      }
      return { hand, steps };
    };
    const { hand, steps } = stepsOf({ birth: 1, healing: 1, expressing: 3 });
    const { steps: often } = stepsOf({ birth: 1, healing: 1, expressing: 1 });
    expect(often / steps).toBeGreaterThan(2);
    expect(often / steps).toBeLessThan(4);
    untilExpressed(hand);
    const each = Array.from({ length: 6 }, () => {
      hand.tick();
      return hand.steps;
    });
    expect(each).toEqual([0, 0, 1, 0, 0, 1]);
  });
});
