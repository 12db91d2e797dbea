/** Counts how often each bit was coded under which contexts, and learns the contexts' log-odds. */
import { CONTEXT_COUNT } from '../../shared/codec/contexts.ts';

/** Contexts of a bit. */
const ORDER = 4;
type Contexts = readonly [number, number, number, number];
/** Contexts are below this. */
const MOST = 2 ** 13;
/** Of the first regression, and of the second, for what is left. */
const ROUNDS = [100, 60];
/** Of these rounds, in which contexts have moved but are not yet certain, one shows what they save. */
const WEIGHED = 5;
const MOMENTUM = 0.9;
/** Weight of the prior, under which contexts add nothing. */
const PRIOR = 0.5;
/** Contexts that save fewer bits than this add nothing, so that pages have a short list to load. */
const SAVED = 60;

/** Bits that were coded, counted by their contexts, and what is best expected of each context. */
export class CodedBits {
  /** Numbers of all contexts together. */
  private readonly tuples = new Map<number, number>();
  private readonly contexts: number[] = [];
  private readonly zeros: number[] = [];
  private readonly ones: number[] = [];

  add(bit: number, [a, b, c, d]: Contexts): void {
    const { tuples, contexts, zeros, ones } = this;
    const key = ((a * MOST + b) * MOST + c) * MOST + d;
    let tuple = tuples.get(key);
    if (tuple === undefined) {
      tuples.set(key, (tuple = tuples.size));
      contexts.push(a, b, c, d);
      zeros.push(0);
      ones.push(0);
    }
    (bit ? ones : zeros)[tuple]++;
  }

  /**
   * Logistic regression: Newton's method with a bound on the curvature that treats contexts apart,
   * and momentum.
   *
   * @returns [contexts] log-odds
   */
  learn(log: (line: string) => void): Float64Array {
    const contexts = Uint16Array.from(this.contexts);
    const [zeros, ones] = [Float64Array.from(this.zeros), Float64Array.from(this.ones)];
    const [odds, moves, slopes, bends, weights] = [0, 1, 2, 3, 4].map(
      () => new Float64Array(CONTEXT_COUNT),
    );
    // The first context, NONE, adds nothing.
    const used = new Uint8Array(CONTEXT_COUNT).fill(1, 1);
    for (const rounds of ROUNDS) {
      for (let round = 0; round < rounds; round++) {
        slopes.fill(0);
        bends.fill(0);
        let bits = 0;
        for (let i = 0; i < zeros.length; i++) {
          const at = ORDER * i;
          let sum = 0;
          for (let k = 0; k < ORDER; k++) sum += odds[contexts[at + k]];
          bits += ones[i] * Math.log2(1 + Math.exp(-sum)) + zeros[i] * Math.log2(1 + Math.exp(sum));
          const count = ones[i] + zeros[i];
          const expected = 1 / (1 + Math.exp(-sum));
          for (let k = 0; k < ORDER; k++) {
            slopes[contexts[at + k]] += ones[i] - count * expected;
            bends[contexts[at + k]] += count * expected * (1 - expected);
          }
        }
        for (let c = 0; c < CONTEXT_COUNT; c++) {
          const newton = (slopes[c] - PRIOR * odds[c]) / (ORDER * bends[c] + PRIOR + 1);
          moves[c] = within((round < 10 ? 0 : MOMENTUM) * moves[c] + within(newton));
          odds[c] = used[c] * (odds[c] + moves[c]);
        }
        if (rounds === ROUNDS[0] && round === WEIGHED) weights.set(bends);
        if (round === rounds - 1) log(`${Math.round(bits / 8)} bytes`);
      }
      // By the second order of what a bit costs.
      for (let c = 0; c < CONTEXT_COUNT; c++)
        if ((weights[c] * odds[c] ** 2) / 2 < SAVED * Math.LN2) used[c] = 0;
      odds.forEach((value, c) => {
        odds[c] = used[c] * value;
      });
    }
    return odds;
  }
}

const within = (step: number): number => Math.max(-1, Math.min(1, step));
