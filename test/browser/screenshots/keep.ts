/** Pictures of the keepsake's page. */
import { Visitor } from '../../support/visitor.ts';
import { contextOf, inWindows, type Studio } from './studio.ts';

/** A keepsake at home, and the page without one. */
export async function takeKeep(studio: Studio): Promise<void> {
  const { server, url } = studio;
  const ada = await Visitor.join(server.port, 'garden', 'Ada');
  const [{ id }] = server.world.rooms.get('garden')!.organisms;
  const answer = await ada.ask('keep', { organism: id });
  if (!('token' in answer)) throw new Error('no token');
  const context = await contextOf(studio);
  const page = await context.newPage();
  await page.goto(`${url}/keep`);
  await inWindows(studio, page, 'keep-empty');
  await page.goto('about:blank');
  await page.goto(`${url}/keep#${answer.token}/garden`);
  await page.locator('[data-testid=keep][data-phase=grown]').waitFor();
  await inWindows(studio, page, 'keep-grown');
  await context.close();
  ada.leave();
}
