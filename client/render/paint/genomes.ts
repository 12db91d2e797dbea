/** The genomes of the room's organisms, which a page that paints requests once for each organism. */
import { createMap, type GenomeMap } from '../../../shared/painter/genome-map.ts';
import type { PainterNet } from '../../../shared/painter/net.ts';
import { MAX_GENOMES_ASKED } from '../../../shared/protocol/commands.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import { unpackGenomes } from '../../../shared/protocol/genomes.ts';
import type { OrganismId } from '../../../shared/vocabulary.ts';
import type { RoomModel } from '../../room/room-model.ts';

/** Minimum time between two requests, and time after which a request is repeated, in ms. */
const INTERVAL = 500;
const PATIENCE = 5_000;
/** Longest time for which computing a map delays a picture, in ms. */
const SLICE = 3;

/** What a page knows about the genomes of an organism. */
interface Known {
  /** When they were requested, in ms; undefined if they must be requested again. */
  askedAt: number | undefined;
  /** Whether the answer has arrived. */
  isHere: boolean;
  map: GenomeMap | undefined;
}

/** Requests genomes, and computes a map of each organism's genomes. */
export class Genomes {
  private readonly known = new Map<OrganismId, Known>();
  private askedAt = Number.NEGATIVE_INFINITY;
  /** Maps that are being computed, by organism. */
  private readonly work = new Map<OrganismId, ReturnType<typeof createMap>>();
  private readonly unsubscribers: (() => void)[];

  /** @param changed called when the map of an organism has changed */
  constructor(
    private readonly net: PainterNet,
    private readonly model: Pick<RoomModel, 'organisms' | 'on' | 'askGenomes'>,
    private readonly changed: (id: OrganismId, map: GenomeMap | undefined) => void,
  ) {
    const { known, work } = this;
    this.unsubscribers = [
      model.on('genomes', ({ genomes }) => {
        for (const one of genomes) this.arrived(one);
      }),
      model.on('opened', () => {
        for (const one of known.values()) one.askedAt = undefined;
      }),
      model.on('life', ({ event, organism: { id } }) => {
        const one = known.get(id);
        if (event.what === 'died') {
          known.delete(id);
          work.delete(id);
          if (one?.map) changed(id, undefined);
        } else if (one && /transformed|grafted/.test(event.what)) one.askedAt = undefined;
      }),
    ];
  }

  dispose(): void {
    for (const off of this.unsubscribers) off();
  }

  /** Returns the maps computed so far. */
  *maps(): Generator<readonly [OrganismId, GenomeMap]> {
    for (const [id, { map }] of this.known) if (map) yield [id, map];
  }

  /**
   * Requests missing genomes, and computes maps for a short time.
   *
   * @param isSeen whether an organism is in view
   * @param now ms
   * @returns whether maps are still to be computed
   */
  update(isSeen: (id: OrganismId) => boolean, now: number): boolean {
    if (!this.net.learned) return false;
    if (now - this.askedAt >= INTERVAL) this.ask(isSeen, now);
    const until = performance.now() + SLICE;
    for (const [id, work] of this.work) {
      while (performance.now() < until) {
        const { done, value } = work.next();
        if (!done) continue;
        this.work.delete(id);
        const one = this.known.get(id);
        if (one?.map || value) this.changed(id, value);
        if (one) one.map = value;
        break;
      }
    }
    return this.work.size > 0;
  }

  private ask(isSeen: (id: OrganismId) => boolean, now: number): void {
    const { known, model } = this;
    const missing: OrganismId[] = [];
    for (const id of model.organisms.keys()) {
      const one = known.get(id);
      const isDue = one?.askedAt === undefined || (!one.isHere && now - one.askedAt > PATIENCE);
      if (!isDue || missing.length === MAX_GENOMES_ASKED || !isSeen(id)) continue;
      missing.push(id);
      known.set(id, { map: one?.map, askedAt: now, isHere: false });
    }
    if (missing.length === 0) return;
    this.askedAt = now;
    model.askGenomes(missing);
  }

  private arrived({ id, ...packed }: Event<'genomes'>['genomes'][number]): void {
    const one = this.known.get(id);
    if (!one) return;
    one.isHere = true;
    this.work.set(id, createMap(this.net, unpackGenomes(packed)));
  }
}
