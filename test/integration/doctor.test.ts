/** `npm run doctor` as a host meets it. */
import { BACKEND_NAMES } from '../../server/engine/backend.ts';
import { autoOrder } from '../../server/engine/choose-backend.ts';
import type { EngineReport, Report } from '../../server/engine/doctor/examine.ts';
import { suiteFolder } from '../support/closing.ts';
import { FROM_BUNDLE, runScript } from '../support/process.ts';
import { withBrokenCompiler } from '../unit/engine/native/support.ts';

const NOWHERE = 'checkpoints/of-nobody';

/** It starts a thread or two for each engine. */
const doctor = (args: readonly string[], environment: Record<string, string> = {}) =>
  runScript('doctor', args, { ...FROM_BUNDLE, ...environment });

async function report(environment: Record<string, string> = {}): Promise<Report> {
  const { code, output } = await doctor(['--json', '--seconds', '0.1'], environment);
  expect(code).toBe(0);
  return JSON.parse(output);
}

const byName = (engines: readonly EngineReport[]) =>
  new Map(engines.map((engine) => [engine.name, engine]));

test('finds the engines of this machine, measures those that run, and says what auto takes and why', async () => {
  const { machine, checkpoint, engines, auto } = await report({
    // A small net: how fast it is does not matter.
    VIVARIUM_CHECKPOINT: 'checkpoints/digits-heal',
  });
  expect(machine.cores).toBeGreaterThan(0);
  expect(checkpoint).toMatchObject({ net: expect.any(String), side: expect.any(Number) });
  expect(engines.map(({ name }) => name)).toEqual([...BACKEND_NAMES]);
  for (const engine of engines) {
    expect(engine.needs).not.toBe('');
    if (engine.usable) {
      expect(engine.device).toMatch(/^(CPU|GPU).* \(.+\)$/);
      expect(engine.cellsPerSecond).toBeGreaterThan(0);
      expect(engine).toMatchObject({ reason: null, remedy: null });
    } else {
      expect(engine).toMatchObject({ device: null, cellsPerSecond: null });
      expect(engine.reason).toBeTruthy();
      expect(engine.remedy).toBeTruthy();
    }
  }
  expect(byName(engines).get('onnx')!.usable).toBe(true);
  const chosen = engines.find(({ name }) => name === auto.name)!;
  expect(chosen.usable).toBe(true);
  expect(auto.device).toBe(chosen.device);
  expect(auto.why).toContain(autoOrder().join(', '));
});

test('outlives libraries that are missing or end their process, and says so', async () => {
  const broken = new URL('../support/broken-libraries.mjs', import.meta.url);
  const { checkpoint, engines, auto } = await report({
    NODE_OPTIONS: `--import ${broken}`,
    VIVARIUM_CHECKPOINT: NOWHERE,
    // What a compiler makes would be taken before these libraries.
    PATH: withBrokenCompiler(suiteFolder()),
  });
  expect(checkpoint).toBeNull();
  const found = byName(engines);
  expect(found.get('native')).toMatchObject({ usable: false });
  expect(found.get('tensorflow')).toMatchObject({ usable: false });
  expect(found.get('onnx')).toMatchObject({
    usable: false,
    reason: 'its process ended with SIGILL',
    remedy: 'run npm ci',
  });
  // A back end that kills the doctor's process would kill the server too, so the host must see it.
  expect(auto).toMatchObject({ name: null, why: 'its process ended with SIGILL' });
});
