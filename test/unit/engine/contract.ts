/** Tests of the contract in server/engine/engine.ts, which every engine must keep. */
import type { Engine } from '../../../server/engine/engine.ts';
import { testLatents } from './contract/latents.ts';
import { testPatches } from './contract/patches.ts';
import { testRefusedCalls } from './contract/refused-calls.ts';
import { testSteps } from './contract/steps.ts';
import { expectError, Subject, seed, still } from './support.ts';

/** @param create an engine that has loaded CONTRACT_MODELS */
export function describeEngineContract(name: string, create: () => Promise<Engine>): void {
  describe(`${name} keeps the engine contract`, () => {
    const subject = new Subject();
    beforeAll(async () => {
      subject.engine = await create();
    });
    afterAll(() => subject.engine.close());
    afterEach(() => subject.engine.dispose(Array.from({ length: 200 }, (_, i) => i)));

    testPatches(subject);
    testSteps(subject);
    testLatents(subject);
    testRefusedCalls(subject);

    test('a closed engine answers earlier calls and rejects later ones', async () => {
      const other = await create();
      await other.plant([seed(1)]);
      const before = other.step([still(1)]);
      const closed = other.close();
      await expectError(other.step([still(1)]), 'closed');
      await closed;
      expect((await before)[0].patch).toBe(1);
      await other.close();
      await expectError(other.plant([seed(2)]), 'closed');
      for (const method of ['importStates', 'exportStates', 'dispose'] as const) {
        await expectError(other[method]([]), 'closed');
      }
    });
  });
}
