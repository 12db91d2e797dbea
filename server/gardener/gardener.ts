/**
 * Plays where nobody does, so that a wall is never still: plants, wounds what it has planted so
 * that healing is seen, crosses, and lets its oldest go when it has planted enough; and thins what
 * is long unattended when the room is nearly full. Ends with the first act of a visitor; what it
 * has planted stays. It acts as
 * somebody of the house does: journalled, with energy of its own, and with chance of its own, so that rooms stay what their
 * journals say. It harms nothing else that others have planted, and where nobody watches it rests.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Random } from '../../shared/random.ts';
import type { OrganismId, OrganismView } from '../../shared/vocabulary.ts';
import type { Clock } from '../platform/clock.ts';
import type { SystemCommand } from '../realtime/commands/system-actor.ts';
import type { Answer } from '../world/commands.ts';
import type { Room } from '../world/room.ts';
import {
  choosePlantingPlace,
  isWellPlaced,
  type PlantingArea,
  type PlantingPlace,
} from './planting-place.ts';
import { cutAcross, strokeOver } from './strokes.ts';

export interface GardenerOptions {
  readonly room: Room;
  readonly clock: Clock;
  readonly random: Random;
  /** Does something in the room. Rejects with a Refusal when that is not allowed. */
  readonly act: (act: SystemCommand) => Promise<Answer>;
  /** Whether anybody sees the room. */
  readonly watched: () => boolean;
  /** ms without visitors after which it begins; 'off': never. */
  readonly after: number | 'off';
}

/** What it does at a moment, or after one. */
interface Deed {
  /** ms */
  readonly at: number;
  readonly do: () => void;
}

const { name, few, sowing, pausing, patience, strokeEvery, spared, unloved, crowded } =
  DEFAULTS.attract;

export class Gardener {
  private after: number | 'off';
  /** When somebody has last played. */
  private stirredAt = Number.NEGATIVE_INFINITY;
  private scheduled: Deed[] = [];
  private nextAt = Number.NEGATIVE_INFINITY;
  private readonly cutAt = new Map<OrganismId, number>();
  /** What it plants most of for a while, and how often still. */
  private season = { kind: '', left: 0 };
  private working = false;

  constructor(private readonly options: GardenerOptions) {
    this.after = options.after;
  }

  /** @param settings ms without visitors after which it begins; 'off': never */
  configure({ after }: { readonly after: number | 'off' }): void {
    this.after = after;
    if (after === 'off') this.rest();
  }

  /** Whether it plays now. */
  get isActive(): boolean {
    return this.working;
  }

  /** Somebody has come, or plays. */
  visitorActive(): void {
    this.stirredAt = this.options.clock.now();
    this.rest();
  }

  /** A tick is done. */
  tick(): void {
    const now = this.options.clock.now();
    const isDue = this.after !== 'off' && now - this.stirredAt >= this.after;
    if (!isDue || !this.options.watched()) {
      this.rest();
      return;
    }
    this.working = true;
    const due = this.scheduled.filter(({ at }) => at <= now);
    this.scheduled = this.scheduled.filter(({ at }) => at > now);
    for (const deed of due) deed.do();
    if (this.scheduled.length > 0 || now < this.nextAt) return;
    this.nextAt = now + this.pause();
    this.begin();
  }

  private rest(): void {
    this.working = false;
    this.scheduled = [];
  }

  /** Chooses what comes next. */
  private begin(): void {
    const { random } = this.options;
    if (this.thin()) return;
    if (this.own.length < few && !this.isFull && this.plant()) return;
    const chance = random.uniform();
    if (chance < 0.4 && this.cut()) return;
    if (chance < 0.65 && this.cross()) return;
    if (!this.isFull && this.plant()) return;
    if (!this.renew()) this.cut();
  }

  private get population(): OrganismView[] {
    return this.options.room.organisms;
  }

  /** What it has planted, oldest first; also before the server was started anew. */
  private get own(): OrganismView[] {
    return this.population.filter(({ planter }) => planter.name === name);
  }

  private get plot(): PlantingArea {
    const { grid: ground, species } = this.options.room;
    return { width: ground.width, height: ground.height, side: species.side };
  }

  /** Whether the room is as full as it shall be: visitors may plant as many besides. */
  private get isFull(): boolean {
    const { room } = this.options;
    return room.size >= Math.min(isWellPlaced(this.plot), Math.ceil(room.maxOrganisms / 2));
  }

  private pause(): number {
    const { uniform } = this.options.random;
    const [least, most] = this.own.length < few ? sowing : pausing;
    return least + (most - least) * uniform();
  }

  /** @returns whether there is a place, and something to plant */
  private plant(): boolean {
    const at = this.place();
    const index = at && this.chooseKind();
    if (index === undefined) return false;
    void this.do({ what: 'plant', ...at!, seed: { from: 'gallery', index } });
    return true;
  }

  /** Of the season's kind mostly, and nothing that lives here already. @returns index of the gallery */
  private chooseKind(): number | undefined {
    const { random, room } = this.options;
    const { gallery } = room.species;
    const living = new Set(this.population.map(({ kind }) => kind));
    const all = gallery.flatMap((entry, index) =>
      living.has(entry.name) ? [] : [{ index, kind: entry.kind ?? '' }],
    );
    const liked = all.filter(({ kind }) => !unloved.includes(kind));
    const some = liked.length > 0 ? liked : all;
    if (some.length === 0) return undefined;
    if (this.season.left-- <= 0) {
      this.season = { kind: some[random.integer(some.length)].kind, left: 5 + random.integer(6) };
    }
    const fitting = some.filter(({ kind }) => kind === this.season.kind);
    const chosen = fitting.length > 0 && random.uniform() < 0.8 ? fitting : some;
    return chosen[random.integer(chosen.length)].index;
  }

  private place(near?: PlantingPlace): PlantingPlace | undefined {
    return choosePlantingPlace(this.plot, this.population, this.options.random, near);
  }

  /**
   * In a nearly full room, lets go of what is unattended longest.
   *
   * @returns whether there is such a one, and need for it
   */
  private thin(): boolean {
    const { room } = this.options;
    if (room.size <= crowded * room.maxOrganisms || room.unattended === undefined) return false;
    void this.do({ what: 'thin' });
    return true;
  }

  /** Draws a wound across one of its own. @returns whether there is one to be cut */
  private cut(): boolean {
    const { clock, random, room } = this.options;
    const now = clock.now();
    for (const [id, at] of this.cutAt) if (now - at > spared) this.cutAt.delete(id);
    const whole = this.own.filter(
      ({ id, phase }) => (phase === 'asleep' || phase === 'awake') && !this.cutAt.has(id),
    );
    if (whole.length === 0) return false;
    const chosen = whole[random.integer(whole.length)];
    const strokes = cutAcross(chosen, room.grid.planes, random);
    if (!strokes) return false;
    this.cutAt.set(chosen.id, now);
    this.scheduled.push(
      ...strokes.map((stroke, i) => ({
        at: now + i * strokeEvery,
        do: () => void this.do({ what: 'damage', ...stroke }),
      })),
    );
    return true;
  }

  /** Mixes two neighbours, whosever they are, and plants the child near them. @returns whether there were two, and room for it */
  private cross(): boolean {
    const { random, clock } = this.options;
    const grown = this.population.filter(({ phase }) => phase === 'asleep' || phase === 'awake');
    if (grown.length < 2) return false;
    const [a] = grown.splice(random.integer(grown.length), 1);
    const far = (one: PlantingPlace): number => Math.hypot(one.x - a.x, one.y - a.y);
    const b = grown.reduce((nearest, one) => (far(one) < far(nearest) ? one : nearest));
    const at = this.place({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    if (!at || (this.isFull && !this.removeOldest(a, b))) return false;
    const mix = 0.35 + 0.3 * random.uniform();
    void this.do({ what: 'cross', a: a.id, b: b.id, mix }).then((answer) => {
      const { seed } = answer ?? {};
      if (!seed || !this.working) return;
      this.scheduled.push({
        at: clock.now() + sowing[0],
        do: () => void this.do({ what: 'plant', ...at, seed: { from: 'hand', seed: seed.id } }),
      });
    });
    return true;
  }

  /** Lets its oldest go, and plants another where there is room. @returns whether it could */
  private renew(): boolean {
    if (!this.removeOldest()) return false;
    const at = this.options.clock.now() + sowing[0];
    this.scheduled.push({ at, do: () => void (!this.isFull && this.plant()) });
    return true;
  }

  /** The oldest of its own goes, but for some. @returns whether there is one that it can let go without harm to others */
  private removeOldest(...kept: readonly OrganismView[]): boolean {
    const { planes } = this.options.room.grid;
    for (const oldest of this.own) {
      if (kept.some(({ id }) => id === oldest.id)) continue;
      const stroke = strokeOver(oldest, planes);
      if (!stroke) continue;
      void this.do({ what: 'damage', ...stroke });
      return true;
    }
    return false;
  }

  /** @returns the room's answer; undefined when it was refused, after which it waits a while */
  private async do(act: SystemCommand): Promise<Answer | undefined> {
    try {
      const answer = await this.options.act(act);
      if (!answer.refused) return answer;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
    this.scheduled = [];
    this.nextAt = this.options.clock.now() + patience;
    return undefined;
  }
}
