/** Encodes the changes of a room at one scale, with the precision of one tier. */

import type { Rect } from '../geometry.ts';
import { createCells, wordsOf } from './cells.ts';
import { chunkRect } from './chunks.ts';
import { MARKS } from './delta-model.ts';
import { FrameSource } from './frame-source.ts';
import type { Tier } from './tiers.ts';
import type { View } from './view.ts';

/** Working memory for the delta of one chunk. */
type Draft = ReturnType<typeof createDraft>;

const createDraft = (size: { width: number; height: number }) => ({
  /** What viewers hold. */
  before: createCells(size),
  /** What they are to hold. */
  after: createCells(size),
  /**
   * [cells] of `MARKS`: changing cells are coded in steps, those that have come to rest exactly.
   */
  marks: new Uint8Array(size.width * size.height),
});

/** Looked up once: in a sandbox, access to a global costs more than the arithmetic. */
const { abs } = Math;

/** See the top of the file. */
export class FrameEncoder extends FrameSource {
  /** Colours of the view, one number each. */
  private readonly live: Uint32Array;
  /** Colours of `seen`, one number each. */
  private readonly shown: Uint32Array;
  /** Chunks in which `seen` may differ from the view. */
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

  /** Reports that a chunk of the view has changed. */
  touch(chunk: number): void {
    this.pending.add(chunk);
  }

  /**
   * Encodes the deltas of a tick.
   *
   * @param wanted whether a chunk has viewers; others are not encoded until they have
   */
  advance(tick: number, wanted: (chunk: number) => boolean): void {
    this.beginRound();
    for (const chunk of this.pending) if (wanted(chunk)) this.step(tick, chunk);
  }

  private step(tick: number, chunk: number): void {
    const { tier, seen } = this;
    const rect = chunkRect(seen, chunk);
    const draft = this.draftFor(rect);
    const { coded, held } = this.compare(tick, rect, draft);
    let inexact = held;
    if (coded > 0) {
      const { before, after, marks } = draft;
      this.addDelta(chunk, this.writer.delta(before, after, tier.step, marks));
      inexact += this.commit(rect, draft);
    }
    if (inexact === 0) this.pending.delete(chunk);
  }

  /** The draft is reused: chunks are encoded one after another, and most have the same size. */
  private draftFor({ width, height }: Rect): Draft {
    const { before } = this.draft;
    if (before.width !== width || before.height !== height) {
      this.draft = createDraft({ width, height });
    }
    return this.draft;
  }

  /**
   * Fills the draft: cells to code with their new values, those held back for now with their old.
   */
  private compare(tick: number, rect: Rect, draft: Draft): { coded: number; held: number } {
    const { view, tier, seen, live, shown } = this;
    const { planes, changedAt } = view;
    const { before, after, marks } = draft;
    const [was, becomes] = [wordsOf(before), wordsOf(after)];
    let coded = 0;
    let held = 0;
    for (let y = 0, cell = 0; y < rect.height; y++) {
      let place = (rect.y + y) * planes.width + rect.x;
      for (let x = 0; x < rect.width; x++, cell++, place++) {
        const colour = shown[place];
        const owner = seen.owner[place];
        was[cell] = becomes[cell] = colour;
        before.owner[cell] = after.owner[cell] = owner;
        marks[cell] = MARKS.same;
        const moved = owner !== planes.owner[place];
        if (!moved && colour === live[place]) continue;
        const rests = tick - changedAt[place] >= tier.rest;
        if (moved || rests || isFar(colour, live[place], tier)) {
          after.owner[cell] = planes.owner[place];
          becomes[cell] = live[place];
          marks[cell] = rests ? MARKS.exact : MARKS.coded;
          coded++;
        } else held++;
      }
    }
    return { coded, held };
  }

  /** Writes the coded cells to `seen`. @returns how many of them quantization has left inexact */
  private commit({ x, y, width, height }: Rect, { after, marks }: Draft): number {
    const { seen, live, shown } = this;
    const becomes = wordsOf(after);
    let inexact = 0;
    for (let j = 0, cell = 0; j < height; j++) {
      let place = (y + j) * seen.width + x;
      for (let i = 0; i < width; i++, cell++, place++) {
        if (marks[cell] === MARKS.same) continue;
        seen.owner[place] = after.owner[cell];
        shown[place] = becomes[cell];
        if (shown[place] !== live[place]) inexact++;
      }
    }
    return inexact;
  }
}

/** Whether a difference of two colours, of four bytes each, is to be sent while a cell changes. */
function isFar(a: number, b: number, { hold, squares }: Tier): boolean {
  let sum = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const difference = abs(((a >>> shift) & 0xff) - ((b >>> shift) & 0xff));
    if (difference > hold) return true;
    // Alpha, which is last, is not seen itself.
    if (shift < 24) sum += difference * difference;
  }
  return sum > squares;
}
