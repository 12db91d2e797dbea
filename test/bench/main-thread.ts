/** Processor time of a page's main thread, from the browser's trace. */
import type { Browser, CDPSession } from 'playwright-core';

/** Duration of a frame, in ms. */
export const FRAME = 1000 / 60;

/**
 * Measures the processor time of a page's main thread in each 60th of a second, in ms, as if it
 * drew a frame in each. No other page of the browser may animate meanwhile.
 */
export async function mainThreadCosts(
  browser: Browser,
  during: () => Promise<void>,
): Promise<number[]> {
  const devtools = await browser.newBrowserCDPSession();
  const events = await traced(devtools, during);
  await devtools.detach();
  return costs(events);
}

/** An event of the browser's trace. Times are in µs; `tdur` is the processor time of the thread. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly tdur?: number;
}

async function traced(devtools: CDPSession, during: () => Promise<void>): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  devtools.on('Tracing.dataCollected', ({ value }) => {
    events.push(...(value as unknown as TraceEvent[]));
  });
  await devtools.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: {
      includedCategories: [
        'toplevel',
        'devtools.timeline',
        'disabled-by-default-devtools.timeline',
      ],
    },
  });
  await during();
  const complete = new Promise((resolve) => devtools.once('Tracing.tracingComplete', resolve));
  await devtools.send('Tracing.end');
  await complete;
  return events;
}

/**
 * Returns the processor time of the page's main thread in each 60th of a second, in ms: one of the
 * measured frames, and all other tasks of that moment.
 */
function costs(events: readonly TraceEvent[]): number[] {
  const thread = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const frames = events.filter(({ name }) => name === 'FireAnimationFrame');
  const counts = new Map<string, number>();
  for (const frame of frames) counts.set(thread(frame), (counts.get(thread(frame)) ?? 0) + 1);
  // No other page animates.
  const [main] = [...counts].sort(([, a], [, b]) => b - a)[0];
  const begins = frames
    .filter((frame) => thread(frame) === main)
    .map(({ ts }) => ts)
    .sort((a, b) => a - b);
  const tasks = events
    .filter((event) => event.name === 'RunTask' && event.ph === 'X' && thread(event) === main)
    .sort((a, b) => a.ts - b.ts);
  const ofFrames: number[] = [];
  const others: TraceEvent[] = [];
  let at = 0;
  for (const task of tasks) {
    while (at < begins.length && begins[at] < task.ts) at++;
    // A frame is begun within its task.
    if (at < begins.length && begins[at] <= task.ts + task.dur) {
      ofFrames.push((task.tdur ?? 0) / 1000);
    } else others.push(task);
  }
  // A busy machine may draw nothing for a while.
  if (ofFrames.length === 0) return [];
  const [from, to] = [tasks[0].ts, tasks.at(-1)!.ts];
  const windows = Math.floor((to - from) / 1000 / FRAME);
  const sums = Array.from({ length: windows }, (_, i) => ofFrames[i % ofFrames.length]);
  for (const { ts, tdur = 0 } of others) {
    const window = Math.floor((ts - from) / 1000 / FRAME);
    if (window < windows) sums[window] += tdur / 1000;
  }
  return sums;
}
