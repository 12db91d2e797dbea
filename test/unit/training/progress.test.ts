import { createProgress, describeUpdates } from '../../../server/training/run/loop.ts';

const report = (update: number, more: object = {}) => ({
  update,
  reconstruction: 100 + update,
  divergence: 10,
  gradientNorm: 2,
  ...more,
});

/** Reports the progress of a run on onnx, and collects its lines. */
function follow(updates: number, done: number, now: () => number) {
  const lines: string[] = [];
  const say = (line: string) => lines.push(line);
  return {
    lines,
    progress: createProgress(
      { ...{ updates, done, say }, compute: { name: 'onnx' }, describe: describeUpdates },
      now,
    ),
  };
}

test('a line every ten seconds shows rate, back end and time left', () => {
  let now = 0;
  const { lines, progress } = follow(100, 10, () => now);
  for (let update = 11; update <= 20; update++) {
    now += 1000;
    progress(report(update));
  }
  expect(lines).toEqual([expect.stringMatching(/^11\/100 · 1\.00 updates\/s on onnx · 89 s left/)]);
  now += 1000;
  progress(report(21));
  expect(lines.slice(1)).toEqual([
    '21/100 · 1.00 updates/s on onnx · 79 s left · ELBO -126.5 · reconstruction 116.5 · KL 10.0 · gradient 2.0',
  ]);
  now += 20_000;
  progress(report(22, { pooled: 50, age: 33 }));
  expect(lines).toHaveLength(3);
  expect(lines[2]).toContain('22/100 · 0.0500 updates/s on onnx · 4 min left');
  expect(lines[2]).toContain('pool 50.0 (age 33)');
});

test('the first and the last update always have a line', () => {
  let now = 0;
  const { lines, progress } = follow(3, 0, () => ++now);
  for (const update of [1, 2, 3]) progress(report(update));
  expect(lines.map((line) => line.slice(0, 3))).toEqual(['1/3', '3/3']);
});
