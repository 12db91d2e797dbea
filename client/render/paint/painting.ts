/** Loads the painter of a room's checkpoint, and gives it the genomes of the organisms in view. */

import { MAX_GENOMES_ASKED } from '../../../shared/limits.ts';
import { createMap, type GenomeMap } from '../../../shared/painter/genome-map.ts';
import type { PainterNet } from '../../../shared/painter/net.ts';
import { inSlices, paintThumbnail } from '../../../shared/painter/still.ts';
import type { Event } from '../../../shared/protocol/events.ts';
import { type PackedGenomes, unpackGenomes } from '../../../shared/protocol/genomes.ts';
import type { OrganismId } from '../../../shared/vocabulary.ts';
import { fetchPainter } from '../../room/fetch-painter.ts';
import type { RoomModel } from '../../room/room-model.ts';
import type { Renderer } from '../renderer.ts';
import { mayPaint, type Network, paintsAlways } from './may-paint.ts';
import { RoomPaint } from './scene-paint.ts';

/**
 * `INTERVAL`: minimum time between two requests for genomes, in ms. `PATIENCE`: if the server has
 * not answered a request within this time, in ms, the request is repeated.
 */
const INTERVAL = 500;
const PATIENCE = 5_000;
/** Maximum time per frame for computing genome maps, in ms. */
const MAP_SLICE = 3;

/** State of the request for an organism's genomes. */
interface Known {
  /** Time of the last request, in ms; undefined if the genomes have changed since then. */
  askedAt: number | undefined;
  /** Whether the server has answered the last request. */
  isHere: boolean;
  map: GenomeMap | undefined;
}

/**
 * Requests the genomes of organisms from the server, and computes a genome map for each organism.
 */
export class Genomes {
  private readonly known = new Map<OrganismId, Known>();
  private askedAt = Number.NEGATIVE_INFINITY;
  private readonly work = new Map<OrganismId, ReturnType<typeof createMap>>();
  private readonly unsubscribers: (() => void)[];

  /** @param changed called when the genome map of an organism has changed */
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

  /** Yields the maps computed so far, with the ids of their organisms. */
  *maps(): Generator<readonly [OrganismId, GenomeMap]> {
    for (const [id, { map }] of this.known) if (map) yield [id, map];
  }

  /**
   * Requests the genomes that are missing, and computes maps for at most `MAP_SLICE` ms.
   *
   * @param isSeen returns whether the genomes of an organism are needed
   * @param now current time, in ms
   * @returns whether a map is still unfinished
   */
  update(isSeen: (id: OrganismId) => boolean, now: number): boolean {
    if (!this.net.learned) return false;
    if (now - this.askedAt >= INTERVAL) this.ask(isSeen, now);
    const until = performance.now() + MAP_SLICE;
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

/** Painted pixels per side of a cell, in films. */
const SCALE = 4;
/**
 * While a film is painted, a pause of `PAUSE` ms follows each `FILM_SLICE` ms of work, so that the
 * page stays responsive.
 */
const FILM_SLICE = 5;
const PAUSE = 12;

/**
 * Paints a film: square frames side by side in one image.
 *
 * @param film the film, with one pixel per cell
 * @param packed genomes of the seed that the film shows, if known
 * @returns object URL of the painted film
 * @throws Error if the browser cannot decode the film or encode the painted film
 */
async function paintFilm(film: Blob, net: PainterNet, packed?: PackedGenomes): Promise<string> {
  const genomes = packed && unpackGenomes(packed);
  const strip = await createImageBitmap(film);
  const { width, height: side } = strip;
  const cells = penFor(width, side);
  cells.drawImage(strip, 0, 0);
  const painted = penFor(SCALE * width, SCALE * side);
  for (let x = 0; x < width; x += side) {
    const { data } = cells.getImageData(x, 0, side, side);
    const pixels = await inSlices(
      paintThumbnail({ cells: data, side, net, genomes, scale: SCALE }),
      {
        slice: FILM_SLICE,
        now: () => performance.now(),
        pause: () => new Promise((resolve) => setTimeout(resolve, PAUSE)),
      },
    );
    painted.putImageData(new ImageData(pixels, SCALE * side), SCALE * x, 0);
  }
  const png = await new Promise<Blob | null>((resolve) => painted.canvas.toBlob(resolve));
  const image = new Image();
  image.src = URL.createObjectURL(png!);
  await image.decode();
  return image.src;
}

function penFor(width: number, height: number): CanvasRenderingContext2D {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  return canvas.getContext('2d', { willReadFrequently: true })!;
}

/** Time after which a failed download of the painter is repeated, in ms. */
const RETRY = 60_000;
const NOWHERE = { x: 0, y: 0, width: -1, height: -1 };

/**
 * Loads the painter of the room's checkpoint, and gives it to the renderer as a `RoomPaint`. If the
 * GPU context is lost, creates a new `RoomPaint`.
 */
export class Painting {
  /** URL of the painter that was requested last. */
  private asked: string | undefined;
  private net: PainterNet | undefined;
  private genomes: Genomes | undefined;
  private loading = new AbortController();
  /** Time at which the last download failed, in ms; undefined if it did not fail. */
  private failedAt: number | undefined;

  /** @param done called when there is something new to draw */
  constructor(
    private readonly model: RoomModel,
    private readonly renderer: Pick<Renderer, 'gl' | 'paint' | 'planes' | 'until'>,
    private readonly done: () => void,
  ) {}

  /**
   * Loads the painter if the room has a new checkpoint, and requests missing genomes. Call this
   * method in each frame.
   *
   * @param now current time, in ms
   */
  update(now: number): void {
    this.know(now);
    if (this.failedAt !== undefined && now - this.failedAt >= RETRY) this.drop();
    const url = this.model.checkpoint?.painter;
    if (url !== this.asked) {
      this.drop();
      this.asked = url;
      if (url) this.load(url, now);
    } else if (this.net && !this.renderer.paint) this.begin(this.net);
  }

  /** The function `paintFilm` with the loaded painter; undefined while no painter is loaded. */
  get film(): ((film: Blob, genomes?: PackedGenomes) => Promise<string>) | undefined {
    const { net } = this;
    return net && ((film, genomes) => paintFilm(film, net, genomes));
  }

  dispose(): void {
    this.drop();
  }

  private load(url: string, now: number): void {
    const { signal } = (this.loading = new AbortController());
    fetchPainter(url, signal).then(
      (net) => {
        if (signal.aborted) return;
        this.net = net;
        this.genomes = new Genomes(net, this.model, (id, map) => this.place(id, map));
        this.done();
      },
      // Without the painter, the page draws cells as smooth shapes.
      (error: unknown) => {
        if (signal.aborted) return;
        this.failedAt = now;
        console.warn(error);
      },
    );
  }

  private begin(net: PainterNet): void {
    const { renderer } = this;
    const { gl, planes, until } = renderer;
    if (!planes || gl.isContextLost()) return;
    // A restored GPU context may use a slow software renderer, so check again.
    if (!mayPaint(gl, navigator as Network, paintsAlways())) {
      this.net = undefined;
      return;
    }
    try {
      renderer.paint = new RoomPaint(gl, net, paintsAlways());
      renderer.paint.changed(planes, [], until);
      for (const [id, map] of this.genomes?.maps() ?? []) this.place(id, map);
    } catch (error) {
      // Do not try again, because the GPU would fail again.
      console.warn(error);
      this.net = undefined;
    }
    this.done();
  }

  /** Requests the genomes of the organisms in view, and computes their maps. */
  private know(now: number): void {
    const { x, y, width, height } = this.renderer.paint?.seen ?? NOWHERE;
    const isSeen = (id: OrganismId): boolean => {
      const one = this.model.organisms.get(id);
      // Skip growing organisms, because painters are trained only on fully grown organisms.
      if (!one || one.phase === 'growing') return false;
      const reach = one.side / 2;
      const isBeside = one.x + reach < x || one.x - reach > x + width;
      return !isBeside && one.y + reach >= y && one.y - reach <= y + height;
    };
    if (this.genomes?.update(isSeen, now)) this.done();
  }

  private place(id: OrganismId, map: GenomeMap | undefined): void {
    const one = this.model.organisms.get(id);
    const placed = map && one && { ...map, x: one.x - map.side / 2, y: one.y - map.side / 2 };
    this.renderer.paint?.setMap(id, placed);
    this.done();
  }

  private drop(): void {
    this.loading.abort();
    this.genomes?.dispose();
    this.genomes = undefined;
    this.renderer.paint?.dispose();
    this.renderer.paint = this.net = this.asked = this.failedAt = undefined;
  }
}
