import { AdaptiveQuality, QUALITY } from '../../../../server/realtime/streaming/viewer-stream.ts';

const { window, patience, slowAck } = QUALITY;

/** Evaluates windows of ten frames each, of which some are skipped. @returns the time after them */
function pass(quality: AdaptiveQuality, from: number, windows: number, skipped = 0): number {
  for (let i = 0; i < windows; i++) {
    for (let frame = 0; frame < 10; frame++) quality.frame(frame < skipped);
    quality.evaluate(from + (i + 1) * window);
  }
  return from + windows * window;
}

/** Goes on until the best tier. @returns the time then */
function climb(quality: AdaptiveQuality, from: number): number {
  let now = from;
  while (quality.tier !== 'full') now = pass(quality, now, 1);
  return now;
}
test('slow acknowledgements keep the tier from rising', () => {
  const quality = new AdaptiveQuality('phone', 'full', 0);
  let now = 0;
  while (now < 5 * patience) {
    quality.acknowledged(slowAck + 1);
    now = pass(quality, now, 1);
  }
  expect(quality.tier).toBe('phone');
});

test('a slow spell after a step up counts as one failure, and one that lasts ends the waiting', () => {
  const quality = new AdaptiveQuality('phone', 'full', 0);
  const first = climb(quality, 0);
  // Down to the lowest tier, and on.
  const low = pass(quality, first, 8, 9);
  expect(quality.tier).toBe('thrifty');
  const again = climb(quality, low);
  expect(again - low).toBeLessThanOrEqual(3 * (2 * patience + window));
  const fallen = pass(quality, pass(quality, again, 100), 1, 9);
  expect(climb(quality, fallen) - fallen).toBeLessThanOrEqual(patience + window);
});
test('after a step up that did not last, the next one takes longer', () => {
  const quality = new AdaptiveQuality('phone', 'full', 0);
  const first = climb(quality, 0);
  const fallen = pass(quality, first, 1, 5);
  expect(quality.tier).toBe('phone');
  expect(climb(quality, fallen) - fallen).toBeGreaterThan(first);
});
