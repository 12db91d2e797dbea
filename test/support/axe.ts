/** axe-core on a page of ours. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { animationsOf } from './animations.ts';

/**
 * The violations that axe-core finds, with enough detail to fix them. Animations are finished
 * first.
 */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(
    async (animationsOf) => {
      const moving = () =>
        animationsOf(document)
          .filter(({ effect }) => effect?.getComputedTiming().iterations === 1)
          .filter(({ playState }) => playState !== 'finished')
          .filter(({ effect }) => !isEnergy((effect as KeyframeEffect).target));
      // It grows for as long as energy refills, and holds no text.
      const isEnergy = (target: Element | null): boolean =>
        (target?.getRootNode() as Partial<ShadowRoot> | undefined)?.host?.localName ===
        'energy-line';
      // What is drawn next may begin to move as well.
      for (let calm = 0; calm < 3; calm++) {
        const some = moving();
        if (some.length > 0) calm = 0;
        await Promise.all(some.map((one) => one.finished.catch(() => undefined)));
        await new Promise(requestAnimationFrame);
      }
    },
    await animationsOf(page),
  );
  // Our pages have no frames: without that detour through a page of its own, a look takes a tenth
  // of the time.
  // Its half a megabyte stays in a page.
  const isThere = await page.evaluate(() => 'axe' in window);
  const { violations: found } = await new AxeBuilder({
    page,
    ...(isThere && { axeSource: 'void 0;' }),
  })
    .setLegacyMode(true)
    .options({ resultTypes: ['violations'] })
    .analyze();
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );
}
