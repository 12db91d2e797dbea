/**
 * Loaded before a program of ours (`--import`): its wall clock is ahead by `VIVARIUM_TEST_SHIFT`
 * ms, all else is as it is.
 */
const shift = Number(process.env.VIVARIUM_TEST_SHIFT);
const Real = Date;

globalThis.Date = class extends Real {
  constructor(...parts) {
    if (parts.length === 0) super(Real.now() + shift);
    else super(...parts);
  }

  static now() {
    return Real.now() + shift;
  }
};
