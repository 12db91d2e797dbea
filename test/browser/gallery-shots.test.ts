import { goTo, signIn } from '../support/host-client.ts';
import { CHECKPOINT_FOLDER } from '../support/organisms.ts';
import { openRoom } from '../support/page.ts';
import { hostOf } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, roomUrl, newPage } = await suiteWithPages({
  size: '128x128',
  checkpoint: CHECKPOINT_FOLDER,
});
const host = await hostOf(server);
test('pictures', async () => {
  await host.call('changeSettings', {
    curation: {
      hidden: [118, 87, 160, 167],
      first: [104, 120, 385, 386, 390],
      gardener: [24, 386, 390],
    },
  });
  const lang = process.env.SHOT_LANG ?? 'en';
  const page = await newPage({ deviceScaleFactor: 1, locale: lang });
  await signIn(page, server.port, server.hostToken!);
  await page.goto(`http://127.0.0.1:${server.port}/host?lang=${lang}`);
  await page.getByTestId('to-watch').waitFor();
  await goTo(page, 'gallery');
  await page.getByTestId('seed-104').waitFor();
  for (const [w, h] of [
    [320, 568],
    [390, 844],
    [844, 390],
    [820, 1180],
    [1440, 900],
  ] as const) {
    await page.setViewportSize({ width: w, height: h });
    for (const list of w === 390 || w === 1440 ? ['hidden', 'first', 'gardener'] : ['first']) {
      await page.locator(`input[value=${list}]`).check({ force: true });
      await new Promise((r) => setTimeout(r, 400));
      await page.screenshot({ path: `/tmp/curate-shots/${lang}-gallery-${w}-${list}.png` });
    }
    await page.locator('main').evaluate((m) => m.scrollTo(0, 700));
    await new Promise((r) => setTimeout(r, 300));
    await page.screenshot({ path: `/tmp/curate-shots/${lang}-gallery-${w}-scrolled.png` });
    await page.locator('main').evaluate((m) => m.scrollTo(0, 0));
  }
  await goTo(page, 'knobs');
  await page
    .getByRole('link', { name: /Choose seeds/ })
    .first()
    .scrollIntoViewIfNeeded()
    .catch(() => {});
  await page.screenshot({ path: `/tmp/curate-shots/${lang}-knobs.png` });
  const visitor = await newPage({ deviceScaleFactor: 1, viewport: { width: 390, height: 844 } });
  await openRoom(visitor, roomUrl);
  await visitor.getByTestId('gallery-item').first().waitFor();
  await visitor.screenshot({ path: `/tmp/curate-shots/${lang}-visitor.png` });
}, 240_000);
