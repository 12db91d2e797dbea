/**
 * The automatic gardener keeps an unused room lively: it plants, cuts its own organisms so that
 * healing can be seen, crosses, and removes its oldest. In a nearly full room it removes unattended
 * organisms; otherwise it never harms those of others. It stops when a visitor acts, waits while
 * one draws or chooses a seed, and pauses while nobody watches. A room that nobody has played in
 * yet is planted at once, so that the first visitor sees life. Its commands go through a system
 * actor, so they are journalled and cost energy; its random numbers are its own, so that replays do
 * not depend on it.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Random } from '../../shared/random.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import type { Clock } from '../platform/clock.ts';
import type { SystemCommand } from '../realtime/commands/system-actor.ts';
import type { Answer } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import { featuredOf } from '../world/species.ts';
import {
  choosePlantingPlace,
  type PlantingArea,
  type PlantingPlace,
  targetCount,
} from './planting-place.ts';
import { cutAcross, strokeOver } from './strokes.ts';

export interface GardenerOptions {
  readonly room: Room;
  readonly clock: Clock;
  readonly random: Random;
  /** Sends a command to the room. Rejects with a Refusal. */
  readonly act: (act: SystemCommand) => Promise<Answer>;
  /** Whether any screen shows the room. */
  readonly watched: () => boolean;
  /** Time without visitor activity before it starts, ms; 'off': never. */
  readonly after: number | 'off';
  /** Whether nobody has played in the room yet: it plants at once. */
  readonly isNew?: boolean;
}

interface ScheduledAction {
  /** Earliest time, ms. */
  readonly at: number;
  readonly run: () => void;
}

const {
  name,
  initialPlants,
  plantingDelay,
  actionDelay,
  refusalDelay,
  strokeInterval,
  recutDelay,
  avoidedKinds,
  thinAbove,
} = DEFAULTS.attract;

/** The gardener of one room. */
export class Gardener {
  private after: number | 'off';
  /** Time of the last visitor activity, ms. */
  private lastActivity = Number.NEGATIVE_INFINITY;
  private scheduled: ScheduledAction[] = [];
  private nextAt = Number.NEGATIVE_INFINITY;
  /** Time of the last cut by organism, ms. */
  private readonly cutAt = new Map<OrganismId, number>();
  /** The kind that it prefers for its next plants, and for how many. */
  private preference = { kind: '', remaining: 0 };
  private working = false;
  /** What it has planted and the room has not answered yet. */
  private readonly pendingPlants = new Set<PlantingPlace & { readonly kind: string }>();
  /** Planting a new room. */
  private isFirstPlanting: boolean;

  constructor(private readonly options: GardenerOptions) {
    this.after = options.after;
    this.isFirstPlanting = options.isNew ?? false;
  }

  /** @param settings.after idle time before it starts, ms; 'off': never */
  configure({ after }: { readonly after: number | 'off' }): void {
    this.after = after;
    if (after === 'off') this.rest();
  }

  /** Whether it is acting now. */
  get isActive(): boolean {
    return this.working;
  }

  /** Stops it, as a visitor has entered or acted. */
  visitorActive(): void {
    this.lastActivity = this.options.clock.now();
    this.rest();
  }

  /** Runs what is due. Call after each tick of the room. */
  tick(): void {
    const now = this.options.clock.now();
    // Also while it is off: a room that somebody has played in is no longer new.
    const plantsFirst = this.plantsFirst();
    if (this.after === 'off' || !(plantsFirst || this.isIdle(this.after, now))) {
      this.rest();
      return;
    }
    this.working = true;
    const due = this.scheduled.filter(({ at }) => at <= now);
    this.scheduled = this.scheduled.filter(({ at }) => at > now);
    for (const { run } of due) run();
    if (this.scheduled.length > 0 || now < this.nextAt) return;
    if (this.isFirstPlanting && this.pendingPlants.size > 0) return;
    this.nextAt = now + this.delay();
    this.startNext();
  }

  private isIdle(after: number, now: number): boolean {
    return now - this.lastActivity >= after && this.options.watched();
  }

  /** Whether it still plants a new room, even while a first visitor looks around. */
  private plantsFirst(): boolean {
    const own = this.isFirstPlanting ? this.own.length : 0;
    this.isFirstPlanting &&= own < initialPlants && own === this.population.length && !this.isFull;
    return this.isFirstPlanting;
  }

  private rest(): void {
    this.working = false;
    this.scheduled = [];
  }

  /** Chooses and starts the next action. */
  private startNext(): void {
    const { random } = this.options;
    if (this.isFirstPlanting) {
      const missing = initialPlants - this.own.length;
      for (let i = 0; i < missing && !this.isFull; i++) this.plant();
      return;
    }
    if (this.thin()) return;
    if (this.own.length < initialPlants && !this.isFull && this.plant()) return;
    const draw = random.uniform();
    if (draw < 0.4 && this.cut()) return;
    if (draw < 0.65 && this.cross()) return;
    if (!this.isFull && this.plant()) return;
    if (!this.replaceOldest()) this.cut();
  }

  private get population(): OrganismView[] {
    return this.options.room.organisms;
  }

  /**
   * Its organisms but those that depart, oldest first; matched by name, so that those from before a
   * restart count.
   */
  private get own(): OrganismView[] {
    return this.population.filter(
      ({ planter, phase }) => planter.name === name && phase !== 'departing',
    );
  }

  private get area(): PlantingArea {
    const { grid, species } = this.options.room;
    return { width: grid.width, height: grid.height, side: species.side };
  }

  /** Whether it plants no more, so that visitors have room for at least as many. */
  private get isFull(): boolean {
    const { room } = this.options;
    const most = Math.min(targetCount(this.area), Math.ceil(room.maxOrganisms / 2));
    return room.size + this.pendingPlants.size >= most;
  }

  private delay(): number {
    if (this.isFirstPlanting) return 0;
    const isPlanting = this.own.length < initialPlants;
    const [least, most] = isPlanting ? plantingDelay : actionDelay;
    return least + (most - least) * this.options.random.uniform();
  }

  /** @returns false if there is no place, or nothing to plant */
  private plant(): boolean {
    const place = this.choosePlace();
    const index = place && this.chooseEntry();
    if (index === undefined) return false;
    const { name: kind } = this.options.room.species.gallery[index];
    const pending = { ...place!, kind };
    this.pendingPlants.add(pending);
    void this.send({ what: 'plant', ...place!, seed: { from: 'gallery', index } }).finally(() =>
      this.pendingPlants.delete(pending),
    );
    return true;
  }

  /**
   * Chooses an entry that does not live here yet, mostly of the preferred kind.
   *
   * @returns gallery index; undefined if all live here
   */
  private chooseEntry(): number | undefined {
    const { random, room } = this.options;
    const { gallery } = room.species;
    const living = new Set([...this.population, ...this.pendingPlants].map(({ kind }) => kind));
    const missing = featuredOf(room.species).flatMap((index) => {
      const { name, kind = '' } = gallery[index];
      return living.has(name) ? [] : [{ index, kind }];
    });
    const allowed = missing.filter(({ kind }) => !avoidedKinds.includes(kind));
    const candidates = allowed.length > 0 ? allowed : missing;
    if (candidates.length === 0) return undefined;
    if (this.preference.remaining-- <= 0) {
      const { kind } = candidates[random.integer(candidates.length)];
      this.preference = { kind, remaining: 5 + random.integer(6) };
    }
    const preferred = candidates.filter(({ kind }) => kind === this.preference.kind);
    const chosen = preferred.length > 0 && random.uniform() < 0.8 ? preferred : candidates;
    return chosen[random.integer(chosen.length)].index;
  }

  private choosePlace(near?: PlantingPlace): PlantingPlace | undefined {
    const taken = [...this.population, ...this.pendingPlants];
    return choosePlantingPlace(this.area, taken, this.options.random, near);
  }

  /**
   * In a nearly full room, removes the organism unattended longest.
   * @returns false if not needed
   */
  private thin(): boolean {
    const { room } = this.options;
    if (room.size <= thinAbove * room.maxOrganisms || room.unattended === undefined) return false;
    void this.send({ what: 'thin' });
    return true;
  }

  /** Cuts across one of its own organisms. @returns false if none can be cut */
  private cut(): boolean {
    const { clock, random, room } = this.options;
    const now = clock.now();
    for (const [id, at] of this.cutAt) if (now - at > recutDelay) this.cutAt.delete(id);
    const candidates = this.own.filter((one) => isGrown(one) && !this.cutAt.has(one.id));
    if (candidates.length === 0) return false;
    const chosen = candidates[random.integer(candidates.length)];
    const strokes = cutAcross(chosen, room.grid.planes, random);
    if (!strokes) return false;
    this.cutAt.set(chosen.id, now);
    this.scheduled.push(
      ...strokes.map((stroke, i) => ({
        at: now + i * strokeInterval,
        run: () => void this.send({ what: 'damage', ...stroke }),
      })),
    );
    return true;
  }

  /**
   * Crosses two neighbours of any planter, and plants the child near them.
   *
   * @returns false if there are no two, or no room for the child
   */
  private cross(): boolean {
    const { random, clock } = this.options;
    const grown = this.population.filter(isGrown);
    if (grown.length < 2) return false;
    const [a] = grown.splice(random.integer(grown.length), 1);
    const distance = (one: PlantingPlace): number => Math.hypot(one.x - a.x, one.y - a.y);
    const b = grown.reduce((nearest, one) => (distance(one) < distance(nearest) ? one : nearest));
    const place = this.choosePlace({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    if (!place || (this.isFull && !this.removeOldest(a, b))) return false;
    const mix = 0.35 + 0.3 * random.uniform();
    void this.send({ what: 'cross', a: a.id, b: b.id, mix }).then((answer) => {
      const { seed } = answer ?? {};
      if (!seed || !this.working) return;
      const held = { from: 'hand', seed: seed.id } as const;
      this.scheduled.push({
        at: clock.now() + plantingDelay[0],
        run: () => void this.send({ what: 'plant', ...place, seed: held }),
      });
    });
    return true;
  }

  /** Removes its oldest organism and plants another later. @returns false if it could not */
  private replaceOldest(): boolean {
    if (!this.removeOldest()) return false;
    const at = this.options.clock.now() + plantingDelay[0];
    this.scheduled.push({ at, run: () => void (!this.isFull && this.plant()) });
    return true;
  }

  /** Removes its oldest organism whose stroke hits no others. @returns false if there is none */
  private removeOldest(...excluded: readonly OrganismView[]): boolean {
    const { planes } = this.options.room.grid;
    for (const oldest of this.own) {
      if (excluded.some(({ id }) => id === oldest.id)) continue;
      const stroke = strokeOver(oldest, planes);
      if (!stroke) continue;
      void this.send({ what: 'damage', ...stroke });
      return true;
    }
    return false;
  }

  /** @returns the room's answer; undefined if refused, and the next action is delayed */
  private async send(act: SystemCommand): Promise<Answer | undefined> {
    try {
      const answer = await this.options.act(act);
      if (!answer.refused) return answer;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    this.scheduled = [];
    this.nextAt = this.options.clock.now() + refusalDelay;
    return undefined;
  }
}

const isGrown = ({ phase }: OrganismView): boolean => phase === 'asleep' || phase === 'awake';
