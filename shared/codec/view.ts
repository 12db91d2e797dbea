/** A room's colours and owners at one scale, and the tick in which each cell last changed. */
import type { Rect } from '../geometry.ts';
import { chunkRect, createPlanes, type Planes, wordsOf } from './chunks.ts';

/** Copies or averages the source planes chunk by chunk, on request. */
export class View {
  readonly planes: Planes;
  /** [height, width] Tick of each cell's last change; 0 before the first. */
  readonly changedAt: Uint32Array;
  private readonly words: Uint32Array;
  private readonly sourceWords: Uint32Array;

  /** @param scale 1: the source itself; 2, 4, …: each cell averages a square of source cells */
  constructor(
    private readonly source: Planes,
    readonly scale: number,
  ) {
    const [width, height] = [source.width, source.height].map((n) => Math.ceil(n / scale));
    this.planes = createPlanes(width, height);
    this.words = wordsOf(this.planes);
    this.sourceWords = wordsOf(source);
    this.changedAt = new Uint32Array(width * height);
    this.follow(0, { x: 0, y: 0, width, height });
  }

  /**
   * Applies the source's changes within a chunk of the view.
   *
   * @returns whether anything has changed
   */
  update(tick: number, chunk: number): boolean {
    return this.follow(tick, chunkRect(this.planes, chunk));
  }

  private follow(tick: number, rect: Rect): boolean {
    return this.scale === 1 ? this.copy(tick, rect) : this.average(tick, rect);
  }

  private copy(tick: number, rect: Rect): boolean {
    const { source, words, sourceWords: colours, changedAt, planes } = this;
    const [own, owners] = [planes.owner, source.owner];
    let any = false;
    for (let y = rect.y; y < rect.y + rect.height; y++) {
      const end = y * planes.width + rect.x + rect.width;
      for (let at = end - rect.width; at < end; at++) {
        // Few cells differ, so compare colour and owner in a single branch, which costs less than
        // two.
        if (((words[at] ^ colours[at]) | (own[at] ^ owners[at])) === 0) continue;
        words[at] = colours[at];
        own[at] = owners[at];
        changedAt[at] = tick;
        any = true;
      }
    }
    return any;
  }

  private average(tick: number, rect: Rect): boolean {
    const { planes, changedAt } = this;
    let any = false;
    for (let y = rect.y; y < rect.y + rect.height; y++) {
      for (let x = rect.x; x < rect.x + rect.width; x++) {
        const at = y * planes.width + x;
        const { owner, colour } = this.meanAt(x, y);
        if (planes.owner[at] === owner && this.words[at] === colour) continue;
        planes.owner[at] = owner;
        this.words[at] = colour;
        changedAt[at] = tick;
        any = true;
      }
    }
    return any;
  }

  private readonly sum = new Uint8Array(4);
  private readonly mean = new Uint32Array(this.sum.buffer);

  /**
   * Computes the mean colour and the majority owner of a square of source cells. The result is bare
   * if most of these cells are bare.
   */
  private meanAt(x: number, y: number): { owner: number; colour: number } {
    const { source, scale } = this;
    const right = Math.min(source.width, (x + 1) * scale);
    const bottom = Math.min(source.height, (y + 1) * scale);
    let [r, g, b, a, places, held] = [0, 0, 0, 0, 0, 0];
    let owner = 0;
    let votes = 0;
    for (let v = y * scale; v < bottom; v++) {
      for (let u = x * scale; u < right; u++, places++) {
        const at = v * source.width + u;
        const holder = source.owner[at];
        if (holder === 0) continue;
        held++;
        // Boyer–Moore majority vote. It finds the majority if there is one, or else one of the
        // owners present.
        if (votes === 0) owner = holder;
        votes += owner === holder ? 1 : -1;
        r += source.rgba[at * 4];
        g += source.rgba[at * 4 + 1];
        b += source.rgba[at * 4 + 2];
        a += source.rgba[at * 4 + 3];
      }
    }
    if (2 * held < places) return { owner: 0, colour: 0 };
    this.sum.set([r, g, b, a].map((total) => Math.round(total / places)));
    return { owner, colour: this.mean[0] };
  }
}
