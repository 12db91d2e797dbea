import { TreePictures } from '../../../client/family-tree/pictures.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const PAGE = { gallery: [], sheet: { url: '/sheet.png', columns: 1 } };
const ORGANISM = { id: 1, kind: '' } as never;

/** Pictures whose sheet and organisms arrive when the test says so. */
function open() {
  const arrive: (() => void)[] = [];
  const soon = <T>(value: T) => new Promise<T>((resolve) => arrive.push(() => resolve(value)));
  Object.assign(globalThis, {
    Image: class {
      decode = () => soon(undefined);
    },
    fetch: () => soon({ ok: false, status: 404 }),
  });
  let changes = 0;
  const pictures = new TreePictures('garden', PAGE, () => changes++);
  void pictures.open();
  pictures.of(ORGANISM);
  return {
    pictures,
    all: async () => {
      for (const one of arrive) one();
      await new FakeClock().advance(0);
      return changes;
    },
  };
}

test('a tree is drawn again for each picture that arrives, and no more once it is closed', async () => {
  expect(await open().all()).toBe(2);
  const closed = open();
  closed.pictures.close();
  expect(await closed.all()).toBe(0);
});
