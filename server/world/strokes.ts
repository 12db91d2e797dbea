/** Strokes that arrive in several messages, each beginning where the one before has ended. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { type Stroke, strokeLength } from '../../shared/geometry.ts';
import type { OrganismId, ParticipantId } from '../../shared/vocabulary.ts';
import type { RoomCommand } from './commands.ts';
import type { RoomState } from './room-state.ts';

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
