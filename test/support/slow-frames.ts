/** Pages that draw less often: without a GPU, pictures cost a processor more than all the rest. */
import type { BrowserContext } from 'playwright-core';

/** Between two pictures, ms: about one for each tick, and no reason to lower the resolution. */
const PERIOD = 40;

/** From now on the pages of this context draw few pictures a second. */
export async function slowFrames(context: BrowserContext): Promise<BrowserContext> {
  await context.addInitScript((period) => {
    const { requestAnimationFrame, setTimeout } = window;
    const waiting = new Map<number, FrameRequestCallback>();
    let lastId = 0;
    let isResting = false;
    const draw = (now: number): void => {
      isResting = true;
      setTimeout(() => {
        isResting = false;
        if (waiting.size > 0) requestAnimationFrame(draw);
      }, period);
      for (const id of [...waiting.keys()]) {
        const callback = waiting.get(id);
        waiting.delete(id);
        callback?.(now);
      }
    };
    window.requestAnimationFrame = (callback) => {
      // A picture follows at once where there was none for a while.
      if (waiting.size === 0 && !isResting) requestAnimationFrame(draw);
      waiting.set(++lastId, callback);
      return lastId;
    };
    window.cancelAnimationFrame = (id) => {
      waiting.delete(id);
    };
  }, PERIOD);
  return context;
}
