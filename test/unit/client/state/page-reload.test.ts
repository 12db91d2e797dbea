import { mayReload } from '../../../../client/state/page-reload.ts';

test('a page loads again at once, but at most once a minute', () => {
  const kept = new Map<string, string>();
  const memory = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const mayReloadAt = (now: number) => mayReload(now, () => memory);
  expect([1_000, 3_000, 62_000].map(mayReloadAt)).toEqual([true, false, true]);
  // A clock that was set back does not stop it for ever.
  expect(mayReloadAt(500)).toBe(true);
  const setItem = (): never => {
    throw new Error('refused');
  };
  expect(mayReload(1_000, () => ({ getItem: () => null, setItem }))).toBe(false);
  // The browser blocks it altogether.
  expect(mayReload(1_000, setItem)).toBe(false);
});
