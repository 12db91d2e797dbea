/** Strokes of damage: what they cover, wound and wake (rules DMG-1, DMG-2, ENE-6). */
import { DEFAULTS } from '../../shared/defaults.ts';
import {
  contains,
  coverage,
  type Rect,
  type Stroke,
  stageRect,
  strokeBounds,
  strokeLength,
} from '../../shared/geometry.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { OrganismId, ParticipantId } from '../../shared/vocabulary.ts';
import type { Answer, RoomCommand } from './commands.ts';
import type { Energy } from './energy.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organisms/organism.ts';
import type { OrganismLifecycle } from './organisms/organism-lifecycle.ts';
import type { CommandState, RoomState } from './room-state.ts';
import { growthStep, type Species } from './species.ts';

/** Checks that a stroke lies on the grid. @throws Refusal bad-point, stroke-too-long */
export function checkStroke({ points }: Stroke, { width, height }: GridPlanes): void {
  for (let i = 0; i < points.length; i++) {
    const limit = i % 2 === 0 ? width : height;
    if (!(points[i] >= 0 && points[i] <= limit)) throw new Refusal('bad-point', `${points[i]}`);
  }
  if (strokeLength(points) > DEFAULTS.stroke.maxLength) throw new Refusal('stroke-too-long');
}

/** Organisms that own a place near a stroke, oldest first: only these can be wounded by it. */
export function ownersNear({ points, radius }: Stroke, grid: GridPlanes): OrganismId[] {
  const { owner } = grid.planes;
  const found = new Set<OrganismId>();
  for (let i = 0; i + 1 < points.length; i += 2) {
    const from = Math.max(0, i - 2);
    const part = Array.from({ length: i + 2 - from }, (_, k) => points[from + k]);
    grid.each(within(strokeBounds({ points: part, radius }), grid), (place) => {
      if (owner[place] !== 0) found.add(owner[place]);
    });
  }
  return [...found].sort((a, b) => a - b);
}

/** Organisms that own a place in a rectangle, oldest first. @throws Refusal off-grid */
export function ownersIn(area: Rect, ground: GridPlanes): OrganismId[] {
  const grid = { x: 0, y: 0, width: ground.width, height: ground.height };
  if (!contains(grid, area)) throw new Refusal('off-grid');
  const found = new Set<OrganismId>();
  ground.each(area, (place) => found.add(ground.ownerAt(place)));
  found.delete(0);
  return [...found].sort((a, b) => a - b);
}

/** The part of a rectangle on the grid, with a margin of one place so that thin strokes count. */
export function within(rect: Rect, grid: Pick<GridPlanes, 'width' | 'height'>): Rect {
  const x = Math.max(0, rect.x - 1);
  const y = Math.max(0, rect.y - 1);
  const right = Math.min(grid.width, rect.x + rect.width + 1);
  const bottom = Math.min(grid.height, rect.y + rect.height + 1);
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}

/** An organism that a stroke wounds. */
interface Hit {
  readonly organism: Organism;
  /** [stage, stage] cells in the coming step, 1 = covered by the stroke. */
  readonly cover: Uint8Array;
}

/**
 * The organisms that a stroke wounds. A stroke that covers none of an organism's own places does
 * not wound it.
 */
export function hitsOf(
  stroke: Stroke,
  organisms: readonly Organism[],
  species: Species,
  grid: GridPlanes,
): Hit[] {
  return organisms.flatMap((organism) => {
    const rect = stageRect(organism.window, growthStep(species, organism.age).stage);
    const cover = coverage(stroke, rect);
    if (!cover) return [];
    let hit = false;
    grid.each(rect, (place, cell) => {
      if (cover[cell] === 1 && grid.ownerAt(place) === organism.id) hit = true;
    });
    return hit ? [{ organism, cover }] : [];
  });
}

/**
 * How many organisms a stroke wakes (rule ENE-6). One that is awake counts in part: for the share of
 * its trusted steps that it takes again.
 */
export function wokenBy(hits: readonly Hit[], { trustedSteps }: Species): number {
  const steps = trustedSteps ?? DEFAULTS.life.wakingSteps;
  return hits.reduce((sum, { organism: { phase, awakeSteps } }) => {
    return sum + (phase === 'asleep' ? 1 : Math.min(1, awakeSteps / steps));
  }, 0);
}

/** Where a stroke message has ended, and its radius; cells. */
export interface StrokeEnd {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** The end of a stroke message. */
export function endOf({ points, radius }: Stroke): StrokeEnd {
  return { x: points[points.length - 2], y: points[points.length - 1], radius };
}

/** Whether a message continues the one that ended here. A single point begins a new stroke. */
export function continues(end: StrokeEnd | undefined, { points, radius }: Stroke): boolean {
  if (!end || strokeLength(points) === 0) return false;
  return end.x === points[0] && end.y === points[1] && end.radius === radius;
}

/** Commands without those that continue a stroke of the same participant. */
export function withoutContinuations(commands: readonly RoomCommand[]): RoomCommand[] {
  const ends = new Map<ParticipantId, StrokeEnd>();
  return commands.filter((command) => {
    if (command.what !== 'damage') return true;
    const { id } = command.by;
    const isNew = !continues(ends.get(id), command);
    ends.set(id, endOf(command));
    return isNew;
  });
}

type StrokeState = NonNullable<RoomState['strokes']>[number];

interface CurrentStroke {
  readonly end: StrokeEnd;
  /** Tick of its last message. */
  readonly at: number;
  /** The organisms that it has wounded. */
  readonly wounded: Set<OrganismId>;
}

/** Ticks between two removals of old strokes. */
const PRUNE_EVERY = 64;

/** The last stroke of each participant, and whom it has wounded (rule DMG-4). */
export class Strokes {
  private readonly current: Map<ParticipantId, CurrentStroke>;

  /** @param from restored strokes */
  constructor(from: readonly StrokeState[] = []) {
    this.current = new Map(
      from.map(({ participant, end, at, wounded }) => {
        return [participant, { end, at, wounded: new Set(wounded) }];
      }),
    );
  }

  /**
   * Follows a stroke message that was accepted.
   *
   * @returns the organisms that earlier messages of this stroke have wounded; the caller adds those
   *   of this message
   */
  follow(participant: ParticipantId, stroke: Stroke, tick: number): Set<OrganismId> {
    const last = this.current.get(participant);
    const wounded = last && continues(last.end, stroke) ? last.wounded : new Set<OrganismId>();
    this.current.set(participant, { end: endOf(stroke), at: tick, wounded });
    return wounded;
  }

  /** Whether a message continues a participant's last stroke. */
  continues(participant: ParticipantId, stroke: Stroke): boolean {
    return continues(this.current.get(participant)?.end, stroke);
  }

  leave(participant: ParticipantId): void {
    this.current.delete(participant);
  }

  /** Call once a tick: forgets strokes that have not gone on for long, and dead organisms. */
  prune(tick: number, tickRate: number, isAlive: (organism: OrganismId) => boolean): void {
    if (tick % PRUNE_EVERY !== 0) return;
    for (const [participant, { at, wounded }] of this.current) {
      if (tick - at > DEFAULTS.life.strokeSeconds * tickRate) this.current.delete(participant);
      for (const organism of wounded) if (!isAlive(organism)) wounded.delete(organism);
    }
  }

  export(): StrokeState[] {
    return [...this.current].map(([participant, { end, at, wounded }]) => {
      return { participant, end: { ...end }, at, wounded: [...wounded] };
    });
  }
}

const { woundSeconds } = DEFAULTS.life;

/** Applies strokes to the organisms of a room. */
export class Wounding {
  /** Seconds for which a wounded organism cannot be wounded again. */
  protect = 0;
  private strokes = new Strokes();

  constructor(
    private readonly species: Species,
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
  ) {}

  export(): Pick<CommandState, 'protect' | 'strokes'> {
    const strokes = this.strokes.export();
    return {
      ...(this.protect > 0 && { protect: this.protect }),
      ...(strokes.length > 0 && { strokes }),
    };
  }

  restore({ protect, strokes }: Pick<CommandState, 'protect' | 'strokes'>): void {
    this.protect = protect ?? 0;
    this.strokes = new Strokes(strokes);
  }

  /** Forgets a participant's stroke. */
  leave(participant: ParticipantId): void {
    this.strokes.leave(participant);
  }

  /** Call once a tick: forgets strokes that are long over. */
  prune(tick: number, tickRate: number): void {
    this.strokes.prune(tick, tickRate, (id) => this.lifecycle.find(id) !== undefined);
  }

  /**
   * Wounds what a stroke covers, and charges for it.
   *
   * @throws Refusal bad-point, stroke-too-long, no-energy, protected; nothing has changed then
   */
  wound(
    { by, points, radius }: RoomCommand & { what: 'damage' },
    energy: Energy,
    { tick, tickRate }: { readonly tick: number; readonly tickRate: number },
  ): Pick<Answer, 'spared' | 'continued'> {
    const stroke = { points, radius };
    checkStroke(stroke, this.grid);
    const isContinued = this.strokes.continues(by.id, stroke);
    // Who cannot pay for the cells must not cost the search for what they cover.
    energy.requireStroke(by.id, stroke, tick, isContinued);
    const near = ownersNear(stroke, this.grid)
      .map((id) => this.lifecycle.find(id)!)
      .filter(({ phase }) => phase !== 'departing');
    const hits = hitsOf(stroke, near, this.species, this.grid);
    const maker = isContinued ? by.id : undefined;
    const protection = new Protection(this.protect * tickRate, tickRate, tick);
    const wounded = hits.filter(({ organism }) => !protection.covers(organism, maker));
    const spared = hits.length - wounded.length;
    if (spared > 0 && wounded.length === 0) throw new Refusal('protected');
    const woken = wokenBy(wounded, this.species);
    energy.spendStroke(by.id, stroke, tick, { woken, isContinued });
    const before = this.strokes.follow(by.id, stroke, tick);
    for (const { organism, cover } of wounded) {
      const mask = organism.woundMask;
      organism.woundMask = mask ? cover.map((value, cell) => value | mask[cell]) : cover;
      protection.begin(organism, by.id);
      const isNew = !before.has(organism.id);
      this.lifecycle.hit(organism, { by: by.id, isNew, tick });
      before.add(organism.id);
    }
    return { ...(spared > 0 && { spared }), ...(isContinued && { continued: isContinued }) };
  }
}

/**
 * Protects wounded organisms for a while (rule DMG-3). A wound may be continued for a moment, as
 * one movement of the hand is several strokes, each beginning where the one before has ended.
 */
class Protection {
  /** @param pause how long an organism is protected, ticks @param tick of the stroke */
  constructor(
    private readonly pause: number,
    private readonly tickRate: number,
    private readonly tick: number,
  ) {}

  /**
   * Whether an organism cannot be wounded now.
   *
   * @param maker of a stroke that continues their last one
   */
  covers(organism: Organism, maker: ParticipantId | undefined): boolean {
    const { cut } = organism;
    if (!cut || !this.isRecent(organism)) return false;
    return cut.by !== maker || this.tick - cut.at >= woundSeconds * this.tickRate;
  }

  /** Records a wound. */
  begin(organism: Organism, by: ParticipantId): void {
    if (this.pause > 0 && !this.isRecent(organism)) organism.cut = { by, at: this.tick };
  }

  private isRecent({ cut }: Organism): boolean {
    return cut !== undefined && this.tick - cut.at < this.pause;
  }
}
