/** Wounds organisms by strokes, and protects the wounded (rules DMG-3, DMG-4 and ENE-6). */
import { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { ParticipantId } from '../../shared/vocabulary.ts';
import type { Answer, RoomCommand } from './commands.ts';
import { checkStroke, hitsOf, ownersNear, wokenBy } from './damage.ts';
import type { Energy } from './energy.ts';
import type { GridPlanes } from './grid-planes.ts';
import type { Organism } from './organism.ts';
import type { OrganismLifecycle } from './organism-lifecycle.ts';
import type { CommandState } from './room-state.ts';
import type { Species } from './species.ts';
import { Strokes } from './strokes.ts';

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
