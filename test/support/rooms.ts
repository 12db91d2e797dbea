/**
 * Rooms that a test ticks, with given read-outs, so that a few cells can show a rule; and random commands of visitors.
 */
import type { Readout } from '../../server/engine/engine.ts';
import { growthSchedule } from '../../server/vnca/architecture.ts';
import type { Genomes } from '../../server/vnca/chimera.ts';
import type { PlantedSeed, RoomCommand } from '../../server/world/commands.ts';
import { LIFE } from '../../server/world/organisms/organism.ts';
import { Room, type TickResult } from '../../server/world/room.ts';
import type { RoomOptions } from '../../server/world/room-contents.ts';
import { growthStep, type Species } from '../../server/world/species.ts';
import type { Random } from '../../shared/random.ts';
import type { LifeEvent, ParticipantView } from '../../shared/vocabulary.ts';

export const SPECIES: Species = {
  checkpoint: 'hand',
  identity: '0123abcd',
  side: 8,
  latentSize: 2,
  latentBounds: { norm: 5, value: 4 },
  schedule: growthSchedule({
    side: 8,
    growth: { kind: 'doubling', seedSide: 2, stepsPerStage: 2 },
  }),
  threshold: 26,
  trustedSteps: 12,
  gallery: [{ name: 'one', latent: new Float32Array([1, 0]) }],
};
/** Two creatures, each of which expresses the other. */
export const RELATED = {
  ...SPECIES,
  gallery: [
    { name: 'one', latent: new Float32Array([1, 0]) },
    { name: 'two', latent: new Float32Array([0, 1]) },
  ],
  relatives: { lentSteps: 3, homeSteps: 4, of: [[1], [0]] },
} satisfies Species;
/** Ticks from planting to grown. */
export const GROWN = SPECIES.schedule.length;

export const ANNA: ParticipantView = { id: 1, name: 'Anna', hue: 10 };
export const BERT: ParticipantView = { id: 2, name: 'Bert', hue: 200 };

/**
 * What a cell of an organism looks like: 0…255 alive; may depend on the tick and on what it looked
 * like before.
 */
export type Look = (cell: {
  x: number;
  y: number;
  organism: number;
  tick: number;
  /** That it has last been told to express. */
  latent?: readonly number[] | undefined;
}) => number;

/** Its first latent, and with several, the latent that each cell reads. */
const shown = ({ latents, labels }: Genomes) => ({
  latent: [...latents[0]],
  ...(labels && { cells: [...labels].map((label) => [...latents[label]]) }),
});

export class HandRoom {
  readonly room: Room;
  /** Work of the last tick. */
  steps = 0;
  private nextId = 1;
  /** Steps that each patch has taken. */
  readonly ages = new Map<number, number>();
  /** Latents that patches were told to express in the last tick, and of all ticks the latest. */
  expressed: readonly ({ readonly patch: number } & ReturnType<typeof shown>)[] = [];
  readonly latents = new Map<number, readonly number[]>();
  private patches = 0;

  constructor(options: Partial<RoomOptions> = {}) {
    this.room = new Room({
      name: 'test',
      width: 32,
      height: 24,
      maxOrganisms: 8,
      seed: 1,
      species: SPECIES,
      nextPatch: () => ++this.patches,
      ...options,
    });
  }

  plant(
    x: number,
    y: number,
    by = ANNA,
    seed: PlantedSeed = { from: 'gallery', index: 0 },
  ): number {
    const id = this.nextId++;
    this.room.enqueue(id, { what: 'plant', by, x, y, seed });
    return id;
  }

  damage(points: number[], radius: number, by = ANNA): number {
    const id = this.nextId++;
    this.room.enqueue(id, { what: 'damage', by, points, radius });
    return id;
  }

  /** A tick with one more command. */
  act(command: RoomCommand, look?: Look): TickResult {
    this.room.enqueue(this.nextId++, command);
    return this.tick(look);
  }

  /** What happens in so many ticks. */
  lives(count: number, look?: Look): LifeEvent[] {
    return this.ticks(count, look).flatMap(({ life }) => life);
  }

  /** Shows no more change until those that are grown sleep. */
  rest(look?: Look): TickResult[] {
    this.change = 0;
    return this.ticks(LIFE.restSteps, look);
  }

  /** One tick. */
  tick(look: Look = () => 255): TickResult {
    const work = this.room.beginTick();
    this.steps = work.step.length;
    // The hand room plants one organism a patch, in order, so patch numbers are organism ids.
    this.expressed = work.step.flatMap(({ patch, express }) =>
      express ? [{ patch, ...shown(express) }] : [],
    );
    const readouts: Readout[] = work.step.map(({ patch, keep, closed, express }) => {
      if (express) this.latents.set(patch, shown(express).latent);
      const age = this.ages.get(patch) ?? 0;
      this.ages.set(patch, age + 1);
      const { stage } = growthStep(this.room.species, age);
      const rgba = new Uint8Array(stage * stage * 4);
      const presence = new Uint8Array(stage * stage);
      const inset = (this.room.species.side - stage) / 2;
      for (let cell = 0; cell < presence.length; cell++) {
        const x = inset + (cell % stage);
        const y = inset + Math.floor(cell / stage);
        const alive =
          closed?.[cell] || (keep?.[cell] === 0 && !this.regrows)
            ? 0
            : look({
                x,
                y,
                organism: patch,
                tick: this.room.tick,
                latent: this.latents.get(patch),
              });
        presence[cell] = alive;
        rgba.fill(alive, cell * 4, cell * 4 + 4);
      }
      const broken = this.broken === patch && { broken: true as const };
      return { patch, stage, rgba, presence, change: this.change, ...broken };
    });
    return this.room.endTick(readouts);
  }

  /** Masked cells look as said, as if one step had brought them back. */
  regrows = false;
  /** Patch whose states are no numbers. */
  broken: number | undefined;
  /** Change that read-outs report. */
  change = 255;

  ticks(count: number, look?: Look): TickResult[] {
    return Array.from({ length: count }, () => this.tick(look));
  }

  owner(x: number, y: number): number {
    return this.room.grid.ownerAt(this.room.grid.place(x, y));
  }

  /** Places of each owner; 0 = bare. */
  census(): Map<number, number> {
    const counts = new Map<number, number>();
    for (const id of this.room.grid.planes.owner) counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  }
}

/** A room where seeds are planted at the next tick. @param places their centres */
export function sown(...places: (readonly [x: number, y: number])[]): HandRoom {
  const hand = new HandRoom();
  for (const [x, y] of places) hand.plant(x, y);
  return hand;
}

/** A room whose organisms have just grown. @param places their centres */
export function grown(...places: Parameters<typeof sown>): HandRoom {
  const hand = sown(...places);
  hand.ticks(GROWN);
  return hand;
}

/** One random command of a visitor. */
export function command(random: Random, room: Room): void {
  const { width, height } = room.grid;
  const by = { ...ANNA, id: 1 + random.integer(3) };
  const x = random.integer(width + 4) - 2;
  const y = random.integer(height + 4) - 2;
  const what = random.integer(12);
  if (what === 11) room.enqueue(7, { what: 'ungraft', by, organism: 1 + random.integer(12) });
  else if (what === 10) {
    const seed = { from: 'gallery', index: random.integer(room.species.gallery.length) } as const;
    const points = [x, y, x + random.integer(10) - 5, y + random.integer(10) - 5];
    const radius = 1 + random.uniform() * 6;
    room.enqueue(8, { what: 'graft', by, points, radius, seed, others: true });
  } else if (what < 3) {
    const index = random.integer(room.species.gallery.length);
    room.enqueue(1, { what: 'plant', by, x, y, seed: { from: 'gallery', index } });
  } else if (what < 5) room.enqueue(2, { what: 'plant', by, x, y, seed: { from: 'prior' } });
  else if (what < 6) {
    const [a, b] = [1 + random.integer(12), 1 + random.integer(12)];
    room.enqueue(3, { what: 'cross', by, a, b, mix: random.uniform() });
    room.enqueue(4, {
      what: 'plant',
      by,
      x,
      y,
      seed: { from: 'hand', seed: 1 + random.integer(4) },
    });
  } else if (what < 7) {
    const index = random.integer(2 * room.species.gallery.length);
    const isRandom = index >= room.species.gallery.length;
    const seed = isRandom ? ({ from: 'prior' } as const) : ({ from: 'gallery', index } as const);
    room.enqueue(6, { what: 'transform', by, organism: 1 + random.integer(12), seed });
  } else {
    const points = [x, y, x + random.integer(30) - 15, y + random.integer(30) - 15];
    room.enqueue(5, { what: 'damage', by, points, radius: 0.5 + random.uniform() * 8 });
  }
}
