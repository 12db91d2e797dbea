/** Encodes the changes of a room's cells as deltas, for viewers with the same scale and tier. */
import type { Rect } from '../geometry.ts';
import { chunkRect, createPlanes, type Planes, wordsOf } from './chunks.ts';
import { MARKS } from './delta-model.ts';
import { FrameSource } from './frame-source.ts';
import { GROUP, GROUP_BITS } from './neighbourhood.ts';
import type { Tier } from './tiers.ts';

const { abs, ceil, imul, max, min, round } = Math;

/**
 * A copy of a room's planes at one scale, with the tick in which each cell last changed. Call
 * `update` for each chunk that may have changed.
 */
export class View {
  readonly planes: Planes;
  /** [height, width] tick in which each cell last changed; 0 if never. */
  readonly changedAt: Uint32Array;
  private readonly words: Uint32Array;
  private readonly sourceWords: Uint32Array;

  /**
   * @param source planes of the room
   * @param scale a power of two. Each cell is the average of a square of `scale`×`scale` source
   *   cells
   */
  constructor(
    private readonly source: Planes,
    readonly scale: number,
  ) {
    const [width, height] = [source.width, source.height].map((n) => ceil(n / scale));
    this.planes = createPlanes(width, height);
    this.words = wordsOf(this.planes);
    this.sourceWords = wordsOf(source);
    this.changedAt = new Uint32Array(width * height);
    this.follow(0, { x: 0, y: 0, width, height });
  }

  /**
   * Updates a chunk from the source planes.
   *
   * @returns whether any cell has changed
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
        // Compare colour and owner in a single branch, which is faster because most cells do not
        // differ.
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
   * Computes a cell's owner and colour: the majority owner and the mean colour of the source cells.
   * If most source cells have no owner, both are 0.
   */
  private meanAt(x: number, y: number): { owner: number; colour: number } {
    const { source, scale } = this;
    const right = min(source.width, (x + 1) * scale);
    const bottom = min(source.height, (y + 1) * scale);
    let [r, g, b, a, places, held] = [0, 0, 0, 0, 0, 0];
    let owner = 0;
    let votes = 0;
    for (let v = y * scale; v < bottom; v++) {
      for (let u = x * scale; u < right; u++, places++) {
        const at = v * source.width + u;
        const holder = source.owner[at];
        if (holder === 0) continue;
        held++;
        // Boyer–Moore majority vote. If no owner has a majority, the result is one of the owners.
        if (votes === 0) owner = holder;
        votes += owner === holder ? 1 : -1;
        r += source.rgba[at * 4];
        g += source.rgba[at * 4 + 1];
        b += source.rgba[at * 4 + 2];
        a += source.rgba[at * 4 + 3];
      }
    }
    if (2 * held < places) return { owner: 0, colour: 0 };
    this.sum.set([r, g, b, a].map((total) => round(total / places)));
    return { owner, colour: this.mean[0] };
  }
}

type Draft = ReturnType<typeof createDraft>;

const createDraft = (
  size: { width: number; height: number },
  after = createPlanes(size.width, size.height),
) => ({
  /** The chunk's cells as viewers will have them after the delta. */
  after,
  /** The colours of `after` as one 32-bit number per cell. */
  colours: wordsOf(after),
  marks: new Uint8Array(size.width * size.height),
  /** [rows, columns] 1 for each group (see `GROUP`) that contains a cell to code, else 0. */
  groups: new Uint8Array(ceil(size.width / GROUP) * ceil(size.height / GROUP)),
  /** Indices of the cells to code: in the chunk (`cells`) and in the planes (`places`). */
  cells: new Uint32Array(size.width * size.height),
  places: new Uint32Array(size.width * size.height),
});

export class FrameEncoder extends FrameSource {
  /** Current colours of the room, one 32-bit number per cell. */
  private readonly live: Uint32Array;
  /** Colours as viewers have them, one 32-bit number per cell. */
  private readonly shown: Uint32Array;
  /** Indices of the chunks that may differ from what viewers have. */
  private readonly pending = new Set<number>();
  private draft = createDraft({ width: 0, height: 0 });

  constructor(
    readonly view: View,
    readonly tier: Tier,
  ) {
    super(view.planes, view.scale);
    const { planes } = view;
    this.seen.rgba.set(planes.rgba);
    this.seen.owner.set(planes.owner);
    this.live = wordsOf(planes);
    this.shown = wordsOf(this.seen);
  }

  /** Marks a chunk as changed, so that `advance` encodes it. */
  touch(chunk: number): void {
    this.pending.add(chunk);
  }

  /**
   * Encodes the deltas of a tick.
   *
   * @param wanted chunks that any viewer sees. The deltas of other chunks are postponed
   */
  advance(tick: number, wanted: Pick<ReadonlySet<number>, 'has'>): void {
    this.beginRound();
    for (const chunk of this.pending) if (wanted.has(chunk)) this.step(tick, chunk);
  }

  private step(tick: number, chunk: number): void {
    const { tier, seen } = this;
    const rect = chunkRect(seen, chunk);
    const draft = this.draftFor(rect);
    const { coded, held } = this.compare(tick, rect, draft);
    let inexact = held;
    if (coded > 0) {
      this.addDelta(chunk, this.writer.delta(seen, { ...draft, rect, step: tier.step }));
      inexact += this.commit(coded, draft);
    }
    if (inexact === 0) this.pending.delete(chunk);
  }

  /**
   * Returns working memory for a chunk. The memory of the previous chunk is used again if that
   * chunk has the same size.
   */
  private draftFor({ width, height }: Rect): Draft {
    const { after } = this.draft;
    if (after.width !== width || after.height !== height) {
      this.draft = createDraft({ width, height });
    }
    return this.draft;
  }

  /**
   * Decides which cells of a chunk to send in this tick's delta. In the draft, these cells get
   * their new values, and all other cells keep the values that viewers have.
   *
   * @returns `coded`: number of cells to send; `held`: number of changed cells whose change is
   *   still too small to be sent
   */
  private compare(tick: number, rect: Rect, draft: Draft): { coded: number; held: number } {
    const { view, tier, seen, live, shown } = this;
    const { changedAt, planes } = view;
    const { owner: owners } = planes;
    const { owner: seenOwners, width } = seen;
    const { after, colours, marks, groups, cells, places } = draft;
    const { owner: wanted } = after;
    const restsSince = tick - tier.rest;
    let coded = 0;
    let held = 0;
    groups.fill(0);
    for (let y = 0, cell = 0; y < rect.height; y++) {
      let place = (rect.y + y) * width + rect.x;
      const row = (y >> GROUP_BITS) * ceil(rect.width / GROUP);
      for (let x = 0; x < rect.width; x++, cell++, place++) {
        const was = shown[place];
        const is = live[place];
        const ownerWas = seenOwners[place];
        const owner = owners[place];
        colours[cell] = was;
        wanted[cell] = ownerWas;
        marks[cell] = MARKS.same;
        // Compare colour and owner in a single branch, which is faster because most cells do not
        // differ.
        if (((was ^ is) | (ownerWas ^ owner)) === 0) continue;
        const rests = changedAt[place] <= restsSince;
        if (rests || ownerWas !== owner || isFar(was, is, tier)) {
          wanted[cell] = owner;
          colours[cell] = is;
          marks[cell] = rests ? MARKS.exact : MARKS.coded;
          groups[row + (x >> GROUP_BITS)] = 1;
          cells[coded] = cell;
          places[coded++] = place;
        } else held++;
      }
    }
    return { coded, held };
  }

  /**
   * Copies the coded cells to `seen`, the cells as viewers have them.
   *
   * @returns number of coded cells whose colour is inexact due to quantization
   */
  private commit(coded: number, { after, colours, cells, places }: Draft): number {
    const { seen, live, shown } = this;
    let inexact = 0;
    for (let i = 0; i < coded; i++) {
      const cell = cells[i];
      const place = places[i];
      seen.owner[place] = after.owner[cell];
      shown[place] = colours[cell];
      if (colours[cell] !== live[place]) inexact++;
    }
    return inexact;
  }
}

/**
 * Returns whether the colour `b` of a changing cell must be sent, because it differs enough from
 * the colour `a` that viewers have. A smaller difference is sent only after the cell has stopped
 * changing.
 */
function isFar(a: number, b: number, { hold, squares }: Tier): boolean {
  const red = abs((a & 0xff) - (b & 0xff));
  const green = abs(((a >>> 8) & 0xff) - ((b >>> 8) & 0xff));
  const blue = abs(((a >>> 16) & 0xff) - ((b >>> 16) & 0xff));
  // Leave alpha out of the sum, because viewers see only the premultiplied colours.
  const alpha = abs((a >>> 24) - (b >>> 24));
  const sum = imul(red, red) + imul(green, green) + imul(blue, blue);
  return sum > squares || max(red, green, blue, alpha) > hold;
}
