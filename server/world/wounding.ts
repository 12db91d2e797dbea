/** Strokes of damage: what they cover, wound and wake (rules DMG-1 … DMG-4, ENE-6). */
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
import { defined } from '../platform/collections.ts';
import type { Answer, RoomCommand } from './commands.ts';
import type { RoomTime } from './departures.ts';
import type { Energy } from './energy.ts';
import type { GridPlanes } from './grid-planes.ts';
import { LIFE, type Organism } from './organisms/organism.ts';
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
function ownersNear({ points, radius }: Stroke, grid: GridPlanes): OrganismId[] {
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

/** Where a stroke message has ended, and its radius; cells. */
export type StrokeEnd = LastStroke['end'];

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

type LastStroke = NonNullable<RoomState['strokes']>[number];

/** Ticks between two removals of old strokes. */
const PRUNE_EVERY = 64;

const { strokeSeconds, wakingSteps, woundSeconds } = LIFE;

/** Applies strokes to the organisms of a room. */
export class Wounding {
  /** Seconds for which a wounded organism cannot be wounded again (rule DMG-3). */
  protect = 0;
  /** The last stroke of each participant, and whom it has wounded (rule DMG-4). */
  private strokes = new Map<ParticipantId, LastStroke>();

  constructor(
    private readonly species: Species,
    private readonly grid: GridPlanes,
    private readonly lifecycle: OrganismLifecycle,
  ) {}

  export(): Pick<CommandState, 'protect' | 'strokes'> {
    return defined({
      protect: this.protect || undefined,
      strokes: this.strokes.size > 0 ? structuredClone([...this.strokes.values()]) : undefined,
    });
  }

  restore({ protect = 0, strokes = [] }: Pick<CommandState, 'protect' | 'strokes'>): void {
    this.protect = protect;
    this.strokes = new Map(strokes.map((one) => [one.participant, one]));
  }

  /** Forgets a participant's stroke. */
  leave(participant: ParticipantId): void {
    this.strokes.delete(participant);
  }

  /** Call once a tick: forgets strokes that ended long ago, and dead organisms. */
  prune({ tick, tickRate }: RoomTime): void {
    if (tick % PRUNE_EVERY !== 0) return;
    for (const [participant, stroke] of this.strokes) {
      if (tick - stroke.at > strokeSeconds * tickRate) this.strokes.delete(participant);
      stroke.wounded = stroke.wounded.filter((id) => this.lifecycle.find(id) !== undefined);
    }
  }

  /**
   * Wounds what a stroke covers, and charges for it.
   *
   * @throws Refusal bad-point, stroke-too-long, no-energy, protected; nothing has changed then
   */
  wound(
    { by, points, radius }: RoomCommand<'damage'>,
    energy: Energy,
    time: RoomTime,
  ): Pick<Answer, 'spared' | 'continued'> {
    const { tick } = time;
    const stroke = { points, radius };
    checkStroke(stroke, this.grid);
    const last = this.strokes.get(by.id);
    const isContinued = continues(last?.end, stroke);
    // Who cannot pay for the cells must not cost the search for what they cover.
    energy.requireStroke(by.id, stroke, tick, isContinued);
    const hits = this.hitsOf(stroke);
    const maker = isContinued ? by.id : undefined;
    const unprotected = hits.filter(({ organism }) => !this.protects(organism, maker, time));
    const spared = hits.length - unprotected.length;
    if (spared > 0 && unprotected.length === 0) throw new Refusal('protected');
    energy.spendStroke(by.id, stroke, tick, { woken: this.wokenBy(unprotected), isContinued });
    const wounded = isContinued ? last!.wounded : [];
    this.strokes.set(by.id, { participant: by.id, end: endOf(stroke), at: tick, wounded });
    for (const { organism, cover } of unprotected) {
      const mask = organism.woundMask;
      organism.woundMask = mask ? cover.map((value, cell) => value | mask[cell]) : cover;
      if (this.protect > 0 && !this.isRecent(organism, time))
        organism.cut = { by: by.id, at: tick };
      const isNew = !wounded.includes(organism.id);
      this.lifecycle.hit(organism, { by: by.id, isNew, tick });
      if (isNew) wounded.push(organism.id);
    }
    return defined({ spared: spared || undefined, continued: isContinued || undefined });
  }

  /**
   * The organisms that a stroke wounds. A stroke that covers none of an organism's own places does
   * not wound it.
   */
  private hitsOf(stroke: Stroke): Hit[] {
    return ownersNear(stroke, this.grid).flatMap((id) => {
      const organism = this.lifecycle.find(id)!;
      if (organism.phase === 'departing') return [];
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
   * How many organisms a stroke wakes (rule ENE-6). One that is awake counts in part: for the share
   * of its trusted steps that it takes again.
   */
  private wokenBy(hits: readonly Hit[]): number {
    const { trustedSteps = wakingSteps } = this.species;
    return hits.reduce((sum, { organism: { phase, awakeSteps } }) => {
      return sum + (phase === 'asleep' ? 1 : Math.min(1, awakeSteps / trustedSteps));
    }, 0);
  }

  /**
   * Whether an organism cannot be wounded now. A wound may be continued for a moment, as one
   * movement of the hand is several strokes, each beginning where the one before has ended.
   *
   * @param maker of a stroke that continues their last one
   */
  private protects(organism: Organism, maker: ParticipantId | undefined, time: RoomTime): boolean {
    const { cut } = organism;
    if (!cut || !this.isRecent(organism, time)) return false;
    return cut.by !== maker || time.tick - cut.at >= woundSeconds * time.tickRate;
  }

  /** Whether an organism's wound still protects it. */
  private isRecent({ cut }: Organism, { tick, tickRate }: RoomTime): boolean {
    return cut !== undefined && tick - cut.at < this.protect * tickRate;
  }
}
