/**
 * Strokes that damage organisms or graft parts onto them: the cells that a stroke covers, and the
 * organisms that it hits and wakes (rules DMG-1 … DMG-4, GRA-4, GRA-5, ENE-6).
 */
import {
  contains,
  coverage,
  type Rect,
  reachOf,
  type Stroke,
  stageRect,
  strokeLength,
} from '../../shared/geometry.ts';
import { STROKE_LIMITS } from '../../shared/limits.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { OrganismId, ParticipantId } from '../../shared/vocabulary.ts';
import { defined } from '../platform/collections.ts';
import { isStroke, type Outcome, type RoomCommand, type RoomTime } from './commands.ts';
import type { Energy } from './energy.ts';
import type { GridPlanes } from './grid-planes.ts';
import { LIFE, type Organism } from './organisms/organism.ts';
import type { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import type { CommandState, RoomState } from './room-state.ts';
import { growthStep, type Species } from './species.ts';

/**
 * Checks that a stroke lies on the grid and is not too long.
 *
 * @throws Refusal 'bad-point', 'stroke-too-long'
 */
export function checkStroke({ points }: Stroke, { width, height }: GridPlanes): void {
  for (let i = 0; i < points.length; i++) {
    const limit = i % 2 === 0 ? width : height;
    if (!(points[i] >= 0 && points[i] <= limit)) throw new Refusal('bad-point', `${points[i]}`);
  }
  if (strokeLength(points) > STROKE_LIMITS.maxLength) throw new Refusal('stroke-too-long');
}

/** Returns the owners of cells near a stroke, oldest first. Only these organisms can be hit. */
function ownersNear({ points, radius }: Stroke, grid: GridPlanes): OrganismId[] {
  const { owner } = grid.planes;
  const found = new Set<OrganismId>();
  for (let i = 0; i + 1 < points.length; i += 2) {
    const from = Math.max(0, i - 2);
    const part = Array.from({ length: i + 2 - from }, (_, k) => points[from + k]);
    grid.each(reachOf({ points: part, radius }, grid), (place) => {
      if (owner[place] !== 0) found.add(owner[place]);
    });
  }
  return [...found].sort((a, b) => a - b);
}

/**
 * Returns the organisms that own cells in a rectangle, oldest first.
 *
 * @throws Refusal 'off-grid'
 */
export function ownersIn(area: Rect, ground: GridPlanes): OrganismId[] {
  const grid = { x: 0, y: 0, width: ground.width, height: ground.height };
  if (!contains(grid, area)) throw new Refusal('off-grid');
  const found = new Set<OrganismId>();
  ground.each(area, (place) => found.add(ground.ownerAt(place)));
  found.delete(0);
  return [...found].sort((a, b) => a - b);
}

interface Hit {
  readonly organism: Organism;
  /**
   * [stage, stage] 1 for each cell that the stroke covers, otherwise 0. `stage` is the organism's
   * side in its next step.
   */
  readonly cover: Uint8Array;
}

/** End point and radius of a stroke message, in cells. */
export type StrokeEnd = LastStroke['end'];

export function endOf({ points, radius }: Stroke): StrokeEnd {
  return { x: points[points.length - 2], y: points[points.length - 1], radius };
}

/**
 * Returns whether a message continues the stroke that ended at `end`. A message with a single point
 * always begins a new stroke.
 */
export function continues(end: StrokeEnd | undefined, { points, radius }: Stroke): boolean {
  if (!end || strokeLength(points) === 0) return false;
  return end.x === points[0] && end.y === points[1] && end.radius === radius;
}

/** Removes the strokes that continue an earlier stroke of the same participant. */
export function withoutContinuations(commands: readonly RoomCommand[]): RoomCommand[] {
  const ends = new Map<string, StrokeEnd>();
  return commands.filter((command) => {
    if (!isStroke(command)) return true;
    const key = `${command.what} ${command.by.id}`;
    const isNew = !continues(ends.get(key), command);
    ends.set(key, endOf(command));
    return isNew;
  });
}

type LastStroke = NonNullable<RoomState['strokes']>[number];

const lastStrokes = (from: Pick<CommandState, 'strokes' | 'graftStrokes'>) => {
  const byMaker = (list: readonly LastStroke[] = []): Map<ParticipantId, LastStroke> =>
    new Map(list.map((one) => [one.participant, one]));
  return { damage: byMaker(from.strokes), graft: byMaker(from.graftStrokes) };
};

/** Number of ticks between two clean-ups of old strokes. */
const PRUNE_EVERY = 64;

/**
 * Maximum pause between two messages of one stroke, in seconds. After a longer pause, the next
 * message counts as a new wound.
 */
const STROKE_SECONDS = 60;
/**
 * If a room protects wounded organisms, a wound protects an organism from other strokes
 * immediately, but from the stroke that made the wound only after this time, in seconds.
 */
const WOUND_SECONDS = 1;

/** Reasons why a stroke may not hit an organism. If several apply, the first one is reported. */
const ORDER = ['not-yours', 'protected', 'not-grown', 'no-such-organism'] as const;

/**
 * Decides which organisms a stroke hits, and charges the sender. A damaging stroke also wounds
 * these organisms.
 */
export class Strokes {
  /**
   * Time in seconds for which a wounded organism is protected from further wounds (rule DMG-3).
   */
  protect = 0;
  /** Each participant's last stroke with each tool (rules DMG-4 and GRA-6). */
  private last = lastStrokes({});

  constructor(
    private readonly species: Species,
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
  ) {}

  export(): Pick<CommandState, 'protect' | 'strokes' | 'graftStrokes'> {
    const { damage, graft } = this.last;
    return defined({
      protect: this.protect || undefined,
      strokes: damage.size > 0 ? structuredClone([...damage.values()]) : undefined,
      graftStrokes: graft.size > 0 ? structuredClone([...graft.values()]) : undefined,
    });
  }

  restore(from: Pick<CommandState, 'protect' | 'strokes' | 'graftStrokes'>): void {
    this.protect = from.protect ?? 0;
    this.last = lastStrokes(from);
  }

  /** Forgets the last strokes of a participant. */
  leave(participant: ParticipantId): void {
    for (const last of Object.values(this.last)) last.delete(participant);
  }

  /** Forgets old strokes, and dead organisms in the lists `wounded`. Call once per tick. */
  prune({ tick, tickRate }: RoomTime): void {
    if (tick % PRUNE_EVERY !== 0) return;
    for (const last of Object.values(this.last)) {
      for (const [participant, stroke] of last) {
        if (tick - stroke.at > STROKE_SECONDS * tickRate) last.delete(participant);
        stroke.wounded = stroke.wounded.filter(
          (id) => this.lifecycle.population.find(id) !== undefined,
        );
      }
    }
  }

  /**
   * Wounds the organisms under a stroke, and charges the sender. @throws the same errors as `apply`
   */
  wound(command: RoomCommand<'damage'>, energy: Energy, time: RoomTime): Outcome {
    const by = command.by.id;
    return this.apply(command, energy, time, {
      refusalOf: (_, isProtected) => (isProtected ? 'protected' : undefined),
      apply: ({ organism, cover }, isNew) => {
        const mask = organism.woundMask;
        organism.woundMask = mask ? cover.map((value, cell) => value | mask[cell]) : cover;
        this.touch(organism, by, time);
        this.lifecycle.hit(organism, by, isNew, time.tick);
      },
    });
  }

  /**
   * Applies a stroke to the organisms that it hits, and charges the sender. Changes nothing if it
   * throws.
   *
   * @param tool.refusalOf returns the reason why an organism may not be hit, or undefined
   * @param tool.apply changes an organism. `isNew` is false if an earlier message of the same
   *   stroke has already hit the organism
   * @throws Refusal 'bad-point', 'stroke-too-long', 'no-energy'; if no organism under the stroke
   *   may be hit, the first reason in `ORDER` that applies
   */
  apply(
    { what, by, points, radius }: RoomCommand<'damage' | 'graft'>,
    energy: Energy,
    time: RoomTime,
    tool: {
      refusalOf(organism: Organism, isProtected: boolean): (typeof ORDER)[number] | undefined;
      apply(hit: Hit, isNew: boolean): void;
    },
  ): Outcome {
    const { tick } = time;
    const stroke = { points, radius };
    checkStroke(stroke, this.grid);
    const last = this.last[what].get(by.id);
    const isContinued = continues(last?.end, stroke);
    // Check the sender's energy before the search for organisms. The search is slow, and senders
    // without energy must not be able to trigger it.
    energy.require(by.id, energy.priceOf(stroke, isContinued), tick);
    const hits = this.hitsOf(stroke, what === 'graft');
    const maker = isContinued ? by.id : undefined;
    const refusals = hits.map(({ organism }) =>
      tool.refusalOf(organism, this.protects(organism, maker, time)),
    );
    const allowed = hits.filter((_, i) => !refusals[i]);
    const reason = ORDER.find((one) => refusals.includes(one));
    if (reason && allowed.length === 0) throw new Refusal(reason);
    const woken = this.wokenBy(allowed.map(({ organism }) => organism));
    energy.spend(by.id, energy.priceOf(stroke, isContinued, woken), tick);
    const wounded = isContinued ? last!.wounded : [];
    this.last[what].set(by.id, { participant: by.id, end: endOf(stroke), at: tick, wounded });
    for (const hit of allowed) {
      const { id } = hit.organism;
      const isNew = !wounded.includes(id);
      tool.apply(hit, isNew);
      if (isNew) wounded.push(id);
    }
    const spared = refusals.filter((one) => one === 'protected').length;
    return defined({ spared: spared || undefined, continued: isContinued || undefined });
  }

  /**
   * Finds the organisms that own a cell under a stroke.
   *
   * @param isDepartingHit whether departing organisms are included
   */
  private hitsOf(stroke: Stroke, isDepartingHit: boolean): Hit[] {
    return ownersNear(stroke, this.grid).flatMap((id) => {
      const organism = this.lifecycle.population.find(id)!;
      if (organism.phase === 'departing' && !isDepartingHit) return [];
      const rect = stageRect(organism.window, growthStep(this.species, organism.age).stage);
      const cover = coverage(stroke, rect);
      if (!cover) return [];
      let isHit = false;
      this.grid.each(rect, (place, cell) => {
        if (cover[cell] === 1 && this.grid.ownerAt(place) === id) isHit = true;
      });
      return isHit ? [{ organism, cover }] : [];
    });
  }

  /**
   * Returns the number of organisms that a stroke wakes (rule ENE-6). An organism that is already
   * awake counts as a fraction: its awake steps so far, divided by the number of steps after which
   * it would sleep.
   */
  private wokenBy(organisms: readonly Organism[]): number {
    const { trustedSteps = LIFE.wakingSteps } = this.species;
    return organisms.reduce((sum, { phase, awakeSteps }) => {
      return sum + (phase === 'asleep' ? 1 : Math.min(1, awakeSteps / trustedSteps));
    }, 0);
  }

  /**
   * Returns whether an organism is protected from a stroke message. One movement of the hand
   * arrives as several messages, so the participant whose stroke started the protection may
   * continue this stroke for a moment.
   *
   * @param maker sender of the message; undefined if the message begins a new stroke
   */
  private protects(organism: Organism, maker: ParticipantId | undefined, time: RoomTime): boolean {
    const { cut } = organism;
    if (!cut || !this.isRecent(organism, time)) return false;
    return cut.by !== maker || time.tick - cut.at >= WOUND_SECONDS * time.tickRate;
  }

  /**
   * Protects an organism for some time after a wound, or after a graft by somebody other than the
   * organism's planter.
   */
  touch(organism: Organism, by: ParticipantId, time: RoomTime): void {
    if (this.protect > 0 && !this.isRecent(organism, time)) organism.cut = { by, at: time.tick };
  }

  /** Returns whether an organism is still protected because of its latest wound. */
  private isRecent({ cut }: Organism, { tick, tickRate }: RoomTime): boolean {
    return cut !== undefined && tick - cut.at < this.protect * tickRate;
  }
}
