/**
 * A batch of patches that stay together: their states lie in one buffer, in order, and a step goes from it to another one and
 * back, so that nothing is gathered or handed out as long as the same patches are stepped.
 */
import type { Patch } from './patch.ts';

export class Home {
  /** [patches, s², C], in the species' layout. */
  states: Float32Array;
  /** Where the next step goes; as large. */
  after: Float32Array;
  /** [patches, K]. */
  readonly standing: Float32Array | undefined;

  /**
   * @param size numbers of a state
   * @param slots patches that the buffers are for; those beyond `patches` stay zero
   */
  constructor(
    readonly patches: readonly Patch[],
    readonly size: number,
    slots: number,
  ) {
    this.states = new Float32Array(slots * size);
    this.after = new Float32Array(slots * size);
    const width = patches[0].standing?.length;
    if (width === undefined) return;
    this.standing = new Float32Array(slots * width);
    patches.forEach(({ standing }, i) => {
      this.standing!.set(standing!, i * width);
    });
  }

  /** Whether just these live here, in this order. */
  houses(patches: readonly Patch[]): boolean {
    return (
      patches.length === this.patches.length &&
      patches.every((patch, i) => patch === this.patches[i] && patch.home === this)
    );
  }

  /** What was stepped into becomes the states. */
  turn(): void {
    [this.states, this.after] = [this.after, this.states];
    this.patches.forEach((patch, i) => {
      patch.state = this.states.subarray(i * this.size, (i + 1) * this.size);
    });
  }

  /** The patch gets a buffer of its own again. */
  static leave(patch: Patch): void {
    if (!patch.home) return;
    patch.home = undefined;
    patch.state = patch.state.slice();
  }
}
