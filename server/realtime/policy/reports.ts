/**
 * Organisms that visitors have reported to the host. In memory only: what is reported and not
 * looked at is forgotten with the server.
 */
import type { OrganismId, ParticipantId } from '../../../shared/vocabulary.ts';
import { getOrAdd } from '../../platform/get-or-add.ts';

/** Participants that are remembered for each organism; more reports change nothing for the host. */
const MAX_REPORTERS = 1_000;
/** Reported organisms after which those that have died are forgotten, though nobody looks. */
const MAX_UNSEEN = 256;

interface Case {
  readonly reporters: Set<ParticipantId>;
  /** How many of them the host has dismissed. */
  dismissed: number;
  /** When the first report came that is not dismissed, ms. */
  since: number;
}

/** A reported organism. */
export interface Report {
  readonly organism: OrganismId;
  /** Participants who have reported it since the host last dismissed it; at least 1. */
  readonly reporters: number;
  /** ms */
  readonly since: number;
}

const openOf = ({ reporters, dismissed }: Case): number => reporters.size - dismissed;

/** The reports of one room. Each participant counts once for each organism. */
export class Reports {
  private readonly cases = new Map<OrganismId, Case>();

  /** @param isAlive whether the room has an organism; reports of others are forgotten */
  constructor(private readonly isAlive: (organism: OrganismId) => boolean) {}

  /** Number of organisms that the host has not decided about. */
  get size(): number {
    return this.list.length;
  }

  /** The organisms that the host has not decided about, most reported first. */
  get list(): Report[] {
    this.forgetDead();
    return [...this.cases]
      .map(([organism, each]) => ({ organism, reporters: openOf(each), since: each.since }))
      .filter(({ reporters }) => reporters > 0)
      .sort((a, b) => b.reporters - a.reporters || a.since - b.since);
  }

  /**
   * Records a report; a second one of the same participant changes nothing.
   *
   * @param organism a living one
   * @param now ms
   */
  add(organism: OrganismId, by: ParticipantId, now: number): void {
    if (this.cases.size >= MAX_UNSEEN) this.forgetDead();
    const found = getOrAdd(this.cases, organism, () => {
      return { reporters: new Set<ParticipantId>(), dismissed: 0, since: now };
    });
    if (found.reporters.has(by) || found.reporters.size >= MAX_REPORTERS) return;
    if (openOf(found) === 0) found.since = now;
    found.reporters.add(by);
  }

  private forgetDead(): void {
    for (const organism of this.cases.keys()) {
      if (!this.isAlive(organism)) this.cases.delete(organism);
    }
  }

  /**
   * The host has looked at an organism and leaves it as it is. Those who have reported it do not
   * count again; others do.
   *
   * @returns whether it was in the list
   */
  dismiss(organism: OrganismId): boolean {
    const found = this.cases.get(organism);
    if (!found || openOf(found) === 0 || !this.isAlive(organism)) return false;
    found.dismissed = found.reporters.size;
    return true;
  }
}
