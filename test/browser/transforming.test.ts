/** Turning an organism into what the held seed grows into, on a phone. */

import {
  fingerTap,
  modelOf,
  nextPicture,
  openRoom,
  type PageElement,
  screenOf,
  showAll,
} from '../support/page.ts';
import { violations } from '../support/page-faults.ts';
import { PHONE } from '../support/screens.ts';
import { suiteVisitor } from '../support/suite.ts';
import { suiteWithPages } from '../support/suite-pages.ts';

const { server, room, roomUrl, newPage } = await suiteWithPages({
  ...{ size: '160x112', energy: 'off' },
});
const ada = await suiteVisitor(server, 'Ada');
const phone = await newPage({ ...PHONE, reducedMotion: 'reduce' });
await openRoom(phone, roomUrl);

const tap = async (x: number, y: number) => {
  await showAll(phone);
  await fingerTap(phone, await screenOf(phone, x, y));
};
/** The visitor holds a seed. */
const take = (seed: object) =>
  phone.evaluate((held) => {
    type State = { hold(seed: object): void };
    const page = document.querySelector('vivarium-room') as unknown as {
      session: { state: State };
    };
    page.session.state.hold(held);
  }, seed);
const hold = (index: number) => take({ from: 'gallery', index });
const becomes = async (kind: string, phase: string) => {
  await phone.waitForFunction(
    ([{ organisms, you }, wanted, then]) =>
      [...organisms.values()].some(
        (one) => one.planter.id === you.id && one.kind === wanted && one.phase === then,
      ),
    [await modelOf(phone), kind, phase] as const,
  );
};
const card = phone.getByTestId('organism-card');
const button = card.getByTestId('transform');

test('TRF-1, TRF-2: a visitor turns their own organism, reads what it was, is told when others do it, and cannot turn others’', async () => {
  const { gallery } = ada.welcome!.checkpoint;
  const [horse, rabbit, crab] = ['Horse Face', 'Rabbit Face', 'Crab'].map((name) =>
    gallery.findIndex((one) => one.name === name),
  );
  await hold(horse);
  await tap(40, 40);
  await becomes('Horse Face', 'asleep');
  await hold(rabbit);
  await phone.getByTestId('tool-look').tap();
  await tap(40, 40);
  expect(await button.textContent()).toBe('Turn into: Rabbit Face');
  expect(await card.getByTestId('former').count()).toBe(0);
  expect(await violations(phone)).toEqual([]);
  await button.tap();
  await becomes('Rabbit Face', 'asleep');
  await card.getByRole('heading', { name: 'Rabbit Face' }).waitFor();
  expect(await card.getByTestId('former').textContent()).toBe('Horse Face');
  // It is what the seed is, so there is nothing to turn; the card keeps the focus.
  await button.waitFor({ state: 'detached' });
  expect(
    await phone.evaluate(() => {
      const page = document.querySelector('vivarium-room') as unknown as PageElement;
      return page.shadowRoot!.activeElement?.localName;
    }),
  ).toBe('organism-card');
  expect(await violations(phone)).toEqual([]);

  // Another's: not offered, and refused to one who asks anyway.
  const [mine] = room.organisms;
  await ada.ask('plant', { x: 110, y: 60, seed: { from: 'gallery', index: crab } });
  const theirs = room.organisms.at(-1)!.id;
  await ada.until(() =>
    ada.life.some(
      ({ what, ...event }) => what === 'asleep' && 'id' in event && event.id === theirs,
    ),
  );
  await card.getByLabel('Close', { exact: true }).tap();
  await tap(110, 60);
  await card.getByRole('heading', { name: 'Crab' }).waitFor();
  expect(await button.count()).toBe(0);
  await phone.evaluate((organism) => {
    type Session = { transform(organism: object): void };
    const page = document.querySelector('vivarium-room') as unknown as { session: Session };
    page.session.transform({ id: organism });
  }, theirs);
  await phone.getByText('Somebody else has planted that one.').waitFor();
  expect(room.viewOf(theirs)).toMatchObject({ kind: 'Crab' });
  const seed = { from: 'gallery', index: crab } as const;
  expect(await ada.ask('transform', { organism: mine.id, seed })).toMatchObject({
    reason: 'not-yours',
  });

  // Where the host allows it.
  const roomServer = server.roomServers.get('garden')!;
  const { policy } = roomServer;
  policy.settings = { ...policy.settings, transformOthers: true };
  roomServer.broadcastSettings();
  await button.getByText('Turn into: Rabbit Face').waitFor();
  expect(await ada.ask('transform', { organism: mine.id, seed })).not.toHaveProperty('reason');
  await phone.getByText('Ada turned your Rabbit Face into this: Crab.').first().waitFor();
  await tap(40, 40);
  await card.getByTestId('former').getByText('Horse Face, then Rabbit Face').waitFor();
});

test('a visitor is not offered to turn an organism into the seed that they planted or turned it with', async () => {
  const spot = { from: 'map', x: 0.4, y: 0.6 };
  const other = { ...spot, x: 0.5 };
  const offers = async (seed: object, place: readonly [number, number]): Promise<number> => {
    await take(seed);
    await phone.getByTestId('tool-look').tap();
    await tap(...place);
    await card.getByRole('heading', { name: 'One of a kind' }).waitFor();
    return button.count();
  };
  await take(spot);
  await tap(40, 90);
  const planted = () => room.organisms.at(-1)!;
  while (planted().y !== 90 || planted().phase !== 'asleep') await nextPicture(phone);
  expect(await offers(spot, [40, 90])).toBe(0);
  expect(await offers(other, [40, 90])).toBe(1);
  await button.tap();
  await button.waitFor({ state: 'detached' });
  while (planted().phase !== 'asleep') await nextPicture(phone);
  expect(await offers(spot, [40, 90])).toBe(1);
  // Somebody else may turn it into anything.
  await ada.ask('transform', { organism: planted().id, seed: spot });
  await phone.getByText('Ada turned your', { exact: false }).first().waitFor();
  expect(await offers(other, [40, 90])).toBe(1);
});
