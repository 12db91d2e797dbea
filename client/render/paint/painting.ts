/** Connects a renderer to the painter of the room's checkpoint. */

import type { GenomeMap } from '../../../shared/painter/genome-map.ts';
import type { PainterNet } from '../../../shared/painter/net.ts';
import type { PackedGenomes } from '../../../shared/protocol/genomes.ts';
import type { OrganismId } from '../../../shared/vocabulary.ts';
import { fetchPainter } from '../../room/fetch-painter.ts';
import type { RoomModel } from '../../room/room-model.ts';
import type { Renderer } from '../renderer.ts';
import { Genomes } from './genomes.ts';
import { mayPaint, type Network, paintsAlways } from './may-paint.ts';
import { paintFilm } from './paint-film.ts';
import { RoomPaint } from './scene-paint.ts';

/**
 * Time before a failed download of a painter is retried, in ms. Retrying matters on walls, which
 * run for months.
 */
const RETRY = 60_000;
const NOWHERE = { x: 0, y: 0, width: -1, height: -1 };

/**
 * Loads the painter of the room's checkpoint, and creates the renderer's `RoomPaint` from it.
 * Creates another `RoomPaint` after a lost context.
 */
export class Painting {
  /** URL of the requested painter. */
  private asked: string | undefined;
  private net: PainterNet | undefined;
  private genomes: Genomes | undefined;
  /** Cancels the current download. */
  private loading = new AbortController();
  /** When the download failed, in ms; undefined if it did not fail. */
  private failedAt: number | undefined;

  /** @param done called when there is something new to draw */
  constructor(
    private readonly model: RoomModel,
    private readonly renderer: Pick<Renderer, 'gl' | 'paint' | 'planes' | 'until'>,
    private readonly done: () => void,
  ) {}

  /**
   * Loads another painter if the room's checkpoint has changed. Call this with each picture.
   *
   * @param now ms
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

  /** Paints a film, see `paintFilm`; undefined while there is no painter. */
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
      // Without a painter, cells are drawn smooth.
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
    // Check again, because a restored context may use a software renderer.
    if (!mayPaint(gl, navigator as Network, paintsAlways())) {
      this.net = undefined;
      return;
    }
    try {
      renderer.paint = new RoomPaint(gl, net, paintsAlways());
      renderer.paint.changed(planes, [], until);
      for (const [id, map] of this.genomes?.maps() ?? []) this.place(id, map);
    } catch (error) {
      // A GPU that cannot run the painter now never can, so do not try again.
      console.warn(error);
      this.net = undefined;
    }
    this.done();
  }

  /** Learns more about the organisms in view. */
  private know(now: number): void {
    const { x, y, width, height } = this.renderer.paint?.seen ?? NOWHERE;
    const isSeen = (id: OrganismId): boolean => {
      const one = this.model.organisms.get(id);
      // A painter has learned grown cells only.
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
