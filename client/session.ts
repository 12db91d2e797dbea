/** What this visitor is doing: the tool and seed in hand, what is selected, how she likes to look. Emits on change. */
import { DEFAULTS } from '../shared/defaults.ts';
import type { SeedSource } from '../shared/protocol/commands.ts';
import type { Event } from '../shared/protocol/events.ts';
import type { OrganismId, SeedView, Tool } from '../shared/vocabulary.ts';
import { Listeners } from './net/listeners.ts';

type Gallery = Event<'welcome'>['checkpoint']['gallery'];

/** A crossed seed, with the kinds of its parents for its picture. */
export interface CrossedSeed {
  readonly seed: SeedView;
  readonly kinds: readonly [string, string];
}

/** What is selected, and with what it is about to be crossed. */
export interface Selection {
  readonly organism: OrganismId;
  readonly crossing: boolean;
  readonly second: OrganismId;
  /** Share of the second. */
  readonly mix: number;
}

interface State {
  tool: Tool;
  radius: number;
  held: SeedSource;
  crossed: readonly CrossedSeed[];
  selection: Selection | undefined;
  crisp: boolean;
  /** Whether she has planted since the page was opened. */
  planted: boolean;
}

const { minRadius, maxRadius } = DEFAULTS.stroke;

export class Session {
  private current: State = {
    tool: 'plant',
    radius: 3,
    held: { from: 'prior' },
    crossed: [],
    selection: undefined,
    crisp: false,
    planted: false,
  };
  private readonly listeners = new Listeners<{ change: undefined }>();

  get state(): Readonly<State> {
    return this.current;
  }

  onChange(listener: () => void): () => void {
    return this.listeners.on('change', listener);
  }

  update(change: Partial<State>): void {
    this.current = { ...this.current, ...change };
    this.listeners.emit('change', undefined);
  }

  take(tool: Tool): void {
    this.update(tool === 'look' ? { tool } : { tool, selection: undefined });
  }

  hold(held: SeedSource): void {
    this.update({ held, tool: 'plant', selection: undefined });
  }

  /** Something of the gallery to begin with: an animal where there is one. */
  holdFirst(gallery: Gallery, random: () => number): void {
    const all = gallery.map((entry, index) => ({ ...entry, index }));
    const animals = all.filter(({ kind }) => kind === 'animal');
    const from = animals.length > 0 ? animals : all;
    const chosen = from[Math.floor(random() * from.length)];
    this.update({ held: chosen ? { from: 'gallery', index: chosen.index } : { from: 'prior' } });
  }

  setRadius(radius: number): void {
    this.update({ radius: Math.max(minRadius, Math.min(maxRadius, radius)) });
  }

  select(organism: OrganismId): void {
    const { selection } = this.current;
    if (selection?.crossing) {
      const second = organism === selection.organism ? selection.second : organism;
      this.update({ selection: { ...selection, second } });
    } else {
      const fresh = { organism, crossing: false, second: 0, mix: 0.5 };
      this.update({ selection: organism === 0 ? undefined : fresh });
    }
  }

  /** Lets go of an organism that is no more. */
  forget(organism: OrganismId): void {
    const { selection } = this.current;
    if (selection?.organism === organism) this.update({ selection: undefined });
    else if (selection?.second === organism) {
      this.update({ selection: { ...selection, second: 0 } });
    }
  }

  /** A crossed seed has come into her hand; the oldest falls out when it is full. */
  receive(crossed: CrossedSeed): void {
    const kept = this.current.crossed.slice(0, DEFAULTS.room.maxSeedsInHand - 1);
    this.update({ crossed: [crossed, ...kept] });
    this.hold({ from: 'hand', seed: crossed.seed.id });
  }

  /** Seeds in hand live on the server only as long as the connection. */
  emptyHand(): void {
    const { held } = this.current;
    this.update({ crossed: [], held: held.from === 'hand' ? { from: 'prior' } : held });
  }
}
