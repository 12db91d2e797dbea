/**
 * The state of this visitor's interaction: the tool, the held seed (which will be planted next),
 * the selected organism, and display settings.
 */
import { STROKE_LIMITS } from '../../shared/limits.ts';
import type { SeedSource } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import type { OrganismId, SeedView, Tool } from '../../shared/vocabulary.ts';
import { Listeners, type Offer, offered } from './browser-store.ts';
import { limitedRadius, STROKE_RADIUS } from './stroke-width.ts';

type Checkpoint = Pick<Event<'welcome'>['checkpoint'], 'gallery' | 'featured'>;

/** Names of the panels in which visitors choose, draw or find a seed. */
export type Sheet = 'gallery' | 'draw' | 'map';

/** The selected organism, and the organism to cross it with. */
export interface Selection {
  readonly organism: OrganismId;
  /**
   * Grid position that the visitor touched to select the organism; undefined if it was selected in
   * another way.
   */
  readonly at?: { readonly x: number; readonly y: number } | undefined;
  readonly crossing: boolean;
  readonly second: OrganismId;
  /** Share of the second parent in a cross, 0…1. */
  readonly mix: number;
  /** Amount of random variation in a cross, 0…1. */
  readonly mutation: number;
}

/** Returns whether a tool draws strokes. */
export const isBrush = (tool: Tool | undefined): boolean => tool === 'damage' || tool === 'graft';

const START = {
  tool: 'plant' as Tool,
  radius: STROKE_RADIUS.radius as number,
  /** Maximum stroke radius in this room, in cells. */
  widest: STROKE_LIMITS.maxRadius as number,
  held: { from: 'prior', throw: 0 } as SeedSource,
  sheet: undefined as Sheet | undefined,
  selection: undefined as Selection | undefined,
  crisp: false,
  /** Whether the visitor has grafted since the page was opened. */
  grafted: false,
  /** Whether the visitor has turned off the movement of the water. */
  still: false,
  /** Number of seeds that the visitor has planted since the page was opened. */
  planted: 0,
  /**
   * Number of seeds made from drawings or chosen on the map since the visitor last planted a seed.
   */
  taken: 0,
};

/** Holds the interaction state, and notifies listeners of changes. */
export class InteractionState {
  private current: typeof START;
  /** The seed that `holdFirst` selected last. */
  private initial: SeedSource | undefined;
  private readonly listeners = new Listeners<{ change: undefined }>();

  /** @param first initial stroke radius, in cells */
  constructor(first: number = STROKE_RADIUS.radius) {
    this.current = { ...START, radius: first };
  }

  get state(): Readonly<typeof START> {
    return this.current;
  }

  onChange(listener: () => void): () => void {
    return this.listeners.on('change', listener);
  }

  update(change: Partial<typeof START>): void {
    this.current = { ...this.current, ...change };
    this.listeners.emit('change', undefined);
  }

  take(tool: Tool): void {
    this.update(tool === 'look' ? { tool } : { tool, selection: undefined });
  }

  /** Sets the held seed. Selects the tool "plant", unless the tool "graft" is selected. */
  hold(held: SeedSource): void {
    const tool = this.current.tool === 'graft' ? 'graft' : 'plant';
    this.update({ held, tool, selection: undefined });
  }

  /** Replaces the held seed with a new random seed. */
  throwDice(random: () => number): void {
    this.hold(thrown(random));
  }

  /**
   * Counts a planted seed. If the seed was random, replaces the held seed with another random seed.
   */
  sown(random: () => number): void {
    const { held } = this.current;
    const planted = this.current.planted + 1;
    this.update({ planted, taken: 0, ...(held.from === 'prior' && { held: thrown(random) }) });
  }

  /**
   * Makes a random gallery seed the held seed: one of the seeds that the host has put first; if
   * there are none, an animal; if there are no animals either, any seed that the host offers.
   */
  holdFirst(checkpoint: Checkpoint, random: () => number, offer: Offer = {}): void {
    const all = offered(checkpoint, offer);
    const first = all.filter((index) => offer.first?.includes(index));
    const animals = all.filter((index) => checkpoint.gallery[index].kind === 'animal');
    const from = [first, animals, all].find(({ length }) => length > 0) ?? [];
    const index = from[Math.floor(random() * from.length)];
    this.initial = index === undefined ? thrown(random) : { from: 'gallery', index };
    this.update({ held: this.initial });
  }

  /**
   * Call this when the host has changed which seeds are offered. If the host has hidden the held
   * seed, replaces it. If the host now puts other seeds first, and nothing has been planted yet,
   * also replaces a held seed that the page itself has chosen (`holdFirst`).
   */
  follow(checkpoint: Checkpoint, random: () => number, offer: Offer): void {
    const { held, planted } = this.current;
    const { hidden = [], first = [] } = offer;
    if (held.from !== 'gallery') return;
    const leads = offered(checkpoint, offer).some((index) => first.includes(index));
    const isInitial = held === this.initial && planted === 0;
    if ((isInitial && leads && !first.includes(held.index)) || hidden.includes(held.index))
      this.holdFirst(checkpoint, random, offer);
  }

  setRadius(radius: number): void {
    this.update({ radius: limitedRadius(radius, this.current.widest) });
  }

  /** Applies the host's maximum stroke radius, in cells. */
  setWidest(widest: number): void {
    this.update({ widest: limitedRadius(widest) });
    this.setRadius(this.current.radius);
  }

  /**
   * Selects an organism. While the visitor is choosing the second parent of a cross, makes the
   * organism the second parent.
   *
   * @param organism id of the organism; 0 clears the selection
   * @param at the grid position that the visitor touched, if any
   */
  select(organism: OrganismId, at?: Selection['at']): void {
    const { selection } = this.current;
    if (selection?.crossing && organism === 0) this.stopCrossing();
    else if (selection?.crossing) {
      const second = organism === selection.organism ? selection.second : organism;
      this.update({ selection: { ...selection, second } });
    } else {
      const fresh = { organism, at, crossing: false, second: 0, mix: 0.5, mutation: 0 };
      this.update({ selection: organism === 0 ? undefined : fresh });
    }
  }

  /** Starts choosing the second parent of a cross with the selected organism. */
  startCrossing(): void {
    const { selection } = this.current;
    if (selection) this.update({ tool: 'look', selection: { ...selection, crossing: true } });
  }

  /** Stops choosing the second parent of a cross. The first parent stays selected. */
  stopCrossing(): void {
    const { selection } = this.current;
    if (selection) this.update({ selection: { ...selection, crossing: false, second: 0 } });
  }

  forget(organism: OrganismId): void {
    const { selection } = this.current;
    if (selection?.organism === organism) this.update({ selection: undefined });
    else if (selection?.second === organism) {
      this.update({ selection: { ...selection, second: 0 } });
    }
  }

  /**
   * Replaces the held seed by a random seed if the server has deleted it.
   *
   * @param hand the visitor's own seeds that are still stored on the server
   */
  keepTo(hand: readonly SeedView[], random: () => number): void {
    const { held } = this.current;
    if (held.from !== 'hand' || hand.some(({ id }) => id === held.seed)) return;
    this.update({ held: thrown(random) });
  }
}

function thrown(random: () => number): SeedSource {
  return { from: 'prior', throw: Math.floor(random() * 2 ** 32) };
}
