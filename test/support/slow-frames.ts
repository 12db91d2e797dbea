/** Pages that draw less often: without a GPU, pictures cost a processor more than all the rest. */
import type { BrowserContext } from 'playwright-core';

/** Between two pictures, ms: about one for each tick, and no reason to lower the resolution. */
const PERIOD = 40;
/** The same where no pixel is looked at, or nothing depends on the resolution. */
export const LONG_PERIOD = 100;

/** In a page: it draws few pictures a second from now on. @param period between two of them, ms */
export function drawSeldom(period: number): void {
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
}

/** From now on the pages of this context draw few pictures a second. */
export async function slowFrames(
  context: BrowserContext,
  period = PERIOD,
): Promise<BrowserContext> {
  await context.addInitScript(drawSeldom, period);
  return context;
}
