/** Pictures of the host's page. */
import { SECTIONS } from '../../../client/host/sections.ts';
import { goTo, liveScreenOf, liveShows, signIn } from '../../support/host-client.ts';
import { Visitor } from '../../support/visitor.ts';
import { contextOf, GARDEN, inWindows, placeOf, type Studio } from './studio.ts';

/** Every section of the host's page, signing in, and its dialogs. */
export async function takeHost(studio: Studio): Promise<void> {
  const { server, url, host } = studio;
  const context = await contextOf(studio);
  const page = await context.newPage();
  await page.goto(`${url}/host`);
  await page.getByTestId('token').waitFor();
  await inWindows(studio, page, 'host-login');
  const people = await Promise.all(
    ['Ada', 'Bo', '', 'Chiyo'].map((name) => Visitor.join(server.port, 'garden', name)),
  );
  const wall = await Visitor.join(server.port, 'garden', undefined, { as: 'wall' });
  await host.call('addWall', { name: 'Foyer' });
  await host.call('takeSnapshot', { name: 'Evening of the opening' });
  await people[0].ask('report', { organism: server.world.rooms.get('garden')!.organisms[2].id });
  await signIn(page, server.port, server.hostToken!);
  for (const { id } of SECTIONS) {
    await goTo(page, id);
    if (id === 'film') {
      await page.getByTestId('film-moment').focus();
      await page.keyboard.press('ArrowLeft');
      await page.getByRole('link', { name: 'Download' }).waitFor();
    }
    await inWindows(studio, page, `host-${id}`);
  }
  await goTo(page, 'watch');
  await liveShows(page, GARDEN.length);
  const at = await liveScreenOf(page, ...placeOf(2));
  await page.mouse.click(at.x, at.y);
  await page.getByTestId('organism').waitFor();
  await inWindows(studio, page, 'host-organism');
  await page.getByTestId('remove').click();
  await inWindows(studio, page, 'host-confirm');
  await page.keyboard.press('Escape');
  for (const tool of ['area', 'point']) {
    await page.getByTestId(`tool-${tool}`).click();
    await inWindows(studio, page, `host-tool-${tool}`);
  }
  await page.getByTestId('tool-look').click();
  await host.call('spotlight', { x: 118, y: 70 });
  await page.getByTestId('walls-show').waitFor();
  await inWindows(studio, page, 'host-showing');
  await context.close();
  for (const one of [...people, wall]) one.leave();
}
